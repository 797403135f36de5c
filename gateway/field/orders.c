#include "field/orders.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/status.h"

void orders_init(struct orders *orders, orders_done_fn *done, void *context)
{
    *orders = (struct orders){.done = done, .context = context};
    orders->last = &orders->first;
    pthread_mutex_init(&orders->lock, NULL);
}

void orders_free(struct orders *orders)
{
    pthread_mutex_destroy(&orders->lock);
}

static struct driver_command *copy_of(const struct driver_command *command)
{
    size_t text = command->value.type == VALUE_TEXT ? command->value.size : 0;
    struct driver_command *copy = malloc(sizeof *copy + text);

    if (!copy)
        return NULL;
    *copy = *command;
    copy->next = NULL;
    if (text > 0)
        memcpy(copy + 1, command->value.data, text);
    if (command->value.type == VALUE_TEXT)
        copy->value.data = copy + 1;
    return copy;
}

int orders_put(struct orders *orders, const struct driver_command *command)
{
    struct driver_command *copy = copy_of(command);
    int error = copy ? 0 : ERR_NOMEM;

    pthread_mutex_lock(&orders->lock);
    if (!error && orders->closed)
        error = ERR_CLOSED;
    if (!error && orders->count == ORDERS_MAX)
        error = ERR_FULL;
    if (!error) {
        *orders->last = copy;
        orders->last = &copy->next;
        orders->count++;
        atomic_store(&orders->waiting, true);
    }
    pthread_mutex_unlock(&orders->lock);
    if (error)
        free(copy);
    return error;
}

/* With the lock held. */
static struct driver_command *unlink_first(struct orders *orders)
{
    struct driver_command *command = orders->first;

    if (!command)
        return NULL;
    orders->first = command->next;
    if (!orders->first)
        orders->last = &orders->first;
    atomic_store(&orders->waiting, orders->first != NULL);
    return command;
}

static void finish(struct orders *orders, struct driver_command *command, uint16_t status,
                   const struct value *value)
{
    if (orders->done)
        orders->done(orders->context, command->token, status, value);
    free(command);
}

struct driver_command *orders_take(struct orders *orders, const struct clock *clock)
{
    for (;;) {
        struct driver_command *command;
        bool expired;

        pthread_mutex_lock(&orders->lock);
        command = unlink_first(orders);
        expired = command && clock_mono(clock) >= command->expires_mono_ns;
        if (expired)
            orders->count--;
        else
            orders->taken = command;
        pthread_mutex_unlock(&orders->lock);
        if (!expired)
            return command;
        finish(orders, command, STATUS_EXPIRED, NULL);
    }
}

void orders_answer(struct orders *orders, struct driver_command *command, uint16_t status,
                   const struct value *value)
{
    pthread_mutex_lock(&orders->lock);
    orders->taken = NULL;
    orders->count--;
    pthread_mutex_unlock(&orders->lock);
    finish(orders, command, status, value);
}

void orders_close(struct orders *orders)
{
    struct driver_command *command;

    pthread_mutex_lock(&orders->lock);
    orders->closed = true;
    pthread_mutex_unlock(&orders->lock);
    if (orders->taken)
        orders_answer(orders, orders->taken, STATUS_INTERRUPTED, NULL);
    for (;;) {
        pthread_mutex_lock(&orders->lock);
        command = unlink_first(orders);
        pthread_mutex_unlock(&orders->lock);
        if (!command)
            return;
        finish(orders, command, STATUS_STOPPED, NULL);
    }
}
