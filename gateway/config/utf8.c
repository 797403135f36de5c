#include "config/utf8.h"

#include <string.h>

int utf8_size(const char *text, size_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (size == 0)
        return 0;
    unsigned char first = (unsigned char)text[0];
    if (first < 0x80)
        return 1;
    int length = first >= 0xf0 && first < 0xf8   ? 4
                 : first >= 0xe0 && first < 0xf0 ? 3
                 : first >= 0xc0 && first < 0xe0 ? 2
                                                 : 0;
    if (length == 0 || (size_t)length > size)
        return 0;
    uint32_t code = first & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (next & 0x3f);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    return length;
}

size_t utf8_valid_prefix(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        int length = utf8_size(text + at, size - at);
        if (length == 0)
            break;
        at += (size_t)length;
    }
    return at;
}

size_t utf8_put(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(lead[length] | code);
    return length;
}

void utf8_cut(char *text)
{
    size_t size = strlen(text);
    size_t begin = size;
    while (begin > 0 && size - begin < 4 && ((unsigned char)text[begin - 1] & 0xc0) == 0x80)
        begin--;
    if (begin > 0 && utf8_size(text + begin - 1, size - begin + 1) == 0)
        text[begin - 1] = '\0';
}
