#include "web/key.h"

#include <string.h>
#include <sys/random.h>

bool key_make(char key[KEY_TEXT_SIZE])
{
    uint8_t bytes[DIGEST_SIZE];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    key_print(bytes, key);
    return true;
}

bool key_hash(const char *key, uint8_t hash[DIGEST_SIZE])
{
    return strlen(key) == KEY_TEXT_SIZE - 1 && digest_make(key, KEY_TEXT_SIZE - 1, hash);
}

void key_print(const uint8_t hash[DIGEST_SIZE], char out[KEY_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[KEY_TEXT_SIZE - 1] = '\0';
}

static int digit_of(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool key_parse(const char *text, uint8_t hash[DIGEST_SIZE])
{
    if (strlen(text) != KEY_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        hash[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool key_equal(const char *a, const char *b)
{
    size_t size = strlen(a);

    return size == strlen(b) && digest_equal(a, b, size);
}
