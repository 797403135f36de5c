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

/*
 * Whether a packet may begin so that comes from a broker to a client which publishes and subscribes
 * with QoS 0 and 1 and does not authenticate in steps. To others the client library does what the
 * answered packet is not made for: where a PUBREC comes for one of QoS 1 it uses the message after
 * it has freed it.
 */
static bool may_come(uint8_t first)
{
    switch (first) {
    case 0x20: /* CONNACK */
    case 0x40: /* PUBACK */
    case 0x90: /* SUBACK */
    case 0xB0: /* UNSUBACK */
    case 0xD0: /* PINGRESP */
    case 0xE0: /* DISCONNECT */
        return true;
    default: /* PUBLISH, but for QoS 2 and 3 */
        return first >> 4 == 3 && !(first & 0x04);
    }
}

/* What of MQTT it is that may not come. NULL: nothing. */
static const char *name_of(uint8_t first)
{
    switch (first) {
    case 0x50:
        return "PUBREC for QoS 1";
    case 0x62:
        return "PUBREL";
    case 0x70:
        return "PUBCOMP";
    case 0xF0:
        return "AUTH";
    default:
        return (first & 0xF6) == 0x34 ? "PUBLISH of QoS 2" : NULL;
    }
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
            if (!may_come(*data)) {
                framing->unwanted = framing->begun ? name_of(*data) : NULL;
                return false;
            }
            *framing = (struct framing){.in_length = true, .begun = true};
            data++;
            size--;
        }
    }
    return true;
}
