/*
 * A journal of a few events in memory and a broker without a network, in the place of the journal's
 * and the MQTT client's functions: for tests of what lies between. One of each a program.
 */
#ifndef TESTS_FAKE_JOURNAL_H
#define TESTS_FAKE_JOURNAL_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"
#include "core/status.h"
#include "journal/cursor.h"
#include "journal/reader.h"

#define FAKE_EVENTS_MAX 4000

enum fate { FATE_NONE, FATE_ACKED, FATE_DROPPED };

static struct {
    pthread_mutex_t lock;
    struct event events[FAKE_EVENTS_MAX + 1]; /* by n */
    uint64_t count, low, position;
    uint8_t fates[FAKE_EVENTS_MAX + 1]; /* enum fate */
    uint8_t reasons[FAKE_EVENTS_MAX + 1];
    uint64_t acked_above_low; /* moves of the cursor that left a hole below */
    struct gap hole;          /* stored once, now missing */
    struct gap told;          /* what the reader lends out */
    enum clock_trust trust;   /* of the clock now */
    int states_up, states_down, alarms, alarms_over;
    unsigned down; /* status of the last state that said so */
    char alarm[512];
    enum cursor_start start; /* of the cursor, where it had no place yet */
    int watch;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER, .watch = -1};

static const struct stream fake_stream = {
    .number = 1, .type = VALUE_I64, .device = "boiler", .point = "flow", .unit = "l"};

static inline void fake_reset(void)
{
    pthread_mutex_lock(&fake.lock);
    memset(fake.events, 0, sizeof(fake.events));
    memset(fake.fates, 0, sizeof(fake.fates));
    memset(fake.reasons, 0, sizeof(fake.reasons));
    memset(&fake.hole, 0, sizeof(fake.hole));
    fake.count = fake.acked_above_low = 0;
    fake.low = fake.position = 1;
    fake.trust = CLOCK_SYNCHRONISED;
    fake.states_up = fake.states_down = fake.alarms = fake.alarms_over = 0;
    pthread_mutex_unlock(&fake.lock);
}

static inline struct event *fake_add(enum event_kind kind)
{
    uint64_t n = ++fake.count;

    fake.events[n] = (struct event){.n = n,
                                    .epoch = 0xab,
                                    .stream = 1,
                                    .kind = (uint8_t)kind,
                                    .boot = 1,
                                    .wall_ns = INT64_C(1795448359120000000),
                                    .trust = CLOCK_SYNCHRONISED,
                                    .value = {.type = VALUE_I64, .i = (int64_t)n}};
    return &fake.events[n];
}

static inline uint64_t fake_low(void)
{
    uint64_t low;

    pthread_mutex_lock(&fake.lock);
    low = fake.low;
    pthread_mutex_unlock(&fake.lock);
    return low;
}

int reader_open(struct reader **reader, struct journal *journal, uint64_t n)
{
    (void)journal;
    *reader = (struct reader *)&fake;
    fake.position = n;
    return 0;
}

void reader_close(struct reader *reader)
{
    (void)reader;
}

int reader_next(struct reader *reader, struct event *event)
{
    int rc = 0;

    (void)reader;
    pthread_mutex_lock(&fake.lock);
    if (fake.hole.last >= fake.position && fake.hole.first <= fake.position) {
        fake.told = fake.hole;
        fake.told.first = fake.position;
        fake.told.count = fake.told.last - fake.told.first + 1;
        *event = (struct event){
            .kind = EVENT_GAP, .epoch = 0xab, .value = {.type = VALUE_GAP, .gap = &fake.told}};
        fake.position = fake.hole.last + 1;
        rc = 1;
    } else if (fake.position <= fake.count) {
        *event = fake.events[fake.position++];
        rc = 1;
    }
    pthread_mutex_unlock(&fake.lock);
    return rc;
}

uint64_t reader_position(const struct reader *reader)
{
    (void)reader;
    return fake.position;
}

void reader_seek(struct reader *reader, uint64_t n)
{
    (void)reader;
    pthread_mutex_lock(&fake.lock);
    fake.position = n;
    pthread_mutex_unlock(&fake.lock);
}

int cursor_open(struct cursor **cursor, struct journal *journal, const char *name,
                enum cursor_start start)
{
    (void)journal;
    (void)name;
    fake.start = start;
    *cursor = (struct cursor *)&fake;
    return 0;
}

void cursor_close(struct cursor *cursor)
{
    (void)cursor;
}

uint64_t cursor_low(const struct cursor *cursor)
{
    (void)cursor;
    return fake_low();
}

uint64_t cursor_resume(const struct cursor *cursor)
{
    return cursor_low(cursor);
}

static inline void fake_move(uint64_t first, uint64_t last, enum fate fate, uint8_t reason)
{
    pthread_mutex_lock(&fake.lock);
    if (first > fake.low)
        fake.acked_above_low++;
    for (uint64_t n = first; n <= last && n <= FAKE_EVENTS_MAX; n++) {
        if (fake.fates[n] == FATE_NONE) {
            fake.fates[n] = (uint8_t)fate;
            fake.reasons[n] = reason;
        }
    }
    while (fake.low <= FAKE_EVENTS_MAX && fake.fates[fake.low] != FATE_NONE)
        fake.low++;
    pthread_mutex_unlock(&fake.lock);
}

int cursor_ack(struct cursor *cursor, uint64_t first, uint64_t last)
{
    (void)cursor;
    fake_move(first, last, FATE_ACKED, 0);
    return 0;
}

int cursor_drop(struct cursor *cursor, uint64_t first, uint64_t last, enum gap_reason reason)
{
    (void)cursor;
    fake_move(first, last, FATE_DROPPED, (uint8_t)reason);
    return 0;
}

void cursor_each(const struct journal *journal,
                 void (*each)(void *context, const struct cursor_ledger *ledger), void *context)
{
    (void)journal;
    (void)each;
    (void)context;
}

int journal_declare(struct journal *journal, struct stream *stream)
{
    (void)journal;
    stream->number = 2;
    return 0;
}

const struct stream *journal_stream(const struct journal *journal, uint32_t number,
                                    struct stream *stream)
{
    (void)journal;
    if (number != 1)
        return NULL;
    *stream = fake_stream;
    return stream;
}

uint32_t journal_stream_count(const struct journal *journal)
{
    (void)journal;
    return 1;
}

uint32_t journal_find(const struct journal *journal, const char *device, const char *point)
{
    (void)journal;
    (void)device;
    (void)point;
    return 0;
}

int journal_put(struct journal *journal, const struct event *event)
{
    (void)journal;
    pthread_mutex_lock(&fake.lock);
    if (event->kind == EVENT_STATE && event->value.b) {
        fake.states_up++;
    } else if (event->kind == EVENT_STATE) {
        fake.states_down++;
        fake.down = event->status;
    }
    if (event->kind == EVENT_ALARM && event->status == STATUS_OVER) {
        fake.alarms_over++;
    } else if (event->kind == EVENT_ALARM) {
        fake.alarms++;
        snprintf(fake.alarm, sizeof(fake.alarm), "%.*s", (int)event->value.size,
                 (const char *)event->value.data);
    }
    pthread_mutex_unlock(&fake.lock);
    return 0;
}

uint64_t journal_durable(const struct journal *journal, uint32_t *epoch)
{
    (void)journal;
    if (epoch)
        *epoch = 0xab;
    return fake.count;
}

int journal_stream_ledger(const struct journal *journal, uint32_t number,
                          struct journal_stream_ledger *ledger)
{
    (void)journal;
    *ledger = (struct journal_stream_ledger){0};
    pthread_mutex_lock(&fake.lock);
    for (uint64_t n = 1; n <= fake.count; n++)
        if (fake.events[n].stream == number && fake.events[n].kind == EVENT_READING)
            ledger->last_n = n;
    pthread_mutex_unlock(&fake.lock);
    return 0;
}

void journal_previous(const struct journal *journal, struct journal_previous *previous)
{
    (void)journal;
    *previous = (struct journal_previous){0};
}

enum clock_trust journal_wall(const struct journal *journal, uint32_t boot, int64_t mono_ns,
                              int64_t *wall_ns)
{
    enum clock_trust trust;

    (void)journal;
    (void)boot;
    (void)mono_ns;
    pthread_mutex_lock(&fake.lock);
    trust = fake.trust;
    pthread_mutex_unlock(&fake.lock);
    *wall_ns = trust == CLOCK_UNSET ? 0 : INT64_C(1795448359120000000);
    return trust;
}

void journal_stats(const struct journal *journal, struct journal_stats *stats)
{
    (void)journal;
    *stats = (struct journal_stats){.epoch = 0xab, .boot = 1, .newest = fake.count};
}

int journal_watch(struct journal *journal)
{
    (void)journal;
    fake.watch = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fake.watch;
}

void journal_unwatch(struct journal *journal, int fd)
{
    (void)journal;
    close(fd);
    fake.watch = -1;
}

#endif
