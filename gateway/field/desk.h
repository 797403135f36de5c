/*
 * The desk that every command goes over, whoever sends it: it checks, has it stored, hands it to
 * its bus, has the result stored, and answers. One thread, which alone waits for the disk.
 *
 *     submit -> checked -> stored (durable) -> with its bus -> result stored (durable) -> answered
 *                 \-> refused at once
 *
 * What it promises: a command is durable before it is executed; it is executed at most once,
 * however often it is delivered and whatever ends the gateway; and never after its time is over. A
 * command that was stored before the gateway ended and has no result is answered as interrupted
 * when it starts again, and not executed.
 */
#ifndef SLUICE_FIELD_DESK_H
#define SLUICE_FIELD_DESK_H

#include "core/clock.h"
#include "core/command.h"
#include "field/host.h"
#include "journal/journal.h"

#define DESK_COMMANDS_MAX 1024 /* whose ids are remembered */
#define DESK_TTL_NS       (30 * NS_PER_S)
#define DESK_TTL_MAX_NS   (COMMAND_TTL_MAX_MS * NS_PER_MS)
#define DESK_RATE_PER_S   10 /* commands, from remote senders and from local ones */
#define DESK_BURST        50

struct desk;

/* `journal` and `clock` outlive it. ERR_NOMEM, or the error of the thread. */
int desk_open(struct desk **desk, struct journal *journal, const struct clock *clock);

/* Stores and answers what is under way. All buses and senders have left. NULL is fine. */
void desk_close(struct desk *desk);

/* What senders get. */
struct command_desk *desk_seam(struct desk *desk);

/* Commands for the points of this bus go to `host`, which was started with desk_done and the desk.
 * ERR_NOMEM. Any thread. */
int desk_add_bus(struct desk *desk, const struct site_bus *bus, struct host *host);

/* When it returns no command is handed to that host any more, and its bus is not looked at: to be
 * called before host_stop. Any thread. */
void desk_remove_bus(struct desk *desk, const struct host *host);

/* An orders_done_fn; the desk is its context. */
void desk_done(void *desk, uint64_t token, uint16_t status, const struct value *value);

#endif
