/*
 * What is uploaded, between the server's thread, which must not wait for a disk, and the thread
 * that stores it: a bounded queue of bytes.
 */
#ifndef SLUICE_DAEMON_UPDATE_INTAKE_H
#define SLUICE_DAEMON_UPDATE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

struct intake;

/* `wake` (any thread) tells that there is room again; not any more after intake_end. ERR_NOMEM. */
int intake_open(struct intake **intake, void (*wake)(void *context), void *wake_context);

/* Each side lets go of it once; the second frees it. */
void intake_let_go(struct intake *intake);

/* The server's side: takes all of it. 0; ERR_AGAIN: there is no room yet; ERR_CLOSED: no more is
 * wanted. */
int intake_put(struct intake *intake, const char *data, size_t size);

/* Nothing more comes: `whole` when all came that was announced. */
void intake_end(struct intake *intake, bool whole);

/* The other side: waits for bytes and hands out at most `room`. How many; 0 at the end of what is
 * whole; ERR_CLOSED when it broke off, or after intake_refuse. */
long intake_get(struct intake *intake, char *out, size_t room);

/* No more is wanted. Any thread. */
void intake_refuse(struct intake *intake);

#endif
