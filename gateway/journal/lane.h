/*
 * A lane: a bounded single-producer ring into the journal's writer. One per bus, so that a noisy
 * bus crowds out nobody else.
 */
#ifndef SLUICE_JOURNAL_LANE_H
#define SLUICE_JOURNAL_LANE_H

#include "journal/journal.h"

struct lane;

/* `size_bytes` of ring, rounded up to a power of two (0: 256 KiB). ERR_NOMEM. Any thread. */
int lane_open(struct lane **lane, struct journal *journal, size_t size_bytes);

/* Waits until what it holds is taken by the writer, then frees. The producer must have stopped. */
void lane_close(struct lane *lane);

/*
 * Puts events, copying their values; one producer thread at a time, never blocks. Sets nothing in
 * the events. Returns how many were taken; the rest were refused, are counted, and stored as a gap
 * when there is room again.
 */
size_t lane_put(struct lane *lane, const struct event *events, size_t count);

#endif
