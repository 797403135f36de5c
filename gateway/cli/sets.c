#include "cli/sets.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

/* SplitMix64's finaliser (Steele, Lea, Flood 2014): neighbouring numbers must not land in
 * neighbouring slots. */
static size_t hash(int64_t number)
{
    uint64_t x = (uint64_t)number;

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (size_t)(x ^ (x >> 31));
}

static size_t find_slot(const struct number_set *set, int64_t number)
{
    size_t at = hash(number) & (set->room - 1);

    while (set->used[at] && set->slots[at] != number)
        at = (at + 1) & (set->room - 1);
    return at;
}

static int grow(struct number_set *set)
{
    struct number_set bigger = {.room = set->room ? 2 * set->room : 256};

    bigger.slots = calloc(bigger.room, sizeof *bigger.slots);
    bigger.used = calloc(bigger.room, 1);
    if (!bigger.slots || !bigger.used) {
        number_set_free(&bigger);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < set->room; i++) {
        if (!set->used[i])
            continue;
        size_t at = find_slot(&bigger, set->slots[i]);
        bigger.used[at] = 1;
        bigger.slots[at] = set->slots[i];
    }
    bigger.count = set->count;
    number_set_free(set);
    *set = bigger;
    return 0;
}

int number_set_add(struct number_set *set, int64_t number)
{
    if (2 * (set->count + 1) > set->room && grow(set))
        return ERR_NOMEM;
    size_t at = find_slot(set, number);
    if (set->used[at])
        return 0;
    set->used[at] = 1;
    set->slots[at] = number;
    set->count++;
    return 1;
}

bool number_set_has(const struct number_set *set, int64_t number)
{
    return set->room && set->used[find_slot(set, number)];
}

void number_set_free(struct number_set *set)
{
    free(set->slots);
    free(set->used);
    memset(set, 0, sizeof *set);
}

/* The index of the first range that ends at or behind `n`. */
static size_t first_reaching(const struct range_set *set, uint64_t n)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->items[middle].last < n)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int range_set_add(struct range_set *set, uint64_t first, uint64_t last)
{
    /* Ranges that touch the new one, neighbours too, melt into it. */
    size_t from = first_reaching(set, first ? first - 1 : 0);
    size_t to = from;

    while (to < set->count && set->items[to].first <= (last == UINT64_MAX ? last : last + 1)) {
        first = set->items[to].first < first ? set->items[to].first : first;
        last = set->items[to].last > last ? set->items[to].last : last;
        to++;
    }
    if (to == from && set->count == set->room) {
        size_t room = set->room ? 2 * set->room : 64;
        struct range *items = realloc(set->items, room * sizeof *items);
        if (!items)
            return ERR_NOMEM;
        set->items = items;
        set->room = room;
    }
    memmove(&set->items[from + 1], &set->items[to], (set->count - to) * sizeof *set->items);
    set->count = set->count - (to - from) + 1;
    set->items[from] = (struct range){first, last};
    return 0;
}

void range_set_free(struct range_set *set)
{
    free(set->items);
    memset(set, 0, sizeof *set);
}
