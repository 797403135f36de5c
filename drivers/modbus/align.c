#include "modbus/align.h"

static int64_t floor_to(int64_t value, int64_t step)
{
    int64_t rest = value % step;

    return value - (rest < 0 ? rest + step : rest);
}

/* The moment when the clocks show `local_ns`, near a moment at which they are `offset_ns` ahead. */
static int64_t moment_of(int64_t local_ns, int64_t offset_ns, int64_t every_ns, align_zone_fn *zone)
{
    int64_t moment_ns = local_ns - offset_ns, other_ns = zone(moment_ns);

    if ((other_ns - offset_ns) % every_ns == 0)
        return moment_ns;
    /* Clocks that are put forward may leave the moment out; then it is when they are. */
    return zone(local_ns - other_ns) == other_ns ? local_ns - other_ns : moment_ns;
}

int64_t align_next_ns(int64_t wall_ns, int64_t every_ns, align_zone_fn *zone)
{
    int64_t offset_ns = zone(wall_ns), local_ns = floor_to(wall_ns + offset_ns, every_ns);
    int64_t next_ns = moment_of(local_ns + every_ns, offset_ns, every_ns, zone);

    return next_ns > wall_ns ? next_ns
                             : moment_of(local_ns + 2 * every_ns, offset_ns, every_ns, zone);
}

/* Forward from some time before, so that both functions mean the same moments. */
int64_t align_begin_ns(int64_t wall_ns, int64_t every_ns, align_zone_fn *zone)
{
    int64_t before_ns = wall_ns - every_ns, begin_ns, next_ns;

    while ((begin_ns = align_next_ns(before_ns, every_ns, zone)) > wall_ns)
        before_ns -= every_ns;
    while ((next_ns = align_next_ns(begin_ns, every_ns, zone)) <= wall_ns)
        begin_ns = next_ns;
    return begin_ns;
}
