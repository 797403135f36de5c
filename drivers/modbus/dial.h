/*
 * Connects over TCP to a host by its name, without blocking: the name is looked up, and what it
 * resolves to is tried address by address (core/knock.h). On the thread of a loop.
 */
#ifndef SLUICE_MODBUS_DIAL_H
#define SLUICE_MODBUS_DIAL_H

#include "core/clock.h"
#include "core/loop.h"
#include "modbus/options.h"

#define DIAL_LOOK_UPS_MAX 16

struct dial;
struct look_up; /* dial.c */

/*
 * The look-ups of the dials of one loop. Each takes a thread until the name server has answered or
 * been given up, whether anybody still waits for it or not: so only DIAL_LOOK_UPS_MAX are under way
 * at once, and other names wait for their turn. Addresses are no names. Zeroed to begin with.
 */
struct dial_look_ups {
    struct look_up *under_way;
    unsigned count;      /* of them, without addresses */
    struct dial *queued; /* dials that wait, the first first */
};

/* Lets go of what is under way. Behind all dials. */
void dial_look_ups_close(struct dial_look_ups *look_ups);

/*
 * Called once, from the loop: `fd` is the connected socket (non-blocking, close-on-exec, with
 * TCP_NODELAY), the callee's from now on; or ERR_NAME, ERR_REFUSED, ERR_UNREACHABLE, ERR_TIMEOUT,
 * ERR_IO, ERR_NOMEM, ERR_DESCRIPTORS (only few are left). The dial is gone.
 */
typedef void dial_fn(void *context, int fd);

/*
 * Begins to connect to `address`, which outlives the dial, as do look_ups, loop and clock.
 * `timeout_ns` is for all addresses together, from the moment they are known; the look-up takes
 * what the resolver takes. NULL: out of memory.
 */
struct dial *dial_start(struct dial_look_ups *look_ups, struct loop *loop,
                        const struct clock *clock, const struct modbus_host *address,
                        int64_t timeout_ns, dial_fn *fn, void *context);

/* Gives up: `fn` is not called. NULL is fine. */
void dial_cancel(struct dial *dial);

#endif
