/*
 * The newest events that are no readings, as lines of JSON, for viewers that are up to date.
 * Whoever is further behind reads the journal. Not thread-safe.
 */
#ifndef SLUICE_WEB_LIVE_RING_H
#define SLUICE_WEB_LIVE_RING_H

#include "core/text.h"
#include "journal/journal.h"

#define LIVE_RING_LINES 256
#define LIVE_RING_SIZE  (128 * 1024)

struct live_ring {
    char *bytes;          /* LIVE_RING_SIZE */
    uint64_t begin, end;  /* bytes written since the ring was opened; `begin` of the oldest line */
    uint64_t from_n;      /* every event from this one on is in it, as far as it was put */
    uint64_t first, next; /* numbers of the lines that are held */
    struct {
        uint64_t n, at;
        uint32_t epoch;
        uint32_t size;
    } lines[LIVE_RING_LINES];
};

/* Begins with what comes behind event `n`. ERR_NOMEM. */
int live_ring_open(struct live_ring *ring, uint64_t n);
void live_ring_close(struct live_ring *ring);

/* Whether viewers are told of an event. */
bool live_ring_tells(const struct event *event);

/* Adds an event; older ones make room. */
void live_ring_put(struct live_ring *ring, const struct journal *journal,
                   const struct event *event);

/* The line of the first event from `n` on. Returns its number and fills the rest in; 0: none. The
 * text may be in two parts. */
struct live_line {
    uint64_t n;
    uint32_t epoch;
    const char *parts[2];
    size_t sizes[2];
};
bool live_ring_get(const struct live_ring *ring, uint64_t n, struct live_line *line);

#endif
