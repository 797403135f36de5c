/*
 * The commands that wait for a bus's thread: handed in by the desk, taken by the driver between two
 * transactions. Bounded.
 */
#ifndef SLUICE_FIELD_ORDERS_H
#define SLUICE_FIELD_ORDERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/clock.h"
#include "field/driver.h"

#define ORDERS_MAX 32 /* at one bus, with the one that is executed */

/* Gets what came of each command, once. Called without any lock held. */
typedef void orders_done_fn(void *context, uint64_t token, uint16_t status,
                            const struct value *value);

struct orders {
    pthread_mutex_t lock;
    struct driver_command *first, **last; /* waiting */
    struct driver_command *taken;         /* by the driver, not yet answered */
    unsigned count;
    atomic_bool waiting; /* whether `first` is one; looked at without the lock */
    bool closed;
    orders_done_fn *done;
    void *context;
};

void orders_init(struct orders *orders, orders_done_fn *done, void *context);

/* Answers all that is left: what waits was not executed, of what was taken nobody knows. */
void orders_close(struct orders *orders);
void orders_free(struct orders *orders);

/* Copies the command with its text. 0, ERR_FULL, ERR_CLOSED, ERR_NOMEM. Any thread. */
int orders_put(struct orders *orders, const struct driver_command *command);

/* For the bus's thread: driver_host_ops. Those that have expired are answered on the way. */
struct driver_command *orders_take(struct orders *orders, const struct clock *clock);
void orders_answer(struct orders *orders, struct driver_command *command, uint16_t status,
                   const struct value *value);

#endif
