#include "uplink/window.h"

#include <stdlib.h>

#include "core/error.h"

/* A token: 15 bits of generation above 16 bits of the unit's number. */
#define GENERATION_MASK 0x7fffu
#define CAPACITY_MAX    32768u

int window_open(struct window *window, uint32_t capacity)
{
    uint32_t rounded = 1;

    while (rounded < capacity && rounded < CAPACITY_MAX)
        rounded *= 2;
    *window = (struct window){.capacity = rounded};
    window->units = calloc(rounded, sizeof(*window->units));
    return window->units ? 0 : ERR_NOMEM;
}

void window_close(struct window *window)
{
    free(window->units);
    *window = (struct window){0};
}

static struct unit *at(const struct window *window, uint32_t number)
{
    return &window->units[number & (window->capacity - 1)];
}

struct unit *window_newest(struct window *window)
{
    return at(window, window->tail - 1);
}

struct unit *window_begin(struct window *window, uint64_t first)
{
    struct unit *unit;

    if (window_count(window) == window->capacity)
        return NULL;
    unit = at(window, window->tail++);
    *unit = (struct unit){.first = first, .last = first};
    return unit;
}

uint32_t window_expect(struct window *window)
{
    window_newest(window)->waiting++;
    window->messages++;
    return (uint32_t)(window->generation & GENERATION_MASK) << 16 | ((window->tail - 1) & 0xffff);
}

uint32_t window_send(struct window *window, uint32_t bytes)
{
    window_newest(window)->bytes += bytes;
    window->bytes += bytes;
    return window_expect(window);
}

void window_unsend(struct window *window, uint32_t bytes)
{
    window_newest(window)->bytes -= bytes;
    window_newest(window)->waiting--;
    window->bytes -= bytes;
    window->messages--;
}

void window_finish(struct window *window, uint64_t last, uint32_t events)
{
    struct unit *unit = window_newest(window);

    unit->last = last;
    unit->events = events;
    unit->closed = true;
}

void window_abort(struct window *window)
{
    window->tail--;
}

struct unit *window_answer(struct window *window, uint32_t token, int reason)
{
    uint32_t low = token & 0xffff, number;
    struct unit *unit;

    if ((token & WINDOW_TOKEN_OTHER) || token >> 16 != (window->generation & GENERATION_MASK))
        return NULL;
    number = window->head + ((low - window->head) & 0xffff);
    if (number - window->head >= window_count(window))
        return NULL;
    unit = at(window, number);
    if (unit->waiting == 0)
        return NULL;
    unit->waiting--;
    window->messages--;
    if ((reason < 0 || reason >= 0x80) && unit->refused == 0)
        unit->refused = reason;
    return unit;
}

bool window_take(struct window *window, struct unit *out)
{
    struct unit *unit = window_head(window);

    if (!unit || !unit->closed || unit->waiting > 0 || unit->refused != 0)
        return false;
    window->bytes -= unit->bytes;
    window->head++;
    *out = *unit;
    return true;
}

struct unit *window_head(const struct window *window)
{
    return window_count(window) > 0 ? at(window, window->head) : NULL;
}

struct unit *window_refused(const struct window *window)
{
    for (uint32_t i = window->head; i != window->tail; i++) {
        if (at(window, i)->refused != 0)
            return at(window, i);
    }
    return NULL;
}

void window_reset(struct window *window)
{
    window->head = window->tail = 0;
    window->generation++;
    window->messages = 0;
    window->bytes = 0;
}
