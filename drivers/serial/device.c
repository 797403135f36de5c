#include "serial/device.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"

#define FAILURES_UNTIL_DOWN 3
#define PROBE_NS_MAX        (60 * NS_PER_S)

int device_open(struct device *device, const struct site_device *site, struct driver_stats *stats,
                struct sink *sink)
{
    const char *address;
    size_t wrong;
    char why[256];
    int error = 0;

    *device = (struct device){.site = site, .options = site->options, .stats = stats, .sink = sink};
    address = device->options->address;
    device->interval_ns = serial_interval(site);
    device->points = calloc(site->point_count + 1, sizeof(*device->points));
    if (!device->points)
        return ERR_NOMEM;
    if (serial_is_asked(device->options))
        error = script_compile(&device->script, device->options, &wrong, why, sizeof(why));
    if (!error && device->options->match)
        error = pattern_compile(&device->match, device->options->match, address, why, sizeof(why));
    for (int i = 0; i < SERIAL_WHEN_COUNT && !error; i++) {
        if (device->options->when[i])
            error = pattern_compile(&device->when[i], device->options->when[i], address, why,
                                    sizeof(why));
    }
    for (size_t i = 0; i < site->point_count && !error; i++) {
        const struct extract_options *options = site->points[i].options;

        device->points[i].point = &site->points[i];
        device->is_binary |= extract_is_binary(options);
        error = extract_open(&device->points[i].extract, options, address, why, sizeof(why));
    }
    return error;
}

void device_close(struct device *device)
{
    if (!device->points)
        return;
    for (size_t i = 0; i < device->site->point_count; i++)
        extract_free(device->points[i].extract);
    for (int i = 0; i < SERIAL_WHEN_COUNT; i++)
        pattern_free(device->when[i]);
    pattern_free(device->match);
    script_free(&device->script);
    free(device->points);
}

void device_restart(struct device *device, int64_t now_ns)
{
    device->next_ns = device->site->point_count > 0 ? now_ns : INT64_MAX;
    device->silent_ns = now_ns + device->options->silent_after_ns;
    device->failures = 0;
    for (size_t i = 0; i < device->site->point_count; i++)
        device->points[i].next_ns = now_ns;
}

void device_begin(struct device *device, int64_t now_ns)
{
    int64_t due_ns = device->next_ns;

    for (size_t i = 0; i < device->site->point_count; i++) {
        struct device_point *point = &device->points[i];

        point->wanted = point->next_ns <= due_ns;
        if (point->wanted)
            point->next_ns = due_ns + point->point->every_ns;
    }
    /* Times that have passed are left out, not made up for. */
    device->next_ns += device->interval_ns;
    if (device->next_ns < now_ns)
        device->next_ns += (now_ns - device->next_ns) / device->interval_ns * device->interval_ns;
}

static void publish(struct device *device, struct device_point *point, int64_t now_ns,
                    const struct value *value, uint16_t status)
{
    /* A refused reading is counted and told by the sink. */
    (void)sink_reading(device->sink, device->site, point->point, now_ns, value, status);
    point->wanted = false;
}

static void publish_wanted(struct device *device, int64_t now_ns, uint16_t status)
{
    static const struct value none = {.type = VALUE_NONE};

    for (size_t i = 0; i < device->site->point_count; i++) {
        if (device->points[i].wanted)
            publish(device, &device->points[i], now_ns, &none, status);
    }
}

/*
 * A device that speaks by itself sets the pace. A line that comes up to a quarter of the interval
 * early counts for the reading that is due: its clock is not ours.
 */
static void want_by_pace(struct device *device, int64_t now_ns)
{
    for (size_t i = 0; i < device->site->point_count; i++) {
        struct device_point *point = &device->points[i];

        point->wanted =
            !device->options->thin || now_ns + point->point->every_ns / 4 >= point->next_ns;
    }
}

static void pace(struct device_point *point, int64_t now_ns)
{
    int64_t earliest_ns = now_ns + point->point->every_ns / 4 * 3;

    point->next_ns += point->point->every_ns;
    if (point->next_ns < earliest_ns)
        point->next_ns = earliest_ns;
}

bool device_says_no(struct device *device, const char *line, size_t size, int64_t now_ns)
{
    for (int i = 0; i < SERIAL_WHEN_COUNT; i++) {
        if (!device->when[i] || !pattern_matches(device->when[i], line, size))
            continue;
        atomic_fetch_add(&device->stats->exceptions, 1);
        publish_wanted(device, now_ns, serial_when_status((enum serial_when)i));
        return true;
    }
    return false;
}

/* Publishes the points that the line gives; returns whether there was any, wanted or not. */
static bool take_points(struct device *device, const char *line, size_t size, size_t reply,
                        int64_t now_ns)
{
    bool any = false, asked = serial_is_asked(device->options);

    for (size_t i = 0; i < device->site->point_count; i++) {
        struct device_point *point = &device->points[i];
        const struct extract_options *options = point->point->options;
        struct value value;
        uint16_t status;

        if (asked && options->reply > 0 && (size_t)options->reply != reply)
            continue;
        if (extract_value(point->extract, line, size, &value, &status) == 0)
            continue;
        any = true;
        if (!point->wanted)
            continue;
        publish(device, point, now_ns, &value, status);
        if (!asked)
            pace(point, now_ns);
    }
    return any;
}

static bool is_complete(const struct device *device)
{
    for (size_t i = 0; i < device->site->point_count; i++) {
        const struct extract_options *options = device->points[i].point->options;

        if (device->points[i].wanted && !options->optional)
            return false;
    }
    return true;
}

enum device_took device_offer(struct device *device, const char *line, size_t size, size_t reply,
                              int64_t now_ns)
{
    bool asked = serial_is_asked(device->options);
    bool any;

    if (!asked)
        want_by_pace(device, now_ns);
    if (device_says_no(device, line, size, now_ns))
        return DEVICE_SAID_NO;
    if (device->match && !pattern_matches(device->match, line, size))
        return DEVICE_NOT_MINE;
    any = take_points(device, line, size, reply, now_ns);
    if (!any && asked && !device->match)
        return DEVICE_NOT_MINE;
    return is_complete(device) ? DEVICE_COMPLETE : DEVICE_TOOK;
}

bool device_is_down(const struct device *device)
{
    return device->failures >= FAILURES_UNTIL_DOWN;
}

static void tell_state(struct device *device, bool up, uint16_t status)
{
    atomic_store(&device->stats->status, status);
    atomic_store(&device->stats->up, up);
    sink_state(device->sink, device->site, up, status);
    if (device->told && device->told_up == up)
        return;
    if (!up)
        log_warn("serial", "device %s is down: %s: %s", device->site->id, status_why(status),
                 status_help(status));
    else
        log_info("serial", "device %s is up", device->site->id);
    device->told = true;
    device->told_up = up;
}

void device_answered(struct device *device, int64_t now_ns)
{
    device->failures = 0;
    device->silent_ns = now_ns + device->options->silent_after_ns;
    atomic_fetch_add(&device->stats->replies, 1);
    atomic_store(&device->stats->last_reply_ns, now_ns);
    atomic_store(&device->stats->next_probe_ns, 0);
    tell_state(device, true, STATUS_GOOD);
}

void device_missed(struct device *device, int64_t now_ns, uint16_t status)
{
    int64_t wait_ns = device->interval_ns;

    publish_wanted(device, now_ns, status);
    if (device->failures < UINT16_MAX)
        device->failures++;
    if (device->failures < FAILURES_UNTIL_DOWN)
        return;
    for (unsigned i = FAILURES_UNTIL_DOWN; i <= device->failures && wait_ns < PROBE_NS_MAX; i++)
        wait_ns *= 2;
    if (wait_ns > PROBE_NS_MAX && PROBE_NS_MAX > device->interval_ns)
        wait_ns = PROBE_NS_MAX;
    device->next_ns = now_ns + wait_ns;
    atomic_store(&device->stats->next_probe_ns, device->next_ns);
    tell_state(device, false, status);
}

void device_lost(struct device *device, int64_t now_ns, uint16_t status)
{
    for (size_t i = 0; i < device->site->point_count; i++)
        device->points[i].wanted = true;
    publish_wanted(device, now_ns, status);
    device->silent_ns = INT64_MAX;
    tell_state(device, false, status);
}
