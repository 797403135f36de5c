/*
 * A port that the daemon polls, borrowed for a while: the daemon lets go of it, and takes it back
 * by itself when nobody renews the lease any more.
 */
#ifndef SLUICE_CLI_BORROW_H
#define SLUICE_CLI_BORROW_H

#include <stdbool.h>
#include <stdint.h>

struct borrow {
    const char *socket; /* the daemon's */
    const char *port;   /* or host */
    const char *by;     /* "sluice scan" */
    int for_ms;         /* of a lease until it is renewed; 0: 15 s */
    bool quiet;         /* says nothing of it */
    char bus[64];       /* "" while nothing is borrowed */
    uint64_t lease;
    int64_t renew_ns; /* monotonic */
};

/* How a bus is reached. */
struct borrow_place {
    char bus[64];
    char driver[32];          /* "modbus-rtu" */
    char port[256], line[24]; /* "": it has a host */
    char host[256];           /* "10.0.7.20:502" */
};

/* Whether a daemon on that socket has a bus of that id; tells nothing. */
bool borrow_find_bus(const char *socket, const char *id, struct borrow_place *place);

/*
 * Borrows the port where a daemon has a bus on it, and waits until it is free. Tells on standard
 * error that it does. Returns an exit code: EXIT_CODE_OK also when no daemon has it,
 * EXIT_CODE_SYSTEM after telling that it is lent to another, or does not come free,
 * EXIT_CODE_FAILED when a signal asked to end meanwhile (end_signals.h).
 */
int borrow_port(struct borrow *borrow);

/* Whether a daemon has a bus on that port or host, which is written to `bus`. */
bool borrow_is_polled(const struct borrow *borrow, char bus[64]);

/* Marks the units of the Modbus devices that a daemon has on that port or host; none where it has
 * no such bus. Before it is borrowed. */
void borrow_units(const struct borrow *borrow, bool units[256]);

/* To be called at least every few seconds. False after telling that the daemon wants it back. */
bool borrow_keep(struct borrow *borrow);

/* Behind the message that a port is in use (ERR_BUSY): tells how it could be borrowed, unless it
 * is. Nothing for other errors. */
void borrow_hint(const struct borrow *borrow, int error);

/* Gives it back, if it is borrowed, and tells on standard error that it is polled again. */
void borrow_return(struct borrow *borrow);

#endif
