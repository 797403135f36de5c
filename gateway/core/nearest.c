#include "core/nearest.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : strchr("_ .", c) && c ? '-' : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the table are enough. Of `a` to the whole of `b`, or to
 * that part of it which is nearest. */
static unsigned distance(const char *a, const char *b, bool part)
{
    size_t a_size = strlen(a), b_size = strlen(b);
    unsigned rows[3][NEAREST_SIZE_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];
    if (a_size > NEAREST_SIZE_MAX || b_size > NEAREST_SIZE_MAX)
        return NEAREST_SIZE_MAX;
    for (size_t j = 0; j <= b_size; j++)
        last[j] = part ? 0 : (unsigned)j;
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
    unsigned result = last[b_size];
    for (size_t j = 0; part && j < b_size; j++)
        result = least(result, last[j]);
    return result;
}

unsigned nearest_distance(const char *a, const char *b)
{
    return distance(a, b, false);
}

void nearest_init(struct nearest *nearest, const char *found)
{
    size_t size = strlen(found);
    nearest->found = found;
    nearest->best = NULL;
    nearest->distance = (unsigned)(size < 3 ? 3 : size) / 3 + 1;
}

/* "cafile" for "ca", "register" for "reg": far apart by their letters, and still what was meant. */
static int begins_like(const char *a, const char *b)
{
    size_t size = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
    return size >= 2 && strncmp(a, b, size) == 0;
}

static unsigned distance_of(const struct nearest *nearest, const char *candidate)
{
    unsigned whole = nearest_distance(nearest->found, candidate);
    if (begins_like(nearest->found, candidate))
        whole = 1;
    return whole < strlen(candidate) ? whole : NEAREST_SIZE_MAX;
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    unsigned whole = distance_of(nearest, candidate);
    if (whole < nearest->distance) {
        nearest->distance = whole;
        nearest->best = candidate;
    }
}

/* Of two that are as near: the shorter, and then the first by the alphabet, so that the order in
 * which a folder is read does not matter. */
static bool goes_first(const char *candidate, const char *best)
{
    size_t size = strlen(candidate), best_size = strlen(best);
    return size != best_size ? size < best_size : strcmp(candidate, best) < 0;
}

void nearest_offer_part(struct nearest *nearest, const char *candidate)
{
    size_t size = strlen(nearest->found);
    unsigned whole = distance_of(nearest, candidate);
    unsigned part = distance(nearest->found, candidate, true);

    /* The whole of a name is nearer than a part of one. */
    if (size >= 3 && part <= size / 4)
        whole = least(whole, part + 1);
    if (whole < nearest->distance ||
        (whole == nearest->distance && nearest->best && goes_first(candidate, nearest->best))) {
        nearest->distance = whole;
        nearest->best = candidate;
    }
}
