/*
 * Lending a bus to a program that wants its port for a while: sluice scan and assign. A lease ends
 * by itself, so that a program that died gets no bus stopped for good.
 */
#ifndef SLUICE_DAEMON_LEND_H
#define SLUICE_DAEMON_LEND_H

#include "core/text.h"
#include "daemon/running.h"
#include "web/api.h"

#define LEND_MOST_NS (60 * NS_PER_S) /* of one lease; it may be renewed */

/* api_source.lend; `context` is a struct running. Thread-safe. */
int lend_bus(void *context, const struct api_lease *lease, struct text *answer);

/* The running bus of that id, or with that port or host (either may be NULL). With running->lock
 * held. */
struct running_bus *lend_find_bus(struct running *running, const char *id, const char *port);

/* Whether its frames are ones that can be told. */
bool lend_is_modbus(const struct site_bus *bus);

/* Writes ,"lent":{...} of a bus that is lent, for the status. */
void lend_status(struct text *text, const struct running_bus *entry, int64_t now_mono_ns);

#endif
