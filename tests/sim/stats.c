#include "stats.h"

#include <inttypes.h>
#include <stdio.h>

size_t stats_open(char *text, size_t size, const char *sim, const void *counts,
                  const struct stats_row *rows, size_t row_count)
{
    size_t used = (size_t)snprintf(text, size, "{\"sim\":\"%s\"", sim);

    for (size_t i = 0; i < row_count && used < size; i++) {
        const uint64_t *count =
            (const uint64_t *)(const void *)((const char *)counts + rows[i].offset);

        used +=
            (size_t)snprintf(text + used, size - used, ",\"%s\":%" PRIu64, rows[i].name, *count);
    }
    return used < size ? used : size - 1;
}
