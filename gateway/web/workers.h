/*
 * A few threads that do one after the other what would keep a server's own thread from serving: a
 * password's hash, a disk. What is urgent goes before what others wait for.
 */
#ifndef SLUICE_WEB_WORKERS_H
#define SLUICE_WEB_WORKERS_H

#include <stdbool.h>

#define WORKERS_MAX   2
#define WORKERS_QUICK 2 /* for what has an end soon: a hash, a disk */
#define WORKERS_SLOW  2 /* for what waits for others: a program, root, RAUC */

struct workers;

/* Lies in what is to be done, and is the workers' from workers_post until `run` is called. */
struct worker_item {
    struct worker_item *next;
    /* On a worker's thread, once. `closing`: there is no time left, only say so. */
    void (*run)(struct worker_item *item, bool closing);
};

/* Starts `count` threads, WORKERS_MAX at most. ERR_NOMEM. */
int workers_open(struct workers **workers, unsigned count);

/* Runs what was posted (with `closing`) and what comes yet of what was reserved, and joins the
 * threads. From then on no place is given. */
void workers_stop(struct workers *workers);

/* Frees them, stopped first if they are not. NULL is fine. */
void workers_close(struct workers *workers);

/* Takes a place in the queue; after it workers_post is a duty. False when there is none, or when
 * they are closing. Any thread. */
bool workers_reserve(struct workers *workers, bool urgent);

/* Queues an item in the place that was taken. Any thread. */
void workers_post(struct workers *workers, struct worker_item *item, bool urgent);

#endif
