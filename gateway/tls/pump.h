/*
 * A thread that carries bytes through TLS: one for all tunnels, made by whoever owns them before
 * the first of them and ended after the last; and one for the page's door.
 */
#ifndef SLUICE_TLS_PUMP_H
#define SLUICE_TLS_PUMP_H

#include <stdbool.h>

struct pump;
struct loop; /* core/loop.h */

/*
 * Starts the thread, and measures for a millisecond or so which cipher is the faster one on this
 * CPU. ERR_NOMEM, ERR_IO.
 */
int pump_open(struct pump **pump);

/* Ends the thread. Every tunnel on it must be closed. NULL is fine. */
void pump_close(struct pump *pump);

struct loop *pump_loop(struct pump *pump);

/*
 * Whether ChaCha20-Poly1305 is to be preferred to AES-GCM. It is measured rather than read from the
 * CPU's feature bits: mbedTLS's GCM is slower than its ChaCha20 even on CPUs with AES instructions.
 */
bool pump_prefers_chacha(const struct pump *pump);

/*
 * Runs fn on the pump's thread and waits until it has returned. Not from that thread itself, nor
 * with a lock held that a tunnel's event function takes.
 */
int pump_call(struct pump *pump, void (*fn)(void *context), void *context);

#endif
