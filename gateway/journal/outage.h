/*
 * The note of an outage: what a journal that cannot store anything has to remember of that, in a
 * small file whose blocks were written long before, so that a full disk takes it
 * (docs/journal-format.md, "The note of an outage"). One thread at a time, unless said otherwise.
 */
#ifndef SLUICE_JOURNAL_OUTAGE_H
#define SLUICE_JOURNAL_OUTAGE_H

#include "core/event.h"
#include "journal/io.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define OUTAGE_FILE_SIZE    8192 /* two notes, written in turn */
#define OUTAGE_NAME         "outage"
#define OUTAGE_RECORDS_ROOM 3840 /* behind a note: cursors, what was refused of each stream */

struct outage_note {
    uint64_t number;     /* rises by one with each note; 0: there is none */
    uint64_t durable_n;  /* the newest durable event, */
    uint64_t numbered_n; /* and the newest that was given a number: those between are lost, too */
    uint64_t waiting;    /* events in memory that have no number yet */
    /* Since the journal began, whether gap events told of them or not. */
    uint64_t storage;   /* events refused because nothing could be stored */
    uint64_t overload;  /* events refused because a ring was full */
    int64_t since_ns;   /* wall clock: when the outage began, */
    int64_t written_ns; /* and when the note was written */
    uint32_t epoch;     /* of the newest durable event */
    uint8_t trust;      /* enum clock_trust of the wall clock */
    bool ended;         /* the process ended behind it: nothing more was read */
    bool crashed;       /* one before it did not, and what that may have cost is not told yet */
    char why[64];       /* the error's words */
    size_t records_size;
    uint8_t records[OUTAGE_RECORDS_ROOM];
};

/* Where notes go: the journal's folder, and where that takes none, another medium. */
struct outage_file {
    struct outage_place {
        const struct io *io; /* NULL: there is no such place */
        struct io_file *file;
        bool failed; /* a write or sync has failed: it is not written any more */
        char name[sizeof(OUTAGE_NAME) + ID_SIZE_MAX];
    } places[2];
    pthread_mutex_t mutex; /* held while a note is written */
    char gateway_id[ID_SIZE_MAX];
    _Atomic uint64_t number; /* of the newest note */
};

/* `refuge` NULL: there is none. Both outlive the file. */
void outage_init(struct outage_file *file, const struct io *io, const struct io *refuge,
                 const char *gateway_id);

/* Makes the file in the journal's folder where there is none yet, and reads the newest note of both
 * places into *newest. A note of another gateway counts as none. */
void outage_open(struct outage_file *file, struct outage_note *newest);

/* Writes the note with the next number, which is filled in. 0, or the error of the last place that
 * was tried. With `hangs` only the refuge is tried: that may be called while another thread writes
 * a note, and gives up with ERR_BUSY then. */
int outage_write(struct outage_file *file, struct outage_note *note, bool hangs);

/* How many of the events that waited when the note was written were not found in the journal, whose
 * newest event is number `last_n`. */
uint64_t outage_unstored(const struct outage_note *note, uint64_t last_n);

/* The outage is over: a place that has failed may be tried again in the next one. */
void outage_rest(struct outage_file *file);

void outage_close(struct outage_file *file);

#endif
