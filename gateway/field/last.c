#include "field/last.h"

#include "core/status.h"
#include "field/report.h"

struct search {
    const struct site_device *device;
    struct driver_last *items;
    size_t count;
    uint32_t boot;
    int64_t offset_ns; /* of the wall clock in this boot */
    bool dated;        /* the wall clock is set */
    int64_t bad_ns;    /* the newest bad reading that was met */
};

/* The moment by this boot's monotonic clock. False where it cannot be told. */
static bool find_mono(const struct search *search, const struct event *event, int64_t *mono_ns)
{
    *mono_ns = event->boot == search->boot ? event->mono_ns : event->wall_ns - search->offset_ns;
    return event->boot == search->boot || (search->dated && event->trust != CLOCK_UNSET);
}

static void take(struct search *search, struct driver_last *item, const struct event *event)
{
    const struct value *value = &event->value;
    bool number = value->type == VALUE_I64 || value->type == VALUE_U64 || value->type == VALUE_F64;

    if (event->kind != EVENT_READING)
        return;
    if (report_is_bad(event->status)) {
        if (event->wall_ns > search->bad_ns)
            search->bad_ns = event->wall_ns;
    } else if (number && find_mono(search, event, &item->mono_ns)) {
        item->value = *value;
        item->value.decimals = item->point->decimals;
    }
}

static void look(void *context, const struct event *event)
{
    struct search *search = context;

    for (size_t i = 0; i < search->count; i++) {
        struct driver_last *item = &search->items[i];

        if (item->value.type == VALUE_NONE &&
            site_point_stream(search->device, item->point) == event->stream)
            take(search, item, event);
    }
}

void last_good(struct journal *journal, const struct site_device *device, struct driver_last *items,
               size_t count)
{
    struct search search = {.device = device, .items = items, .count = count};
    struct journal_stats stats;
    int64_t until_ns = INT64_MAX;

    for (size_t i = 0; i < count; i++)
        items[i].value = (struct value){.type = VALUE_NONE};
    journal_stats(journal, &stats);
    search.boot = stats.boot;
    search.dated = journal_wall(journal, stats.boot, 0, &search.offset_ns) != CLOCK_UNSET;
    for (int step = 0; step < LAST_STEPS_MAX; step++) {
        search.bad_ns = INT64_MIN;
        if (journal_state_at(journal, until_ns, look, &search) != 0 || search.bad_ns == INT64_MIN)
            return;
        until_ns = search.bad_ns - 1;
    }
}
