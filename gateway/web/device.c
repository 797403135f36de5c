#include "web/device.h"

#include <string.h>

static bool sign(const char *password_hash, const char *number, char signature[KEY_TEXT_SIZE])
{
    uint8_t digest[DIGEST_SIZE];

    if (!digest_keyed(password_hash, strlen(password_hash), number, DEVICE_NUMBER_SIZE - 1, digest))
        return false;
    key_print(digest, signature);
    return true;
}

bool device_mark(const char *password_hash, char mark[DEVICE_MARK_SIZE])
{
    char number[KEY_TEXT_SIZE];

    if (!key_make(number))
        return false;
    number[DEVICE_NUMBER_SIZE - 1] = '\0';
    memcpy(mark, number, DEVICE_NUMBER_SIZE - 1);
    mark[DEVICE_NUMBER_SIZE - 1] = '.';
    return sign(password_hash, number, mark + DEVICE_NUMBER_SIZE);
}

bool device_fits(const char *password_hash, const char *mark, char number[DEVICE_NUMBER_SIZE])
{
    char signature[KEY_TEXT_SIZE];

    if (strlen(mark) != DEVICE_MARK_SIZE - 1 || mark[DEVICE_NUMBER_SIZE - 1] != '.')
        return false;
    memcpy(number, mark, DEVICE_NUMBER_SIZE - 1);
    number[DEVICE_NUMBER_SIZE - 1] = '\0';
    return sign(password_hash, number, signature) &&
           key_equal(signature, mark + DEVICE_NUMBER_SIZE);
}
