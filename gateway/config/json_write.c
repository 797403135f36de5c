#include "config/json_write.h"

#include <inttypes.h>
#include <string.h>

#include "core/text.h"

#define PIECE 160 /* bytes of a text that are quoted at a time */

/* How much of the text is the next piece: no character is parted, as far as there are any. */
static size_t piece_of(const char *text, size_t size)
{
    size_t piece = PIECE;

    if (size <= PIECE)
        return size;
    while (piece > PIECE - 4 && ((unsigned char)text[piece] & 0xC0) == 0x80)
        piece--;
    return piece;
}

/* However long it is, that takes no memory which may not be there. */
static void put_text(FILE *out, const char *text)
{
    char quoted[6 * PIECE + 3];
    size_t size = strlen(text), piece;

    fputc('"', out);
    for (size_t at = 0; at < size; at += piece) {
        struct text writer;

        piece = piece_of(text + at, size - at);
        text_init(&writer, quoted, sizeof quoted);
        text_json_string(&writer, text + at, piece);
        fwrite(quoted + 1, 1, writer.size - 2, out); /* without its quotes */
    }
    fputc('"', out);
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
