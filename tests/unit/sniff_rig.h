/* What a sniff hears, as lines of words or JSON. */
#ifndef TESTS_SNIFF_RIG_H
#define TESTS_SNIFF_RIG_H

#include "core/clock.h"
#include "modbus/describe.h"

#define BYTE_NS (1146 * NS_PER_US) /* 9600 baud, 11 bits */

struct heard {
    char lines[8192];
    struct text text;
    bool json;
};

static inline void note(void *context, const struct sniff_frame *frame)
{
    struct heard *heard = context;

    if (heard->json)
        describe_json(&heard->text, frame);
    else
        describe_words(&heard->text, frame);
    text_string(&heard->text, "\n");
}

static inline void begin(struct heard *heard, struct sniff *sniff, enum sniff_protocol protocol)
{
    heard->json = false;
    text_init(&heard->text, heard->lines, sizeof heard->lines);
    sniff_init(sniff, protocol, BYTE_NS, note, heard);
}

static inline size_t rtu(uint8_t *bytes, uint8_t unit, const void *pdu, size_t size)
{
    return frames_rtu.encode(unit, pdu, size, bytes);
}

/* A frame whose function nobody knows, so that nothing but its checksum tells where it ends. */
static inline size_t rtu_unknown(uint8_t *bytes)
{
    static const uint8_t pdu[] = {100, 1, 2, 3, 4, 5};

    return rtu(bytes, 7, pdu, sizeof pdu);
}

static const uint8_t ask[] = {3, 0, 100, 0, 2}, answer[] = {3, 4, 0, 1, 0xFF, 0xFF};

#endif
