/*
 * What only root may do, asked for by the daemon, which is not root: a file in a folder that a unit
 * of the system watches (sluice-wish.path), and that `sluice wishes` carries out. There are few
 * wishes, and nothing in them but a number.
 */
#ifndef SLUICE_DAEMON_WISH_H
#define SLUICE_DAEMON_WISH_H

#include <stdbool.h>
#include <stdint.h>

#define WISH_CLOCK    "clock"    /* set the clock: to so many ns since 1970 */
#define WISH_FOLLOWED "followed" /* say whether a time server is followed: denied, when none is */
#define WISH_RESTART  "restart"  /* restart the machine */
#define WISH_NETWORK  "network"  /* put the plan of the state folder in force: network_apply.h */

/*
 * Makes a wish and waits until it is carried out. 0; ERR_UNSUPPORTED: nobody carries wishes out
 * here (the folder is made by who does); ERR_DENIED: it was not possible; ERR_IO: the folder cannot
 * be written; ERR_TIMEOUT: root is at it still, and what comes of it is not known. Waits some
 * seconds until it is taken, and a minute at most until it is done. One thread at a time for each
 * kind.
 */
int wish_make(const char *folder, const char *what, int64_t number);

/* How a wish is carried out: 0, or an error. */
struct wish_kind {
    const char *name; /* NULL ends the table */
    int (*carry_out)(int64_t number);
    bool asks; /* a question: "no" is an answer, and done, too */
};

/* Carries out what lies in the folder `path`, as root, and calls `told` with what became of each.
 * Returns how many were done, or an error of the folder. */
int wish_carry_out(const char *path, const struct wish_kind *kinds,
                   void (*told)(const char *what, int64_t number, int error));

#endif
