#include "web/passphrase.h"

#include "core/error.h"
#include "web/reply.h"

/* Of a hexadecimal digit; -1 for what is none. */
static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

int passphrase_decode(const char *value, char *out, size_t size)
{
    size_t used = 0;

    for (; *value; value++) {
        int letter = (unsigned char)*value;

        if (letter == '%') {
            int high = digit_value(value[1]), low = high < 0 ? -1 : digit_value(value[2]);

            letter = low < 0 ? 0 : high * 16 + low;
            value += 2;
        } else if (letter > 0x7f) {
            letter = 0;
        }
        if (letter == 0)
            return ERR_INVALID;
        if (used + 1 == size)
            return ERR_TOO_LARGE;
        out[used++] = (char)letter;
    }
    out[used] = '\0';
    return 0;
}

int passphrase_take(const struct http_request *request, char room[PASSPHRASE_SIZE_MAX],
                    const char **passphrase, struct http_reply *reply)
{
    const char *value = http_header(request, PASSPHRASE_HEADER);
    int error = value ? passphrase_decode(value, room, PASSPHRASE_SIZE_MAX) : 0;

    *passphrase = value ? room : NULL;
    if (error == ERR_INVALID)
        reply_error(reply, 400,
                    "the header X-Sluice-Passphrase takes UTF-8 with a percent sign and two "
                    "digits for what is not ASCII, and for a percent sign");
    else if (error)
        reply_error(reply, 400, "the passphrase is too long: at most 255 bytes are expected");
    return error;
}
