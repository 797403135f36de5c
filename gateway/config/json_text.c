/* What holds for the bytes of a file and for a number, whoever reads them. */
#include <stdio.h>
#include <string.h>

#include "config/json.h"
#include "config/utf8.h"

bool json_text_readable(const char *text, size_t size, json_tell_fn *tell, void *context)
{
    struct json_place at = {1, 1};
    char sentence[96];
    if (size > JSON_SIZE_MAX) {
        snprintf(sentence, sizeof(sentence), "the file is larger than %d MiB", JSON_SIZE_MAX >> 20);
        tell(context, at, sentence);
        return false;
    }
    size_t valid = utf8_valid_prefix(text, size);
    if (valid == size)
        return true;
    if (valid == 0 && size > 1 &&
        (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        tell(context, at, "the file is UTF-16: save it as UTF-8");
        return false;
    }
    for (size_t i = 0; i < valid; i++) {
        if (text[i] == '\n') {
            at.line++;
            at.column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            at.column++;
        }
    }
    snprintf(sentence, sizeof(sentence), "byte 0x%02x is not UTF-8: save the file as UTF-8",
             (unsigned)(unsigned char)text[valid]);
    tell(context, at, sentence);
    return false;
}

bool json_number_valid(const char *text)
{
    text += *text == '-';
    if (*text == '0')
        text++;
    else if (*text >= '1' && *text <= '9')
        text += strspn(text, "0123456789");
    else
        return false;
    if (*text == '.') {
        size_t digits = strspn(++text, "0123456789");
        if (digits == 0)
            return false;
        text += digits;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '+' || *text == '-';
        size_t digits = strspn(text, "0123456789");
        if (digits == 0)
            return false;
        text += digits;
    }
    return *text == '\0';
}
