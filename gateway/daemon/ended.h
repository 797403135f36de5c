/* Streams that a configuration no longer has are told as ended, so that what they were last is not
 * taken for what they are. */
#ifndef SLUICE_DAEMON_ENDED_H
#define SLUICE_DAEMON_ENDED_H

#include "core/clock.h"
#include "core/site.h"
#include "journal/journal.h"

/*
 * Puts an event with STATUS_REMOVED on each stream of a device or point that `site`, whose streams
 * are declared, does not have and that has not ended yet: once, whatever starts and reloads follow.
 * What ran on them is stopped. Streams of uplinks, buses and producers are theirs to end.
 */
void ended_tell(struct journal *journal, const struct site *site, const struct clock *clock);

#endif
