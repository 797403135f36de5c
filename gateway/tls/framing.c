#include "tls/framing.h"

#define LENGTH_SHIFT_MAX 21 /* four bytes of seven bits */

/* One byte of a length, the lowest first. False when it is none that is allowed. */
static bool take_length(struct framing *framing, uint8_t byte, size_t limit)
{
    if (framing->shift > LENGTH_SHIFT_MAX)
        return false;
    framing->left |= (uint32_t)(byte & 0x7f) << framing->shift;
    framing->shift = (uint8_t)(framing->shift + 7);
    framing->in_length = byte & 0x80;
    return framing->left <= limit;
}

bool framing_pass(struct framing *framing, const uint8_t *data, size_t size, size_t limit)
{
    while (size > 0) {
        if (framing->in_length) {
            if (!take_length(framing, *data, limit))
                return false;
            data++;
            size--;
        } else if (framing->left > 0) {
            size_t step = framing->left < size ? framing->left : size;

            framing->left -= (uint32_t)step;
            data += step;
            size -= step;
        } else {
            if (*data >> 4 == 0) /* no type of packet */
                return false;
            *framing = (struct framing){.in_length = true};
            data++;
            size--;
        }
    }
    return true;
}
