/* "did you mean" over names that come one by one and do not stay: the nearest, or the first few. */
#ifndef SLUICE_CORE_CANDIDATES_H
#define SLUICE_CORE_CANDIDATES_H

#include <stddef.h>

#include "core/nearest.h"

#define CANDIDATES_MAX 8 /* that are listed */

struct candidates {
    struct nearest nearest;
    char best[NEAREST_SIZE_MAX + 1];
    char listed[CANDIDATES_MAX][NEAREST_SIZE_MAX + 1]; /* each once */
    size_t count;
    int more; /* there are others */
};

/* `found` is what somebody wrote; it outlives the search. */
void candidates_init(struct candidates *candidates, const char *found);

/* Offers a name, which is copied; those longer than NEAREST_SIZE_MAX are passed over. */
void candidates_offer(struct candidates *candidates, const char *name);

/* Writes `; did you mean "boiler"?`, or `; there are: boiler, pump, ...`, or "" without any. */
void candidates_text(const struct candidates *candidates, char *out, size_t size);

#endif
