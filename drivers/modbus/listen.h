/*
 * What is on a line when nobody asks anything: nothing, another master's traffic, or bytes that are
 * no frames. Pure: no I/O, no clock.
 */
#ifndef SLUICE_MODBUS_LISTEN_H
#define SLUICE_MODBUS_LISTEN_H

#include "modbus/sniff.h"

enum listen_verdict {
    LISTEN_SILENCE,    /* no byte, or a few as transceivers make */
    LISTEN_MASTER,     /* another master asks, and perhaps devices answer */
    LISTEN_REPLIES,    /* sound replies, no requests: a master that cannot be heard here */
    LISTEN_WRONG_BAUD, /* bytes that are no frames, cut up as another rate does */
    LISTEN_SWAPPED,    /* the same, as a line whose A and B are swapped does */
    LISTEN_GARBAGE,    /* too few to say which */
};

#define LISTEN_PAIRS 32 /* of unit and function that are kept */

struct listen {
    struct sniff sniff;
    struct {
        uint8_t unit, function;
        unsigned requests, replies;
    } pairs[LISTEN_PAIRS];
    size_t pair_count;
    unsigned requests, replies;
    size_t bytes, garbage;        /* bytes; of those in no frame */
    unsigned bursts, zero_topped; /* bursts of garbage; of those whose last byte has no top bit */
    size_t even;                  /* bytes without the lowest bit */
    uint8_t last;                 /* byte */
    int64_t last_ns;              /* when it came; INT64_MIN: none */
    size_t burst;                 /* its bytes */
    unsigned frames_before;       /* that were there when it began */
};

void listen_init(struct listen *listen, enum sniff_protocol protocol, int64_t byte_ns);
void listen_feed(struct listen *listen, int64_t mono_ns, const uint8_t *bytes, size_t size);

/* Nothing more comes. */
enum listen_verdict listen_end(struct listen *listen);

/* One word of a verdict, for JSON ("silence", "master", ...), and a sentence that says what it
 * means and what to look at. */
const char *listen_word(enum listen_verdict verdict);
const char *listen_sentence(enum listen_verdict verdict);

#endif
