/*
 * Runs a bus: a thread for its driver, or a share in one, a lane into the journal, and the sink
 * between the two.
 */
#ifndef SLUICE_FIELD_HOST_H
#define SLUICE_FIELD_HOST_H

#include "core/clock.h"
#include "core/site.h"
#include "core/text.h"
#include "field/driver.h"
#include "field/engines.h"
#include "field/orders.h"
#include "journal/journal.h"

struct host;

/*
 * Starts the bus: its thread, or its part in the engine of its driver. The streams of `bus` are
 * declared (site_point.stream, site_device.stream); `engines`, `bus`, `journal` and `clock` outlive
 * the host. `done` (may be NULL) is told what came of commands, on the bus's thread and by
 * host_stop. Returns 0, ERR_NOMEM, or the error of the thread or the eventfd. Any thread.
 */
int host_start(struct host **host, struct engines *engines, struct journal *journal,
               const struct site_bus *bus, const struct clock *clock, orders_done_fn *done,
               void *context);

/*
 * Hands a command of this bus to its thread, which executes it ahead of polls; copied. 0, and
 * `done` will be told once; ERR_FULL, ERR_CLOSED (the driver has given up), ERR_NOMEM. Any thread.
 */
int host_command(struct host *host, const struct driver_command *command);

/*
 * Tells the driver to begin nothing any more and to return, without waiting for it: to stop many
 * buses at once, ask all, then stop each. May be called more than once. Any thread.
 */
void host_ask_stop(struct host *host);

/*
 * Asks, waits until the driver has returned, answers what commands are left, closes the lane (what
 * was read is in the journal) and frees. A driver returns at once, or when the replies that it
 * waits for have come, are overdue, or have not come for a second. NULL is fine.
 */
void host_stop(struct host *host);

/*
 * Lends the bus out: its driver lets go of its port or connection, as soon as the reply that it
 * waits for or the command that it executes is done, and goes on at that moment (monotonic).
 * Meanwhile the devices are told down and their points bad (STATUS_LENT), and commands are answered
 * so. Again with another moment: then instead; 0: now. Any thread; nobody waits.
 */
void host_lend(struct host *host, int64_t until_mono_ns);

/* Whether the bus is lent and its port or connection free, as it also is when the driver gave up.
 * Any thread. */
bool host_lent(const struct host *host);

/* Where what goes over the bus can be listened to; valid until host_stop. */
struct tap *host_tap(struct host *host);

/* The counters: one per device of the bus, in its order. Valid until host_stop. Any thread. */
struct driver_stats *host_stats(struct host *host);

/* How many points of device number `device` of the bus were bad when they were last read. Any
 * thread. */
uint32_t host_bad(const struct host *host, size_t device);

/* The same of those that were implausible. */
uint32_t host_implausible(const struct host *host, size_t device);

/* Appends what the driver has to say of device number `device` of the bus, as further members of a
 * JSON object (each behind a comma), or nothing. Any thread. */
void host_about(struct host *host, size_t device, struct text *text);

/* Has the driver forget what it learnt about device number `device` of the bus: bits of enum
 * driver_forget. Returns at once: 0, or ERR_UNSUPPORTED where the driver learns nothing. Any
 * thread. */
int host_forget(struct host *host, size_t device, unsigned what);

/*
 * How long the thread of the bus has owed a sign of life: near 0 while its driver polls, waits for
 * a reply or rests; it grows when the driver hangs in something else. 0 for a bus in an engine (see
 * engines_silent_ns) and for a driver that gave up. Any thread.
 */
int64_t host_silent_ns(const struct host *host);

/* 0 while the driver runs (or ended because it was asked), else the error that it gave up with. Any
 * thread. */
int host_error(const struct host *host);

#endif
