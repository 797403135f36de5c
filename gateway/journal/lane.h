/*
 * A lane: a bounded single-producer ring into the journal's writer. One per bus, so that a noisy
 * bus crowds out nobody else.
 */
#ifndef SLUICE_JOURNAL_LANE_H
#define SLUICE_JOURNAL_LANE_H

#include "journal/journal.h"

struct lane;

/* `size_bytes` of ring, rounded up to a power of two (0: 256 KiB, which holds 8,192 readings).
 * ERR_NOMEM, ERR_FULL (8,191 at most). Any thread. */
int lane_open(struct lane **lane, struct journal *journal, size_t size_bytes);

/* Waits until the writer has taken what it holds, then frees; NULL is fine. The producer must have
 * stopped. What a failing or hanging disk leaves in it is counted as refused. */
void lane_close(struct lane *lane);

/*
 * Puts events, copying their values; one producer thread at a time, never blocks. Sets nothing in
 * the events. Returns how many were taken: the first ones. From the first one on that there is no
 * room for, or that cannot be stored (see journal_put), the rest is refused, counted, and stored as
 * a gap when there is room again.
 */
size_t lane_put(struct lane *lane, const struct event *events, size_t count);

/* The same for what the producer puts again when it is refused: that is not counted, and no gap. */
size_t lane_offer(struct lane *lane, const struct event *events, size_t count);

#endif
