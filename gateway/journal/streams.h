/*
 * The table of streams: declarations, the newest value and the counters of each. Numbers rise
 * from 1. 96 bytes a stream, since there may be a hundred thousand of them: what many have in
 * common (the device's id; what points of devices of one model are called and measured in) is kept
 * once, in a pool, and a text has its size where its bytes are. Declaring is thread-safe, looking
 * up takes no lock; the newest values are the writer thread's alone.
 */
#ifndef SLUICE_JOURNAL_STREAMS_H
#define SLUICE_JOURNAL_STREAMS_H

#include "core/event.h"
#include "core/pool.h"
#include "core/stream.h"

#include <pthread.h>
#include <stdatomic.h>

#define STREAMS_PER_CHUNK  256
#define STREAMS_CHUNKS_MAX 1024
#define STREAMS_MAX        (STREAMS_PER_CHUNK * STREAMS_CHUNKS_MAX)

/* What points of many devices have in common. */
struct stream_about {
    const char *point, *name, *unit;
    uint8_t type;
    int8_t decimals;
};

/* A newest value that is text or bytes. */
struct stream_text {
    uint16_t size, room;
    uint8_t bytes[];
};

struct stream_entry {
    const char *device;
    const struct stream_about *about;
    uint32_t number;
    uint32_t earlier; /* the next entry of the same hash, older than this; 0 ends */
    uint16_t version;
    /* The newest reading or state, when last_n is not 0. */
    _Atomic uint16_t last_status;
    uint8_t last_kind, last_trust, last_type;
    uint32_t last_epoch, last_boot;
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double f;
        struct stream_text *text; /* the entry's own, where last_type says text or bytes */
    } last;
    int64_t last_mono_ns;
    _Atomic uint64_t last_n;
    _Atomic int64_t last_wall_ns;
    _Atomic uint64_t stored;
};
_Static_assert(sizeof(struct stream_entry) <= 80, "a stream is 80 bytes");

/* How many events of a stream were refused. All zero until there is one: written only then. */
struct stream_refused {
    _Atomic uint64_t count;
    uint64_t stored; /* as the journal has it; the writer's */
};

#define STREAM_LEARNT_SIZE_MAX 2048 /* a longer text is not kept */

/* What a driver learnt last about a device, by the stream of its states. */
struct stream_learnt {
    struct stream_learnt *next;
    uint32_t number;
    uint16_t size;
    char text[];
};

struct streams {
    pthread_mutex_t mutex; /* for adding, and for what was learnt */
    _Atomic uint32_t count;
    uint32_t *hash; /* numbers of the newest entries, by hash of device and point */
    uint32_t hash_size;
    struct pool texts; /* and what is about them */
    struct stream_chunk *_Atomic chunks[STREAMS_CHUNKS_MAX];
    struct stream_learnt *learnt; /* in the order in which devices were first heard of */
};

int streams_init(struct streams *streams);
void streams_clear(struct streams *streams);

/* Finds the declaration or adds it, filling in number and version. 0, 1 when it was added,
 * ERR_NOMEM, ERR_FULL. */
int streams_declare(struct streams *streams, struct stream *stream);

/* The number of the newest declaration of a device and point; 0 for none. Thread-safe. */
uint32_t streams_find(struct streams *streams, const char *device, const char *point);

/* Adds a declaration that the journal holds under its number, unless that is known already. 0,
 * ERR_CORRUPT, ERR_NOMEM. */
int streams_restore(struct streams *streams, const struct stream *stream);

/* Both are NULL for a number that is none. */
struct stream_entry *streams_get(const struct streams *streams, uint32_t number);
struct stream_refused *streams_refused(const struct streams *streams, uint32_t number);
uint32_t streams_count(const struct streams *streams);

/* Bytes of the newest value beside the entry. */
size_t stream_entry_text_size(const struct stream_entry *entry);

void stream_entry_describe(const struct stream_entry *entry, struct stream *stream);

/* Keeps what was learnt about the device of a stream, in place of what was before. 0, ERR_NOMEM. */
int streams_learn(struct streams *streams, uint32_t number, const void *text, size_t size);

/* Copies it and returns its size; 0 when there is none, or when it does not fit. Thread-safe. */
size_t streams_learnt(struct streams *streams, uint32_t number, char *out, size_t size);

/* Takes a reading or state as the newest value. A text for which there is no memory leaves the
 * value before. */
void stream_entry_take(struct stream_entry *entry, const struct event *event);

/* The newest value as an event; borrows text from the entry. False when there is none. */
bool stream_entry_event(const struct stream_entry *entry, struct event *event);

#endif
