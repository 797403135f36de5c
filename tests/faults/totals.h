/*
 * What a test run has tried, as one line of JSON on the standard output; and into a file of the
 * folder SLUICE_TOTALS, where that is set, for the table in docs/reliability.md.
 */
#ifndef SLUICE_TESTS_TOTALS_H
#define SLUICE_TESTS_TOTALS_H

#include <stdio.h>
#include <stdlib.h>

static inline void totals_tell(const char *name, const char *json)
{
    const char *folder = getenv("SLUICE_TOTALS");
    char path[4096];
    puts(json);
    if (folder == NULL || *folder == 0)
        return;
    snprintf(path, sizeof(path), "%s/%s.json", folder, name);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        return;
    }
    fprintf(file, "%s\n", json);
    fclose(file);
}

/* Whether tests are to take longer and try more. */
static inline int totals_long(void)
{
    const char *value = getenv("SLUICE_LONG");
    return value != NULL && *value != 0;
}

#endif
