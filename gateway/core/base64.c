#include "core/base64.h"

#include <stdint.h>
#include <string.h>

#include "core/error.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(const void *data, size_t size, char *out)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i += 3) {
        size_t have = size - i < 3 ? size - i : 3;
        uint32_t word = (uint32_t)bytes[i] << 16 | (have > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (have > 2 ? bytes[i + 2] : 0);

        *out++ = letters[word >> 18];
        *out++ = letters[word >> 12 & 63];
        *out++ = have > 1 ? letters[word >> 6 & 63] : '=';
        *out++ = have > 2 ? letters[word & 63] : '=';
    }
    *out = '\0';
}

int base64_read(const char *text, size_t text_size, void *out, size_t *size)
{
    uint8_t *bytes = out;
    size_t padding = 0;

    *size = 0;
    if (text_size % 4 != 0)
        return ERR_INVALID;
    while (padding < 2 && text_size > padding && text[text_size - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < text_size; i += 4) {
        size_t have = i + 4 == text_size ? 4 - padding : 4;
        uint32_t word = 0;

        for (size_t j = 0; j < have; j++) {
            const char *letter = text[i + j] ? strchr(letters, text[i + j]) : NULL;
            if (!letter)
                return ERR_INVALID;
            word |= (uint32_t)(letter - letters) << (18 - 6 * j);
        }
        for (size_t j = 0; j + 1 < have; j++)
            bytes[(*size)++] = (uint8_t)(word >> (16 - 8 * j));
    }
    return 0;
}
