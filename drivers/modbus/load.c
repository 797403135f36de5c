#include "modbus/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modbus/link.h"
#include "modbus/plan.h"

#define SHARE_WISE 0.8 /* of the wire's time: leaves room for retries and probes */
#define HUNGRY_MAX 3   /* devices that are named at most */

/* What each device of a bus asks of the wire. */
struct demand {
    double share, reads_per_s;
    double *shares; /* of each device */
};

static int demand_of(const struct site_bus *bus, struct demand *demand)
{
    struct plan plan;
    int error = plan_make(&plan, bus);

    demand->share = demand->reads_per_s = 0;
    for (uint32_t i = 0; i < bus->device_count && !error; i++) {
        double share, reads;

        plan_demand(&plan, i, &share, &reads);
        demand->share += share;
        demand->reads_per_s += reads;
        if (demand->shares)
            demand->shares[i] = share;
    }
    plan_free(&plan);
    return error;
}

/* A copy of a bus, to try other settings on. */
struct trial {
    struct site_bus bus;
    struct modbus_bus_options options;
    struct site_device *devices;
    struct site_point *points;
};

static void trial_free(struct trial *trial)
{
    free(trial->devices);
    free(trial->points);
}

static bool trial_make(struct trial *trial, const struct site_bus *bus)
{
    const struct modbus_bus_options *options = bus->options;
    size_t count = 0;

    *trial = (struct trial){.bus = *bus, .options = *options};
    for (size_t i = 0; i < bus->device_count; i++)
        count += bus->devices[i].point_count;
    trial->devices = malloc((bus->device_count + 1) * sizeof *trial->devices);
    trial->points = malloc((count + 1) * sizeof *trial->points);
    if (!trial->devices || !trial->points)
        return false;
    trial->bus.options = &trial->options;
    trial->bus.devices = trial->devices;
    count = 0;
    for (size_t i = 0; i < bus->device_count; i++) {
        struct site_device *device = &trial->devices[i];

        *device = bus->devices[i];
        device->points = &trial->points[count];
        if (device->point_count > 0)
            memcpy(device->points, bus->devices[i].points,
                   device->point_count * sizeof *device->points);
        count += device->point_count;
    }
    return true;
}

/* Nothing of a device is polled more often than that. */
static void trial_slow_down(struct trial *trial, size_t index, const struct site_bus *bus,
                            int64_t every_ns)
{
    const struct site_device *device = &bus->devices[index];

    for (size_t i = 0; i < device->point_count; i++) {
        int64_t own_ns = device->points[i].every_ns;

        trial->devices[index].points[i].every_ns = own_ns > every_ns ? own_ns : every_ns;
    }
}

static bool trial_fits(const struct trial *trial)
{
    struct demand demand = {.shares = NULL};

    return demand_of(&trial->bus, &demand) == 0 && demand.share <= SHARE_WISE;
}

/* The lowest usual rate at which all fits; 0 when none does. */
static int32_t rate_that_fits(const struct site_bus *bus)
{
    static const int32_t rates[] = {9600, 19200, 38400, 57600, 115200};
    int32_t now = ((const struct modbus_bus_options *)bus->options)->line.baud, found = 0;
    struct trial trial;

    if (trial_make(&trial, bus)) {
        for (size_t i = 0; i < sizeof rates / sizeof rates[0] && !found; i++) {
            trial.options.line.baud = rates[i];
            if (rates[i] > now && trial_fits(&trial))
                found = rates[i];
        }
    }
    trial_free(&trial);
    return found;
}

/* Intervals as people choose them. */
static const struct interval {
    int64_t ns;
    const char *text;
} intervals[] = {
    {100 * NS_PER_MS, "100 ms"}, {200 * NS_PER_MS, "200 ms"}, {500 * NS_PER_MS, "500 ms"},
    {1 * NS_PER_S, "1 s"},       {2 * NS_PER_S, "2 s"},       {5 * NS_PER_S, "5 s"},
    {10 * NS_PER_S, "10 s"},     {20 * NS_PER_S, "20 s"},     {30 * NS_PER_S, "30 s"},
    {60 * NS_PER_S, "1 min"},    {120 * NS_PER_S, "2 min"},   {300 * NS_PER_S, "5 min"},
    {600 * NS_PER_S, "10 min"},  {900 * NS_PER_S, "15 min"},  {1800 * NS_PER_S, "30 min"},
    {3600 * NS_PER_S, "1 h"},
};

/* The shortest interval for these devices at which all fits; NULL when none does. */
static const struct interval *interval_that_fits(const struct site_bus *bus, const size_t *devices,
                                                 size_t count)
{
    const struct interval *found = NULL;
    struct trial trial;

    if (trial_make(&trial, bus)) {
        for (size_t i = 0; i < sizeof intervals / sizeof intervals[0] && !found; i++) {
            for (size_t j = 0; j < count; j++)
                trial_slow_down(&trial, devices[j], bus, intervals[i].ns);
            if (trial_fits(&trial))
                found = &intervals[i];
        }
    }
    trial_free(&trial);
    return found;
}

/* The device that takes most of the wire and is not among those named. */
static size_t hungriest(const struct site_bus *bus, const struct demand *demand,
                        const size_t *named, size_t count)
{
    size_t found = bus->device_count;

    for (size_t i = 0; i < bus->device_count; i++) {
        bool taken = false;

        for (size_t j = 0; j < count; j++)
            taken |= named[j] == i;
        if (!taken && (found == bus->device_count || demand->shares[i] > demand->shares[found]))
            found = i;
    }
    return found;
}

/* "poll meter every 2 s": the fewest devices that have to be slowed down, the hungriest first; or
 * all have to. */
static void advise_interval(const struct site_bus *bus, const struct demand *demand, char *out,
                            size_t size)
{
    size_t named[HUNGRY_MAX], count = 0, length = 0;
    const struct interval *interval = NULL;

    while (count < HUNGRY_MAX && count < bus->device_count && !interval) {
        named[count] = hungriest(bus, demand, named, count);
        count++;
        interval = interval_that_fits(bus, named, count);
    }
    if (!interval) {
        snprintf(out, size, "poll all its devices %.1f times as seldom",
                 demand->share / SHARE_WISE);
        return;
    }
    for (size_t i = 0; i < count && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%s",
                                   i == 0           ? "poll "
                                   : i + 1 == count ? " and "
                                                    : ", ",
                                   bus->devices[named[i]].id);
    if (length < size)
        snprintf(out + length, size - length, " every %s", interval->text);
}

static void advise(const struct site_bus *bus, const struct demand *demand, char *note, size_t size)
{
    int32_t rate = rate_that_fits(bus);
    char slower[160], faster[48] = "";

    advise_interval(bus, demand, slower, sizeof slower);
    if (rate)
        snprintf(faster, sizeof faster, "raise the baud to %" PRId32 ", or ", rate);
    snprintf(note, size, "this line needs %.1f s each second: %s%s", demand->share, faster, slower);
}

/*
 * A read cannot be interrupted: while a long one is on the wire, points whose interval is shorter
 * wait for it, however much of the line's time is free.
 */
static void warn_of_long_reads(const struct site_bus *bus, char *note, size_t size)
{
    const struct site_device *longest = NULL;
    const struct site_point *hurried = NULL;
    int64_t longest_ns = 0;
    struct plan plan;

    if (plan_make(&plan, bus) != 0)
        return;
    for (size_t i = 0; i < plan.group_count; i++) {
        const struct plan_group *group = &plan.groups[i];
        struct merge_terms terms = plan_terms(&plan, group->device, group->function);

        for (const struct plan_sheet *sheet = group->sheets; sheet; sheet = sheet->next) {
            for (uint32_t j = 0; j < sheet->count; j++) {
                int64_t cost_ns = merge_cost_ns(&terms, sheet->blocks[j].count);

                if (cost_ns > longest_ns) {
                    longest_ns = cost_ns;
                    longest = &bus->devices[group->device];
                }
            }
        }
    }
    plan_free(&plan);
    for (size_t i = 0; i < bus->device_count; i++) {
        const struct site_device *device = &bus->devices[i];

        for (size_t j = 0; j < device->point_count; j++) {
            if (!hurried || device->points[j].every_ns < hurried->every_ns)
                hurried = &device->points[j];
        }
    }
    if (longest && hurried && longest_ns > hurried->every_ns)
        snprintf(note, size,
                 "a read of %s takes %.2f s, and %s is wanted every %.2f s: lower \"max_block\" of "
                 "%s, or poll it less often",
                 longest->id, (double)longest_ns / (double)NS_PER_S, hurried->id,
                 (double)hurried->every_ns / (double)NS_PER_S, longest->id);
}

static size_t count_aligned(const struct site_bus *bus)
{
    size_t count = 0;

    for (size_t i = 0; i < bus->device_count; i++) {
        const struct site_device *device = &bus->devices[i];
        bool all = ((const struct modbus_device_options *)device->options)->align;

        for (size_t j = 0; j < device->point_count; j++)
            count += all || ((const struct modbus_point_options *)device->points[j].options)->align;
    }
    return count;
}

void modbus_rtu_load(const struct site_bus *bus, struct driver_load *load)
{
    const struct modbus_bus_options *options = bus->options;
    struct demand demand = {.shares = NULL};

    if (options->line.baud == 0) {
        modbus_tcp_load(bus, load);
        return;
    }
    demand.shares = calloc(bus->device_count + 1, sizeof *demand.shares);
    *load = (struct driver_load){.busy_share = -1, .aligned = count_aligned(bus)};
    if (demand.shares && demand_of(bus, &demand) == 0) {
        load->requests_per_s = demand.reads_per_s;
        load->busy_share = demand.share;
        if (demand.share > 1)
            advise(bus, &demand, load->note, sizeof load->note);
        else
            warn_of_long_reads(bus, load->note, sizeof load->note);
    }
    free(demand.shares);
}

void modbus_tcp_load(const struct site_bus *bus, struct driver_load *load)
{
    struct demand demand = {.shares = NULL};

    *load = (struct driver_load){.busy_share = -1, .aligned = count_aligned(bus)};
    if (demand_of(bus, &demand) == 0)
        load->requests_per_s = demand.reads_per_s;
}
