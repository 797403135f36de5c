/* The simulated devices: who they are, and how they misbehave. */
#ifndef SIM_UNITS_H
#define SIM_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNITS_MAX              256
#define UNIT_REGISTERS_DEFAULT 20

enum unit_corruption {
    CORRUPT_NOTHING,
    CORRUPT_BITS,        /* a bit turned, so that the check sum fails */
    CORRUPT_SHORT,       /* the end is missing */
    CORRUPT_UNIT,        /* well-formed, but from another unit */
    CORRUPT_FUNCTION,    /* well-formed, but another function */
    CORRUPT_LENGTH,      /* well-formed, but one register short */
    CORRUPT_TRANSACTION, /* TCP: another transaction identifier */
    CORRUPT_PROTOCOL,    /* TCP: protocol identifier not zero */
};

struct unit {
    uint8_t id;
    char name[48];
    uint32_t registers; /* also the number of coils; 0: not stated */
    uint32_t counter;
    int64_t turnaround_ns;
    uint64_t requests;
    uint64_t replies;

    bool silent;
    int64_t dead_ns;  /* monotonic; 0: never */
    int64_t alive_ns; /* monotonic; 0: never again */
    int64_t delay_ns;
    uint64_t delay_left; /* requests still to be delayed */
    int64_t dribble_ns;  /* time per byte; 0: as fast as the line */
    uint8_t exception;
    uint64_t exception_left;
    enum unit_corruption corruption;
    uint32_t corrupt_of; /* corrupt this many ... */
    uint32_t corrupt_in; /* ... in so many replies */
    uint32_t corrupt_due;
    uint8_t lacks; /* a function that it does not know; 0: none */
    bool stuck;    /* acknowledges writes and keeps what it had */

    uint16_t *held;   /* by address: what was written there; NULL before the first write */
    uint8_t *written; /* by address: bit 0: the register was, bit 1: the coil, bit 2: its state */
};

struct units {
    size_t count;
    struct unit unit[UNITS_MAX];
    struct unit *by_id[256];
};

/* What a unit does with the request at hand. */
struct unit_mood {
    bool silent;
    int64_t delay_ns; /* on top of the turnaround */
    int64_t dribble_ns;
    uint8_t exception;
    enum unit_corruption corruption;
};

/* Adds what "ID[-LAST][:NAME][,key=value]..." describes. Returns 0, or -1 with the reason in error.
 */
int units_add(struct units *units, const char *spec, char *error, size_t error_size);

/* Sets one property or fault by name; arguments are joined by '/', as in "1/10/unit".
 * Returns 0, -ENOENT for an unknown name, -EINVAL for an argument it cannot use. */
int unit_set(struct unit *unit, const char *name, const char *value);

/* Calls unit_set for the unit with that number or name, or for all when it is "*" or "all".
 * Returns as unit_set, and -ESRCH when there is no such unit. */
int units_set(struct units *units, const char *who, const char *name, const char *value);

/* By number or by name; NULL when there is none. */
struct unit *units_find(struct units *units, const char *who);

bool unit_knows(const char *name); /* whether unit_set knows a setting of that name */

/* Joins words[first] and on with '/', the form that unit_set takes. */
void units_join(size_t first, size_t count, char *words[], char *value, size_t size);

/* The members of a JSON object with the counts of each unit, then "}}": the end of the statistics.
 */
void units_stats(const struct units *units, char *text, size_t size);

/* Decides about one request, and counts down the faults that were given a number. */
struct unit_mood unit_decide(struct unit *unit, int64_t now_ns);

#endif
