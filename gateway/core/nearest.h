/* Finds what somebody who mistyped a word meant: "did you mean". Near is what differs in one letter
 * of three at most, but always in one. Pure; any thread. */
#ifndef SLUICE_CORE_NEAREST_H
#define SLUICE_CORE_NEAREST_H

#define NEAREST_SIZE_MAX 64 /* longer words are nobody's typing mistake */

struct nearest {
    const char *found, *best;
    unsigned distance; /* of best; above what counts as near when best is NULL */
};

void nearest_init(struct nearest *nearest, const char *found);

/* Offers a candidate; the text stays the caller's and must outlive the search. */
void nearest_offer(struct nearest *nearest, const char *candidate);

/* The same for names that consist of parts, as those of drivers and profiles: "sdm630", and
 * "sdm603" too, stands for "eastron-sdm630". Of several that are as near the shortest. */
void nearest_offer_part(struct nearest *nearest, const char *candidate);

/* Swaps, insertions, deletions and replacements from a to b, case set aside, and - like _ and
 * a blank; at most NEAREST_SIZE_MAX. */
unsigned nearest_distance(const char *a, const char *b);

#endif
