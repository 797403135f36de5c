/*
 * Whole frames out of what is heard on a line, or goes over a connection: whose traffic it is does
 * not matter. Where a frame of RTU ends is found by what it says and its checksum, not by silences,
 * since adapters and schedulers pass bytes on in lumps: a pause within a frame is no end of it
 * where the checksum over both sides is right, unless what stands behind the pause is a frame by
 * itself. Requests and replies are told apart, and a reply is brought together with its request.
 * Pure: no I/O, no clock.
 */
#ifndef SLUICE_MODBUS_SNIFF_H
#define SLUICE_MODBUS_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modbus/frames.h"
#include "modbus/mbap.h"

enum sniff_protocol { SNIFF_RTU, SNIFF_ASCII, SNIFF_TCP };

/* Which way bytes went, where that is known. */
enum sniff_way {
    SNIFF_HEARD,    /* on a line, by whomever they were sent */
    SNIFF_SENT,     /* by the master */
    SNIFF_RECEIVED, /* by the master */
};

enum sniff_kind {
    SNIFF_REQUEST,
    SNIFF_REPLY,
    SNIFF_GARBAGE,
    SNIFF_CUT, /* the beginning of a frame, whose rest nobody listened to any more */
};

/* What a request asked. Functions without address or count have 0 there. */
struct sniff_request {
    uint8_t unit, function;
    uint16_t address, count, transaction;
    int64_t end_ns;
    bool open; /* not answered yet */
};

struct sniff_frame {
    enum sniff_kind kind;
    int64_t begin_ns, end_ns; /* of its first and last byte, as far as reading tells */
    int64_t gap_ns;           /* of silence before it; -1 where nothing came before */
    int64_t pause_ns;         /* the longest within it that parts lumps; 0: none */
    const uint8_t *bytes;     /* as on the wire; valid during the call, as all pointers here */
    size_t size;
    /* Of a request or reply: */
    uint8_t unit;
    const uint8_t *pdu;
    size_t pdu_size;
    uint16_t transaction; /* of Modbus TCP */
    /* Of a reply: the request that it answers. NULL: none was heard. */
    const struct sniff_request *request;
};

typedef void sniff_fn(void *context, const struct sniff_frame *frame);

#define SNIFF_ROOM     1200 /* bytes that may wait for their frame's end */
#define SNIFF_REQUESTS 16   /* that may be open at a time; more than one over TCP only */

struct sniff_buffer {
    size_t have, garbage; /* bytes; of those, from the first on, that are none of a frame */
    int64_t garbage_ns;   /* when the garbage ended that was told right before; 0: it was none */
    uint8_t bytes[SNIFF_ROOM];
    int64_t at_ns[SNIFF_ROOM];
};

struct sniff {
    enum sniff_protocol protocol;
    int64_t byte_ns; /* on the wire, at most a second; 0: not known */
    sniff_fn *fn;
    void *context;
    int64_t last_ns; /* when the last frame or garbage ended; INT64_MIN: there was none */
    enum sniff_way way;
    struct sniff_buffer buffers[2]; /* of what was sent (and heard), and received */
    struct sniff_request requests[SNIFF_REQUESTS];
    unsigned next_request;
};

void sniff_init(struct sniff *sniff, enum sniff_protocol protocol, int64_t byte_ns, sniff_fn *fn,
                void *context);

/* Takes bytes that had all come at `mono_ns`; `fn` is called for each frame that is whole. */
void sniff_feed(struct sniff *sniff, enum sniff_way way, int64_t mono_ns, const uint8_t *bytes,
                size_t size);

/* A silence, up to `mono_ns`: tells what is whole or hopeless, and keeps what came lately and may
 * go on. sniff_feed does so itself behind sniff_silence_ns. */
void sniff_rest(struct sniff *sniff, int64_t mono_ns);

/* No more is to be hoped for: what waits is no frame, or one of a function that is not known. To be
 * called after sniff_patience_ns without bytes. */
void sniff_flush(struct sniff *sniff);

/* Nobody listens any more, from `mono_ns` on: what waits and could have become a frame is cut. */
void sniff_end(struct sniff *sniff, int64_t mono_ns);

/* Behind such a silence a frame is over as a rule: an adapter's buffer, and a few bytes. */
int64_t sniff_silence_ns(const struct sniff *sniff);

/* How long a frame can take to arrive in lumps, besides its bytes. */
int64_t sniff_patience_ns(const struct sniff *sniff);

#endif
