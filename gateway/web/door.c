#include "web/door.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/accept.h"
#include "core/error.h"
#include "web/door_inside.h"

void shown_release(struct shown *shown)
{
    if (!shown || --shown->holders)
        return;
    tls_identity_close(shown->identity);
    free(shown);
}

void door_count(struct door *door)
{
    atomic_store(&door->strangers, guests_strangers(door->guests));
    atomic_store(&door->known, guests_known(door->guests));
}

/* Those who have proven something come first, then the newest and the oldest by turns: who made
 * many connections waits behind himself, and where more come than can be served nobody waits for
 * ever. */
static bool comes_before(const struct door *door, const struct visit *a, const struct visit *b)
{
    if ((a->carry.tls != NULL) != (b->carry.tls != NULL))
        return a->carry.tls != NULL;
    return (a->guest.came_ns < b->guest.came_ns) == door->oldest_first;
}

static void step(void *context);

void door_step_wanted(struct door *door)
{
    if (!door->stepping)
        door->stepping = loop_post(door->loop, step, door) == 0;
}

struct visit *door_next(struct door *door, unsigned *ready)
{
    struct visit *first = NULL;

    *ready = 0;
    for (size_t i = 0; i <= GUESTS_MAX; i++) {
        struct visit *visit = door->visits[i];

        if (!visit || !visit->ready)
            continue;
        ++*ready;
        if (!first || comes_before(door, visit, first))
            first = visit;
    }
    if (first && !first->carry.tls)
        door->oldest_first = !door->oldest_first;
    return first;
}

/* A handshake costs some milliseconds of the processor: after each one the others have their turn.
 */
static void step(void *context)
{
    struct door *door = context;
    unsigned ready;

    door->stepping = false;
    struct visit *next = door_next(door, &ready);
    if (next)
        visit_greet(next);
    if (ready > 1)
        door_step_wanted(door);
}

static void on_visitor(void *context, int fd)
{
    struct listener *listener = context;

    visit_begin(listener->door, fd);
}

static void on_plain_visitor(void *context, int fd)
{
    struct listener *listener = context;

    redirect_take(listener->door->redirect, fd);
}

/* What the owner's thread asks of the door's. */
struct order {
    struct door *door;
    struct shown *shown;
    int fd;
    bool plain;
    const char *name;
    uint16_t port;
    char *names[DOOR_NAMES_MAX];
    size_t count;
    int error;
};

static void show(void *context)
{
    struct order *order = context;

    shown_release(order->door->shown);
    order->door->shown = order->shown;
}

void door_identity(struct door *door, struct tls_identity *identity)
{
    struct order order = {.door = door, .shown = calloc(1, sizeof(struct shown))};

    if (!order.shown) {
        tls_identity_close(identity);
        return;
    }
    *order.shown = (struct shown){.identity = identity, .holders = 1};
    if (pump_call(door->pump, show, &order))
        shown_release(order.shown);
}

static void take_target(void *context)
{
    struct order *order = context;
    struct door *door = order->door;

    for (size_t i = 0; i < DOOR_NAMES_MAX; i++) {
        char *old = door->names[i];

        door->names[i] = order->names[i];
        order->names[i] = old;
    }
    door->target =
        (struct redirect_target){order->port, (const char *const *)door->names, order->count};
}

int door_target(struct door *door, uint16_t port, const char *const *names, size_t name_count)
{
    struct order order = {.door = door, .port = port};
    int error = 0;

    while (!error && order.count < name_count && order.count < DOOR_NAMES_MAX) {
        order.names[order.count] = strdup(names[order.count]);
        error = order.names[order.count] ? 0 : ERR_NOMEM;
        order.count += !error;
    }
    if (!error)
        error = pump_call(door->pump, take_target, &order);
    for (size_t i = 0; i < DOOR_NAMES_MAX; i++)
        free(order.names[i]);
    return error;
}

static void listen_on(void *context)
{
    struct order *order = context;
    struct listener *listener = order->door->listeners;
    struct listener *end = listener + DOOR_LISTENERS_MAX;

    while (listener < end && listener->fd >= 0)
        listener++;
    order->error = ERR_FULL;
    if (listener < end)
        order->error = accept_open(&listener->accepter, order->door->loop, order->fd, order->name,
                                   order->plain ? on_plain_visitor : on_visitor, listener);
    if (order->error)
        close(order->fd);
    else
        listener->fd = order->fd;
}

int door_listen(struct door *door, int fd, bool plain, const char *name)
{
    struct order order = {.door = door, .fd = fd, .plain = plain, .name = name};
    int error = pump_call(door->pump, listen_on, &order);

    if (error)
        close(fd);
    return error ? error : order.error;
}

static void stop_listening(void *context)
{
    struct door *door = context;

    for (size_t i = 0; i < DOOR_LISTENERS_MAX; i++) {
        struct listener *listener = &door->listeners[i];

        if (listener->fd < 0)
            continue;
        accept_close(listener->accepter);
        close(listener->fd);
        listener->fd = -1;
    }
}

void door_unlisten(struct door *door)
{
    pump_call(door->pump, stop_listening, door);
}

struct acquaintance {
    struct door *door;
    struct sockaddr_storage peer;
    socklen_t size;
};

static void know(void *context)
{
    struct acquaintance *known = context;
    struct door *door = known->door;

    for (size_t i = 0; i <= GUESTS_MAX; i++) {
        struct visit *visit = door->visits[i];

        if (visit && visit->peer_size == known->size &&
            memcmp(&visit->peer, &known->peer, known->size) == 0)
            guests_know(door->guests, &visit->guest);
    }
    door_count(door);
    free(known);
}

void door_known(struct door *door, const struct sockaddr *peer, socklen_t size)
{
    struct acquaintance *known = calloc(1, sizeof *known);

    if (!known)
        return;
    known->door = door;
    known->size = size;
    memcpy(&known->peer, peer, size < sizeof known->peer ? size : sizeof known->peer);
    if (loop_post(door->loop, know, known))
        free(known);
}

void door_counts(struct door *door, unsigned *strangers, unsigned *known)
{
    *strangers = atomic_load(&door->strangers);
    *known = atomic_load(&door->known);
}

static void close_all(void *context)
{
    struct door *door = context;

    stop_listening(door);
    for (size_t i = 0; i <= GUESTS_MAX; i++) {
        if (door->visits[i])
            visit_end(door->visits[i]);
    }
    redirect_close(door->redirect);
    door->redirect = NULL;
}

int door_open(struct door **out, const struct door_options *options)
{
    struct door *door = calloc(1, sizeof *door);
    int error = door ? pump_open(&door->pump) : ERR_NOMEM;

    if (error) {
        free(door);
        return error;
    }
    door->options = *options;
    door->loop = pump_loop(door->pump);
    for (size_t i = 0; i < DOOR_LISTENERS_MAX; i++)
        door->listeners[i] = (struct listener){.door = door, .fd = -1};
    error = guests_open(&door->guests);
    if (!error)
        error = redirect_open(&door->redirect, door->loop, &door->target);
    if (error) {
        door_close(door);
        return error;
    }
    *out = door;
    return 0;
}

int64_t door_silent_ns(struct door *door)
{
    return pulse_silent_ns(&door->pulse, door->loop);
}

void door_close(struct door *door)
{
    if (!door)
        return;
    pump_call(door->pump, close_all, door);
    pump_close(door->pump);
    shown_release(door->shown);
    guests_close(door->guests);
    for (size_t i = 0; i < DOOR_NAMES_MAX; i++)
        free(door->names[i]);
    free(door);
}
