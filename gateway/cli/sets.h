/* Sets of integers and unions of ranges, for the balance. */
#ifndef SLUICE_CLI_SETS_H
#define SLUICE_CLI_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open addressing; zero it to begin. */
struct number_set {
    int64_t *slots;
    uint8_t *used;
    size_t count, room;
};

/* 1 when it was new, 0 when it was there, ERR_NOMEM. */
int number_set_add(struct number_set *set, int64_t number);
bool number_set_has(const struct number_set *set, int64_t number);
void number_set_free(struct number_set *set);

struct range {
    uint64_t first, last;
};

/* Disjoint ranges in ascending order, neighbours joined; zero it to begin. */
struct range_set {
    struct range *items;
    size_t count, room;
};

int range_set_add(struct range_set *set, uint64_t first, uint64_t last);
void range_set_free(struct range_set *set);

#endif
