#include "config/json_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

static void put_text(FILE *out, const char *text)
{
    char few[1024], *quoted = few;
    size_t size = strlen(text), room = 6 * size + 3;
    struct text writer;
    if (room > sizeof(few))
        quoted = malloc(room);
    if (!quoted)
        return; /* what is written is no JSON then, and whoever reads it says so */
    text_init(&writer, quoted, room);
    text_json_string(&writer, text, size);
    fwrite(quoted, 1, writer.size, out);
    if (quoted != few)
        free(quoted);
}

static void begin_line(struct json_writer *writer)
{
    if (!writer->flat)
        fprintf(writer->out, "\n%*s", 2 * (int)writer->depth, "");
}

static void begin(struct json_writer *writer, const char *key)
{
    if (writer->depth > 0) {
        if (writer->filled[writer->depth])
            fputc(',', writer->out);
        begin_line(writer);
    }
    writer->filled[writer->depth] = true;
    if (key) {
        put_text(writer->out, key);
        fputs(writer->flat ? ":" : ": ", writer->out);
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
        begin_line(writer);
    fputc(bracket, writer->out);
    if (writer->depth == 0)
        fputc('\n', writer->out);
}

void json_write_text(struct json_writer *writer, const char *key, const char *text)
{
    begin(writer, key);
    put_text(writer->out, text);
}

void json_write_bool(struct json_writer *writer, const char *key, bool truth)
{
    json_write_raw(writer, key, truth ? "true" : "false");
}

void json_write_raw(struct json_writer *writer, const char *key, const char *json)
{
    begin(writer, key);
    fputs(json, writer->out);
}

void json_write_integer(struct json_writer *writer, const char *key, int64_t number)
{
    begin(writer, key);
    fprintf(writer->out, "%" PRId64, number);
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
