#include "field/tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

struct tap_listener {
    struct tap *tap;
    void (*wake)(void *context);
    void *context;
    bool hungry; /* it found nothing: to be woken by the next record */
    uint64_t lost;
    size_t first, used; /* of the ring: the oldest byte, and how many there are */
    uint8_t ring[TAP_RING_BYTES];
};

struct tap_inside {
    pthread_mutex_t lock;
    bool closed;
    struct tap_listener *listeners[TAP_LISTENERS_MAX];
};

/* What stands before the bytes of a record in a ring. */
struct header {
    int64_t mono_ns;
    uint64_t lost;
    uint16_t size;
    uint8_t kind;
};

struct tap *tap_open(void)
{
    struct tap *tap = calloc(1, sizeof *tap);
    struct tap_inside *inside = calloc(1, sizeof *inside);

    if (!tap || !inside) {
        free(tap);
        free(inside);
        return NULL;
    }
    pthread_mutex_init(&inside->lock, NULL);
    atomic_store(&tap->holders, 1);
    tap->inside = inside;
    return tap;
}

static void release(struct tap *tap)
{
    if (atomic_fetch_sub(&tap->holders, 1) > 1)
        return;
    pthread_mutex_destroy(&tap->inside->lock);
    free(tap->inside);
    free(tap);
}

void tap_close(struct tap *tap)
{
    if (!tap)
        return;
    pthread_mutex_lock(&tap->inside->lock);
    tap->inside->closed = true;
    for (int i = 0; i < TAP_LISTENERS_MAX; i++) {
        if (tap->inside->listeners[i])
            tap->inside->listeners[i]->wake(tap->inside->listeners[i]->context);
    }
    pthread_mutex_unlock(&tap->inside->lock);
    release(tap);
}

static void ring_put(struct tap_listener *listener, const void *data, size_t size)
{
    size_t at = (listener->first + listener->used) % TAP_RING_BYTES;
    size_t before_end = TAP_RING_BYTES - at < size ? TAP_RING_BYTES - at : size;

    memcpy(listener->ring + at, data, before_end);
    memcpy(listener->ring, (const uint8_t *)data + before_end, size - before_end);
    listener->used += size;
}

static void ring_take(struct tap_listener *listener, void *data, size_t size)
{
    size_t at = listener->first;
    size_t before_end = TAP_RING_BYTES - at < size ? TAP_RING_BYTES - at : size;

    memcpy(data, listener->ring + at, before_end);
    memcpy((uint8_t *)data + before_end, listener->ring, size - before_end);
    listener->first = (at + size) % TAP_RING_BYTES;
    listener->used -= size;
}

static void put_one(struct tap_listener *listener, struct header header, const uint8_t *bytes)
{
    if (listener->used + sizeof header + header.size > TAP_RING_BYTES) {
        listener->lost++;
        return;
    }
    header.lost = listener->lost;
    listener->lost = 0;
    ring_put(listener, &header, sizeof header);
    if (header.size > 0)
        ring_put(listener, bytes, header.size);
    if (listener->hungry)
        listener->wake(listener->context);
    listener->hungry = false;
}

void tap_put(struct tap *tap, enum tap_kind kind, int64_t mono_ns, const uint8_t *bytes,
             size_t size)
{
    if (!tap_wanted(tap))
        return;
    pthread_mutex_lock(&tap->inside->lock);
    do {
        struct header header = {
            .mono_ns = mono_ns,
            .size = (uint16_t)(size < TAP_BYTES_MAX ? size : TAP_BYTES_MAX),
            .kind = (uint8_t)kind,
        };

        for (int i = 0; i < TAP_LISTENERS_MAX; i++) {
            if (tap->inside->listeners[i])
                put_one(tap->inside->listeners[i], header, bytes);
        }
        size -= header.size;
        if (size > 0)
            bytes += header.size;
    } while (size > 0);
    pthread_mutex_unlock(&tap->inside->lock);
}

int tap_listen(struct tap_listener **listener, struct tap *tap, void (*wake)(void *context),
               void *context)
{
    struct tap_listener *made = calloc(1, sizeof *made);
    int error = ERR_FULL;

    if (!made)
        return ERR_NOMEM;
    made->tap = tap;
    made->wake = wake;
    made->context = context;
    pthread_mutex_lock(&tap->inside->lock);
    if (tap->inside->closed)
        error = ERR_CLOSED;
    for (int i = 0; i < TAP_LISTENERS_MAX && error == ERR_FULL; i++) {
        if (tap->inside->listeners[i])
            continue;
        tap->inside->listeners[i] = made;
        atomic_fetch_add(&tap->listeners, 1);
        atomic_fetch_add(&tap->holders, 1);
        error = 0;
    }
    pthread_mutex_unlock(&tap->inside->lock);
    if (error)
        free(made);
    else
        *listener = made;
    return error;
}

int tap_read(struct tap_listener *listener, struct tap_record *record)
{
    struct tap_inside *inside = listener->tap->inside;
    struct header header;
    int result = 0;

    pthread_mutex_lock(&inside->lock);
    if (listener->used > 0) {
        ring_take(listener, &header, sizeof header);
        if (header.size > 0)
            ring_take(listener, record->bytes, header.size);
        record->mono_ns = header.mono_ns;
        record->kind = (enum tap_kind)header.kind;
        record->lost = header.lost;
        record->size = header.size;
        result = 1;
    } else if (inside->closed) {
        result = ERR_CLOSED;
    }
    listener->hungry = result == 0;
    pthread_mutex_unlock(&inside->lock);
    return result;
}

void tap_leave(struct tap_listener *listener)
{
    struct tap *tap = listener ? listener->tap : NULL;

    if (!listener)
        return;
    pthread_mutex_lock(&tap->inside->lock);
    for (int i = 0; i < TAP_LISTENERS_MAX; i++) {
        if (tap->inside->listeners[i] == listener)
            tap->inside->listeners[i] = NULL;
    }
    atomic_fetch_sub(&tap->listeners, 1);
    pthread_mutex_unlock(&tap->inside->lock);
    release(tap);
    free(listener);
}
