/*
 * Connects over TCP without blocking: what a name resolves to is tried address by address, each
 * with its share of the time, so that a dead one leaves time for those behind it. On the thread of
 * a loop.
 */
#ifndef SLUICE_MODBUS_DIAL_H
#define SLUICE_MODBUS_DIAL_H

#include "core/clock.h"
#include "core/loop.h"
#include "modbus/options.h"

struct dial;

/*
 * Called once, from the loop: `fd` is the connected socket (non-blocking, close-on-exec, with
 * TCP_NODELAY), the callee's from now on; or ERR_NAME, ERR_REFUSED, ERR_UNREACHABLE, ERR_TIMEOUT,
 * ERR_IO, ERR_NOMEM, ERR_FULL (no descriptors are left). The dial is gone.
 */
typedef void dial_fn(void *context, int fd);

/*
 * Begins to connect to `address`, which outlives the dial, as do loop and clock. `timeout_ns` is
 * for all addresses together, from the moment they are known; the look-up takes what the resolver
 * takes. NULL: out of memory.
 */
struct dial *dial_start(struct loop *loop, const struct clock *clock,
                        const struct modbus_host *address, int64_t timeout_ns, dial_fn *fn,
                        void *context);

/* Gives up: `fn` is not called. NULL is fine. */
void dial_cancel(struct dial *dial);

#endif
