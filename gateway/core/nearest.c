#include "core/nearest.h"

#include <stddef.h>
#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '_' ? '-' : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the table are enough. */
unsigned nearest_distance(const char *a, const char *b)
{
    size_t a_size = strlen(a), b_size = strlen(b);
    unsigned rows[3][NEAREST_SIZE_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];
    if (a_size > NEAREST_SIZE_MAX || b_size > NEAREST_SIZE_MAX)
        return NEAREST_SIZE_MAX;
    for (size_t j = 0; j <= b_size; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            unsigned change = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = least(last[j - 1] + change, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_size];
}

void nearest_init(struct nearest *nearest, const char *found)
{
    size_t size = strlen(found);
    nearest->found = found;
    nearest->best = NULL;
    nearest->distance = size < 3 ? 2 : (unsigned)(size / 3) + 2;
}

/* "cafile" for "ca", "register" for "reg": far apart by their letters, and still what was meant. */
static int begins_like(const char *a, const char *b)
{
    size_t size = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
    return size >= 2 && strncmp(a, b, size) == 0;
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    unsigned distance = nearest_distance(nearest->found, candidate);
    if (begins_like(nearest->found, candidate))
        distance = 1;
    if (distance < nearest->distance && distance < strlen(candidate)) {
        nearest->distance = distance;
        nearest->best = candidate;
    }
}
