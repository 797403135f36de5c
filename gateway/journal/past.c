/* The state at a moment of the past. */
#include "core/error.h"
#include "journal/inside.h"

#include <stdlib.h>

/* Whether the segment was begun later than the moment, by so much. */
static bool is_behind(const struct journal *journal, const struct segment *segment,
                      const struct moment *moment, int64_t by_ns)
{
    return segment->first_n > moment->last_n ||
           (segment->first_n > moment->first_n &&
            begun_wall(journal, segment) - by_ns > moment->wall_ns);
}

/* Applies segments from number `from` on, up to the moment. Returns an error, or 0. */
static int replay(const struct journal *journal, struct state *state, size_t from,
                  const struct moment *moment)
{
    struct segment segment;
    struct segment next;
    struct load load = {0};
    int result = 0;

    for (size_t at = from; result == 0 && index_get(&journal->index, at, &segment) == 0; at++) {
        uint64_t limit = index_get(&journal->index, at + 1, &next) == 0 ? next.first_n : UINT64_MAX;
        if (at > from && is_behind(journal, &segment, moment, STATE_DISORDER_NS))
            break;
        result = load_segment(journal, state, &segment, at == from, limit, moment, &load);
    }
    return result < 0 ? result : 0;
}

/* Values from before the clock was set get the time that is known by now. */
static void tell_all(const struct journal *journal, const struct state *state,
                     void (*each)(void *context, const struct event *event), void *context)
{
    uint32_t count = streams_count(&state->streams);
    struct event event;
    struct boot boot;

    for (uint32_t number = 1; number <= count; number++) {
        if (!stream_entry_event(streams_get(&state->streams, number), &event))
            continue;
        if (event.trust == CLOCK_UNSET && boots_find(&journal->state.boots, event.boot, &boot)) {
            event.wall_ns = event.mono_ns + boot.offset_ns;
            event.trust = boot.trust;
        }
        each(context, &event);
    }
}

int journal_state_at(struct journal *journal, int64_t wall_ns,
                     void (*each)(void *context, const struct event *event), void *context)
{
    struct segment segment;
    struct state *state = calloc(1, sizeof(*state));
    struct stretch stretch = steps_at(&journal->state.steps, wall_ns, clock_wall(journal->clock));
    const struct moment moment = {wall_ns, stretch.first_n, stretch.last_n};
    int error = state ? ERR_NOT_FOUND : ERR_NOMEM;

    for (size_t from = index_count(&journal->index); state && from-- > 0;) {
        if (index_get(&journal->index, from, &segment) < 0 ||
            is_behind(journal, &segment, &moment, 0))
            continue;
        error = state_init(state);
        if (error == 0)
            error = replay(journal, state, from, &moment);
        /* Where the checkpoint cannot be read, the one before it does, with more to replay. */
        if (error < 0 || state->checkpoint_whole || from == 0)
            break;
        state_clear(state);
        error = ERR_NOT_FOUND;
    }
    if (error == 0)
        tell_all(journal, state, each, context);
    if (state && state->streams.hash)
        state_clear(state);
    free(state);
    return error;
}
