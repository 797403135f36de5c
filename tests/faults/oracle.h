/* Opens the journal on a disk as a power cut left it, and holds it to its promises. */
#ifndef SLUICE_TESTS_ORACLE_H
#define SLUICE_TESTS_ORACLE_H

#include "faults/history.h"
#include "faults/workload.h"

struct oracle_case {
    const struct workload_options *options;
    const struct history *history;
    size_t position; /* of the cut in the history's log */
    uint64_t
        durable; /* what had been told durable, and the furthest that retention may have got to */
    uint64_t oldest;
    bool lied;  /* the disk forgot what it had synced: data may be missing, keys must not repeat */
    bool clean; /* the disk may hold a clean end */
    bool whole; /* it went on writing until the cut: no file was used again before it was durable
                   why */
    bool slow;  /* it makes new files slowly: what is written first goes into those that are there,
                   and is durable before a new one's making makes every name durable */
    uint64_t counter; /* makes the events that are written after the recovery unlike all others */
};

struct oracle_report {
    char why[512];         /* what promise was broken; "" for none */
    uint64_t states;       /* stream states that were compared */
    struct history branch; /* what became known after the recovery; the caller closes it */
};

/*
 * Recovers the journal on `disk`, checks everything, writes on, closes in order, and opens it once
 * more. True when all promises were kept. The disk's log then holds the recovery, for cuts within
 * it.
 */
bool oracle_check(const struct oracle_case *given, struct medium *disk,
                  struct oracle_report *report);

#endif
