/*
 * Where MQTT packets begin, of which type and how long they are, in a stream of bytes: the client
 * library buffers whole packets of whatever length a broker announces, and takes some types that
 * must not come for others, so that somebody must look before it does.
 */
#ifndef SLUICE_TLS_FRAMING_H
#define SLUICE_TLS_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero at the begin of a stream. */
struct framing {
    uint32_t left; /* bytes of the packet that are still to come */
    uint8_t shift; /* of the next byte of the length */
    bool in_length;
    bool begun;           /* a packet has come */
    const char *unwanted; /* the one at which it ended, where MQTT has it but nothing asked for it
                             here, by its name; NULL: none, or not MQTT, or too long */
};

/* The next bytes of the stream. False when a packet in them is longer than `limit` behind its
 * length, or its type or length cannot be what a broker answers: the stream is of no use from there
 * on. */
bool framing_pass(struct framing *framing, const uint8_t *data, size_t size, size_t limit);

#endif
