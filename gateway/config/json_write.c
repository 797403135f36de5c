#include "config/json_write.h"

#include <string.h>

#include "core/text.h"

static void put_text(FILE *out, const char *text)
{
    char quoted[4096];
    struct text writer;
    text_init(&writer, quoted, sizeof(quoted));
    text_json_string(&writer, text, strlen(text));
    fwrite(quoted, 1, writer.size, out);
}

static void begin(struct json_writer *writer, const char *key)
{
    if (writer->depth > 0) {
        fputs(writer->filled[writer->depth] ? ",\n" : "\n", writer->out);
        fprintf(writer->out, "%*s", 2 * (int)writer->depth, "");
    }
    writer->filled[writer->depth] = true;
    if (key) {
        put_text(writer->out, key);
        fputs(": ", writer->out);
    }
}

void json_write_open(struct json_writer *writer, const char *key, char bracket)
{
    begin(writer, key);
    fputc(bracket, writer->out);
    if (writer->depth + 1 < JSON_WRITE_DEPTH_MAX)
        writer->depth++;
    writer->filled[writer->depth] = false;
}

void json_write_close(struct json_writer *writer, char bracket)
{
    bool filled = writer->filled[writer->depth];
    writer->depth--;
    if (filled)
        fprintf(writer->out, "\n%*s", 2 * (int)writer->depth, "");
    fputc(bracket, writer->out);
    if (writer->depth == 0)
        fputc('\n', writer->out);
}

void json_write_text(struct json_writer *writer, const char *key, const char *text)
{
    begin(writer, key);
    put_text(writer->out, text);
}

void json_write_raw(struct json_writer *writer, const char *key, const char *json)
{
    begin(writer, key);
    fputs(json, writer->out);
}

void json_write_number(struct json_writer *writer, const char *key, double number)
{
    char digits[64];
    struct text text;
    text_init(&text, digits, sizeof(digits));
    text_f64(&text, number, DECIMALS_SHORTEST);
    begin(writer, key);
    fwrite(digits, 1, text.size, writer->out);
}
