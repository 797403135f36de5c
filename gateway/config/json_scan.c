/* From one thing that counts to the next: places, blanks, comments, and what is told. */
#include <stdarg.h>
#include <stdio.h>

#include "config/json_inside.h"
#include "config/utf8.h"

struct json_place json_here(struct json_reader *reader)
{
    for (; reader->mark < reader->at; reader->mark++)
        if (((unsigned char)*reader->mark & 0xc0) != 0x80)
            reader->place.column++;
    return reader->place;
}

void json_tell(const struct json_reader *reader, struct json_place at, const char *format, ...)
{
    char sentence[256];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof(sentence), format, list);
    va_end(list);
    utf8_cut(sentence);
    reader->tell(reader->context, at, sentence);
}

const char *json_shown(const struct json_reader *reader, char out[16])
{
    if (reader->at == reader->end) {
        snprintf(out, 16, "the end");
    } else if ((unsigned char)*reader->at < 0x20 || *reader->at == 0x7f) {
        snprintf(out, 16, "byte 0x%02x", (unsigned)(unsigned char)*reader->at);
    } else {
        int size = utf8_size(reader->at, (size_t)(reader->end - reader->at));
        snprintf(out, 16, "'%.*s'", size, reader->at);
    }
    return out;
}

static bool skip_comment(struct json_reader *reader)
{
    struct json_place begin = json_here(reader);
    if (reader->end - reader->at < 2 || (reader->at[1] != '/' && reader->at[1] != '*')) {
        json_tell(reader, begin, "a single '/': comments begin with // or /*");
        return false;
    }
    bool block = reader->at[1] == '*';
    for (reader->at += 2; reader->at < reader->end; reader->at++) {
        if (*reader->at == '\n') {
            if (!block)
                return true;
            reader->place.line++;
            reader->place.column = 1;
            reader->mark = reader->at + 1;
        } else if (block && *reader->at == '*' && reader->end - reader->at > 1 &&
                   reader->at[1] == '/') {
            reader->at += 2;
            return true;
        }
    }
    if (block)
        json_tell(reader, begin, "this comment is never closed: */ is missing");
    return !block;
}

bool json_skip_space(struct json_reader *reader)
{
    while (reader->at < reader->end) {
        switch (*reader->at) {
        case '\n':
            reader->at++;
            reader->place.line++;
            reader->place.column = 1;
            reader->mark = reader->at;
            break;
        case ' ':
        case '\t':
        case '\r':
            reader->at++;
            break;
        case '/':
            if (!skip_comment(reader))
                return false;
            break;
        default:
            return true;
        }
    }
    return true;
}
