/* Finds what somebody who mistyped a word meant: "did you mean". */
#ifndef SLUICE_CONFIG_NEAREST_H
#define SLUICE_CONFIG_NEAREST_H

#define NEAREST_SIZE_MAX 64 /* longer words are nobody's typing mistake */

struct nearest {
    const char *found, *best;
    unsigned distance; /* of best; above what counts as near when best is NULL */
};

void nearest_init(struct nearest *nearest, const char *found);

/* Offers a candidate; the text stays the caller's and must outlive the search. */
void nearest_offer(struct nearest *nearest, const char *candidate);

/* Swaps, insertions, deletions and replacements from a to b, case set aside; at most
 * NEAREST_SIZE_MAX. */
unsigned nearest_distance(const char *a, const char *b);

#endif
