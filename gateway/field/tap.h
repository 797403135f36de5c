/*
 * What goes over a bus's wire, for whoever listens: the driver puts the bytes, listeners read them
 * as records. Each listener has a ring of its own that holds so much; what does not fit is counted
 * and told. While nobody listens it costs a look at an atomic.
 */
#ifndef SLUICE_FIELD_TAP_H
#define SLUICE_FIELD_TAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAP_LISTENERS_MAX 4
#define TAP_RING_BYTES    (64 * 1024)
#define TAP_BYTES_MAX     1024 /* of one record; more are several */

enum tap_kind {
    TAP_SENT,
    TAP_RECEIVED,
    TAP_OPENED, /* the port or connection, anew: what was half received is gone */
    TAP_CLOSED, /* it is gone, or was given up */
};

struct tap {
    _Atomic unsigned listeners; /* how many; looked at without the lock */
    _Atomic unsigned holders;
    struct tap_inside *inside;
};

struct tap_record {
    int64_t mono_ns;
    enum tap_kind kind;
    uint64_t lost; /* records before this one that did not fit */
    uint16_t size;
    uint8_t bytes[TAP_BYTES_MAX];
};

struct tap_listener;

/* NULL: out of memory. The bus closes its tap: listeners then read what is left and ERR_CLOSED. */
struct tap *tap_open(void);
void tap_close(struct tap *tap);

/* Whether anybody listens. NULL: nobody can. */
static inline bool tap_wanted(const struct tap *tap)
{
    return tap && atomic_load_explicit(&tap->listeners, memory_order_relaxed) > 0;
}

/* Bytes that were sent or received at that moment, or (size 0) what befell the port. Never waits
 * for a listener. The bus's thread. */
void tap_put(struct tap *tap, enum tap_kind kind, int64_t mono_ns, const uint8_t *bytes,
             size_t size);

/*
 * Listens from now on. `wake` is called, on the bus's thread, when a record has come after tap_read
 * found none. 0, ERR_FULL, ERR_CLOSED, ERR_NOMEM. Any thread, as for what follows.
 */
int tap_listen(struct tap_listener **listener, struct tap *tap, void (*wake)(void *context),
               void *context);

/* The next record: 1; 0: there is none yet; ERR_CLOSED: none will come. */
int tap_read(struct tap_listener *listener, struct tap_record *record);

/* NULL is fine. */
void tap_leave(struct tap_listener *listener);

#endif
