/* What the fault tests take for granted: when it fails, the test program ends and says why. */
#ifndef SLUICE_TESTS_MUST_H
#define SLUICE_TESTS_MUST_H

#include <stdio.h>
#include <stdlib.h>

static inline void must_hold(int condition, const char *sentence)
{
    if (condition)
        return;
    fprintf(stderr, "%s\n", sentence);
    abort();
}

/* Zeroed memory. */
static inline void *must_alloc(size_t size)
{
    void *memory = calloc(1, size);
    must_hold(memory != NULL, "out of memory");
    return memory;
}

static inline void *must_grow(void *memory, size_t count, size_t size)
{
    void *grown = realloc(memory, count * size);
    must_hold(grown != NULL, "out of memory");
    return grown;
}

#endif
