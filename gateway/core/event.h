/*
 * The event: the one value that every part of Sluice produces, stores and consumes. See
 * docs/journal-format.md for its stored form.
 */
#ifndef SLUICE_CORE_EVENT_H
#define SLUICE_CORE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_SIZE_MAX          64   /* an id with its terminating zero: a-z 0-9 - _ */
#define EVENT_VALUE_SIZE_MAX 4096 /* bytes of a text or bytes value */

/* Stored in the journal: values are fixed. */
enum event_kind {
    EVENT_READING = 1,
    EVENT_STATE = 2,   /* bool: a device or uplink is up or down; status tells why */
    EVENT_ALARM = 3,   /* text */
    EVENT_COMMAND = 4, /* bytes: what is to be done and who says so, see command.h */
    EVENT_RESULT = 5,  /* bytes: what came of a command, see command.h */
    EVENT_GAP = 6,     /* gap: what was dropped, how many, why */
    EVENT_CLOCK = 7,   /* the wall clock was set or stepped: i64, new offset minus old in ns */
    EVENT_CONFIG = 8,  /* text: fingerprint of the configuration applied, or what a driver learnt */
    EVENT_LIFECYCLE = 9, /* text: "start VERSION", "stop", "epoch PREVIOUS LAST_N WHY" */
    EVENT_DECLARE = 10,  /* bytes: a stream's declaration, see stream.h */
};

/* Stored in the journal: values are fixed. */
enum value_type {
    VALUE_NONE = 0,
    VALUE_BOOL = 1,
    VALUE_I64 = 2,
    VALUE_U64 = 3,
    VALUE_F64 = 4,
    VALUE_TEXT = 5, /* UTF-8, not terminated */
    VALUE_BYTES = 6,
    VALUE_GAP = 7,
};

/* How many digits after the point a double is written with, or one of: */
#define DECIMALS_SHORTEST     (-1) /* the shortest form that reads back as the same double */
#define DECIMALS_SHORTEST_F32 (-2) /* the shortest form that reads back as the same float */
#define DECIMALS_MAX          9

/* Stored in the journal: values are fixed. */
enum gap_reason {
    GAP_CRASH = 1,     /* an unclean start: `extent_ms` of events may be missing */
    GAP_RETENTION = 2, /* dropped by the written policy */
    GAP_OVERLOAD = 3,  /* a bus's ring was full: the newest were refused */
    GAP_DAMAGE = 4,    /* a stretch of the journal could not be read */
    GAP_POISON = 5,    /* refused for good by a broker; dead-lettered */
    GAP_STORAGE = 6,   /* the disk was full or failing */
};

struct gap {
    uint64_t first, last; /* n of the first and last event lost; 0, 0 where they never had one */
    uint64_t count;       /* how many events; 0 where unknown */
    uint32_t extent_ms;   /* for GAP_CRASH: the time that may be missing; for GAP_STORAGE: how long
                             before the event's own time nothing could be stored any more */
    uint8_t reason;       /* enum gap_reason */
};

struct value {
    uint8_t type;    /* enum value_type */
    int8_t decimals; /* of VALUE_F64 */
    uint16_t size;   /* of VALUE_TEXT and VALUE_BYTES */
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double f;
        const void
            *data;       /* borrowed: the header of whoever hands out the event says for how long */
        struct gap *gap; /* borrowed */
    };
};

struct event {
    uint64_t n; /* the journal's number; 0 before it is stored, and for a hole met by a reader */
    uint32_t epoch;
    uint32_t stream; /* the journal's number of the stream; 0 is the gateway itself */
    int64_t mono_ns; /* when it was read, within boot `boot`: the producer sets it */
    int64_t wall_ns; /* UTC, by the newest boot table; filled when read from the journal */
    uint32_t boot;   /* which run of the machine's monotonic clock */
    uint16_t status; /* status.h: quality and reason; 0 is good */
    uint8_t kind;    /* enum event_kind */
    uint8_t trust;   /* enum clock_trust of wall_ns */
    bool urgent;     /* commit at once; not stored */
    struct value value;
};

/* "reading", "state", ... as in the published "k"; NULL for a value that is none. */
const char *event_kind_name(enum event_kind kind);

/* "crash", "retention", ...; "unknown" for any other value, which a journal of a later version may
 * hold. */
const char *gap_reason_name(enum gap_reason reason);

/* The quality of a status: "good", "uncertain" or "bad". */
const char *event_quality(uint16_t status);

/* True when two values are the same in type and content (doubles by bits). */
bool value_equal(const struct value *a, const struct value *b);

/* Whether `id` is plain: a-z 0-9 - _, 1 to ID_SIZE_MAX - 1 bytes. */
bool id_valid(const char *id);

#endif
