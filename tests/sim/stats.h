/* Counts of a simulator as members of one JSON line. */
#ifndef SIM_STATS_H
#define SIM_STATS_H

#include <stddef.h>

struct stats_row {
    const char *name;
    size_t offset; /* of a uint64_t in the structure with the counts */
};

/* Writes {"sim":"NAME" and a member per row, leaving the object open. Returns the length. */
size_t stats_open(char *text, size_t size, const char *sim, const void *counts,
                  const struct stats_row *rows, size_t row_count);

#endif
