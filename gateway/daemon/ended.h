/* Streams that a configuration no longer has are told as ended, so that what they were last is not
 * taken for what they are. */
#ifndef SLUICE_DAEMON_ENDED_H
#define SLUICE_DAEMON_ENDED_H

#include "config/config.h"
#include "core/clock.h"
#include "journal/journal.h"

/*
 * Puts an event on each stream of a device, point or uplink that `config`, whose devices' streams
 * are declared, does not have and that has not ended yet: once, whatever starts and reloads follow.
 * Its status is STATUS_RENAMED where the configuration has it under another id ("was"), else
 * STATUS_REMOVED. What ran on them is stopped. Streams of buses and producers are theirs to end.
 */
void ended_tell(struct journal *journal, const struct config *config, const struct clock *clock);

#endif
