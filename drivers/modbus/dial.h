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

struct dialer;
struct dial;

/*
 * Called once, from the loop: `fd` is the connected socket (non-blocking, close-on-exec, with
 * TCP_NODELAY), the callee's from now on; or ERR_NAME, ERR_REFUSED, ERR_UNREACHABLE, ERR_TIMEOUT,
 * ERR_IO, ERR_NOMEM, ERR_FULL (no descriptors are left). The dial is gone.
 */
typedef void dial_fn(void *context, int fd);

/* `loop` and `clock` outlive it. ERR_NOMEM. Close it when the loop no longer runs and no dial is
 * left; it does not wait for a resolver that hangs. NULL is fine. */
int dialer_open(struct dialer **dialer, struct loop *loop, const struct clock *clock);
void dialer_close(struct dialer *dialer);

/* Begins to connect to `address`, which outlives the dial. NULL: out of memory. */
struct dial *dial_start(struct dialer *dialer, const struct modbus_host *address,
                        int64_t timeout_ns, dial_fn *fn, void *context);

/* Gives up: `fn` is not called. NULL is fine. */
void dial_cancel(struct dial *dial);

#endif
