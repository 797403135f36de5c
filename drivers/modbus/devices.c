#include "modbus/devices.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "modbus/about.h"
#include "modbus/advice.h"
#include "modbus/learn.h"
#include "modbus/point.h"

#define LOOK_NS (10 * NS_PER_S)
/* What a short probe waits beyond four times the mean: an operating system in between may be busy.
 */
#define PROBE_MARGIN_NS (20 * NS_PER_MS)
#define PROBE_WHOLE     8 /* one of so many waits for the whole time-out */
#define OVERDUE_OF      8 /* of the time-out, while nobody has answered */
#define MEAN_OF         16
#define SLOWEST_FADES   256

/* What was learnt in an earlier life of the gateway. */
static void take_learnt(struct devices *devices, uint32_t index)
{
    char text[LEARN_TEXT_SIZE_MAX];
    size_t size =
        host_learnt(devices->host, &devices->plan->bus->devices[index], text, sizeof text);

    if (size && learn_take(devices->plan, index, text, size) == 0)
        devices->items[index].told_ns = devices->plan->devices[index].measured_ns;
}

int devices_make(struct devices *devices, struct plan *plan, struct driver_host *host)
{
    size_t count = plan->bus->device_count;
    int64_t now = clock_mono(host->clock);

    *devices = (struct devices){.host = host, .plan = plan, .count = count};
    devices->random = (uint64_t)clock_wall(host->clock) ^ plan->bus->fingerprint;
    devices->looked_ns = now;
    devices->look_ns = now + LOOK_NS;
    devices->items = calloc(count + 1, sizeof *devices->items);
    devices->busy_ns = calloc(count + 1, sizeof *devices->busy_ns);
    if (!devices->items || !devices->busy_ns) {
        devices_free(devices);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        take_learnt(devices, i);
        devices_describe(devices, i);
    }
    return 0;
}

void devices_free(struct devices *devices)
{
    free(devices->busy_ns);
    free(devices->items);
    *devices = (struct devices){0};
}

/* From 3/4 to 5/4 of `ns`, so that devices that went down together are not probed together.
 * xorshift64. */
static int64_t jittered(struct devices *devices, int64_t ns)
{
    uint64_t x = devices->random ? devices->random : 1;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    devices->random = x;
    return ns * 3 / 4 + (int64_t)(x % (uint64_t)(ns / 2));
}

static const char *bus_id(const struct devices *devices)
{
    return devices->plan->bus->id;
}

static const struct site_device *site_device(const struct devices *devices, uint32_t index)
{
    return &devices->plan->bus->devices[index];
}

static void set_probe(struct devices *devices, uint32_t index, int64_t probe_ns)
{
    devices->items[index].probe_ns = probe_ns;
    /* Where the link has to come back first, nobody can say when. */
    atomic_store(&devices->host->stats[index].next_probe_ns, probe_ns < INT64_MAX ? probe_ns : 0);
}

/* FNV-1a. */
static uint32_t hash_of(const char *text, size_t size)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    return hash;
}

void devices_describe(struct devices *devices, uint32_t index)
{
    struct device *device = &devices->items[index];
    char json[ABOUT_SIZE_MAX];
    struct text text;
    uint32_t hash;

    learn_count(devices->plan, index, &devices->host->stats[index]);
    text_init(&text, json, sizeof json);
    about_device(devices->plan, index, &text);
    hash = hash_of(json, text.size);
    if (hash == device->described_hash || text.cut)
        return;
    device->described_hash = hash;
    host_describe(devices->host, site_device(devices, index), json, text.size);
}

/* Stores what was learnt of a device, if that is news and the last time is long enough ago. */
static void tell_learnt(struct devices *devices, uint32_t index, int64_t now_ns)
{
    struct plan_device *known = &devices->plan->devices[index];
    struct device *device = &devices->items[index];
    int64_t change_ns = llabs(known->measured_ns - device->told_ns);
    char text[LEARN_TEXT_SIZE_MAX];
    uint32_t hash;
    size_t size;

    if (change_ns > NS_PER_MS && change_ns > device->told_ns / 2)
        known->news = true;
    if (!known->news || now_ns < device->learnt_ns)
        return;
    known->news = false;
    size = learn_text(devices->plan, index, text);
    hash = hash_of(text, size);
    if (hash == device->learnt_hash)
        return;
    device->learnt_hash = hash;
    device->told_ns = known->measured_ns;
    device->learnt_ns = now_ns + DEVICE_LEARNT_NS;
    sink_learnt(devices->host->sink, site_device(devices, index), text, size);
}

void devices_store(struct devices *devices, uint32_t index)
{
    struct device *device = &devices->items[index];

    devices->plan->devices[index].news = true;
    device->learnt_ns = INT64_MIN;
    tell_learnt(devices, index, clock_mono(devices->host->clock));
    devices_describe(devices, index);
}

/* From time to time: shares of the bus, and what was learnt. */
static void look(struct devices *devices, int64_t now_ns)
{
    int64_t passed_ns = now_ns - devices->looked_ns;

    for (uint32_t i = 0; i < devices->count; i++) {
        struct driver_stats *stats = &devices->host->stats[i];
        int64_t busy_ns = atomic_load(&stats->busy_ns);

        atomic_store(&stats->share_ppm,
                     (uint32_t)((double)(busy_ns - devices->busy_ns[i]) * 1e6 / (double)passed_ns));
        devices->busy_ns[i] = busy_ns;
        plan_latency(devices->plan, i, devices->plan->devices[i].measured_ns);
        tell_learnt(devices, i, now_ns);
        devices_describe(devices, i);
    }
    devices->looked_ns = now_ns;
    devices->look_ns = now_ns + LOOK_NS;
}

/* The state goes before the readings that it explains. */
static void tell_down(struct devices *devices, uint32_t index, uint16_t status)
{
    const struct site_device *device = site_device(devices, index);
    int64_t now = clock_mono(devices->host->clock);

    devices->items[index].status = status;
    atomic_store(&devices->host->stats[index].up, false);
    atomic_store(&devices->host->stats[index].status, status);
    sink_state(devices->host->sink, device, false, status);
    for (size_t i = 0; i < device->point_count; i++)
        sink_reading(devices->host->sink, device, &device->points[i], now, NULL, status);
}

static void go_down(struct devices *devices, uint32_t index, uint16_t status)
{
    struct device *device = &devices->items[index];

    device->down = true;
    devices->down++;
    device->failures = 0;
    device->probes = 0;
    device->backoff_ns = DEVICE_PROBE_FIRST_NS;
    plan_pause(devices->plan, index);
    tell_down(devices, index, status);
}

void devices_answered(struct devices *devices, uint32_t index)
{
    struct device *device = &devices->items[index];
    struct driver_stats *stats = &devices->host->stats[index];

    device->failures = 0;
    if (device->down) {
        device->down = false;
        devices->down--;
        device->by_link = false;
        plan_resume(devices->plan, index, clock_mono(devices->host->clock));
        set_probe(devices, index, 0);
        log_info("modbus", "bus %s: device %s answers again", bus_id(devices),
                 site_device(devices, index)->id);
    }
    if (!atomic_load(&stats->up)) {
        atomic_store(&stats->up, true);
        atomic_store(&stats->status, STATUS_GOOD);
        sink_state(devices->host->sink, site_device(devices, index), true, STATUS_GOOD);
    }
}

void devices_failed(struct devices *devices, uint32_t index, uint16_t status)
{
    const struct site_device *site = site_device(devices, index);
    struct device *device = &devices->items[index];
    int64_t now = clock_mono(devices->host->clock);
    char advice[ADVICE_SIZE];

    if (device->down) {
        if (device->by_link) /* the line is back, this device is not */
            tell_down(devices, index, status);
        device->by_link = false;
        set_probe(devices, index, now + jittered(devices, device->backoff_ns));
        device->backoff_ns *= 2;
        if (device->backoff_ns > DEVICE_PROBE_MOST_NS)
            device->backoff_ns = DEVICE_PROBE_MOST_NS;
        return;
    }
    if (++device->failures < DEVICE_FAILURES_MAX)
        return;
    go_down(devices, index, status);
    set_probe(devices, index, now + jittered(devices, device->backoff_ns));
    int64_t late_ms = atomic_load(&devices->host->stats[index].late_ns) / NS_PER_MS;
    if (status == STATUS_TIMEOUT && late_ms > 0) {
        log_warn("modbus",
                 "bus %s: device %s (unit %d) is down: it answers %" PRId64
                 " ms after it was asked, later than its time-out: raise its \"timeout\"",
                 bus_id(devices), site->id,
                 (int)((const struct modbus_device_options *)site->options)->unit, late_ms);
        return;
    }
    log_warn("modbus", "bus %s: device %s (unit %d) is down: %s (%s)", bus_id(devices), site->id,
             (int)((const struct modbus_device_options *)site->options)->unit, status_why(status),
             advice_for(devices->plan->bus, status, advice));
}

void devices_link_lost(struct devices *devices, uint16_t status)
{
    for (uint32_t i = 0; i < devices->count; i++) {
        struct device *device = &devices->items[i];

        if (!device->down)
            go_down(devices, i, status);
        else if (device->status != status)
            tell_down(devices, i, status);
        device->by_link = true;
        set_probe(devices, i, INT64_MAX);
    }
}

void devices_link_tried(struct devices *devices, int64_t open_ns)
{
    for (uint32_t i = 0; i < devices->count; i++) {
        if (devices->items[i].by_link)
            atomic_store(&devices->host->stats[i].next_probe_ns, open_ns);
    }
}

void devices_link_back(struct devices *devices)
{
    int64_t now = clock_mono(devices->host->clock);

    for (uint32_t i = 0; i < devices->count; i++) {
        if (!devices->items[i].by_link)
            continue;
        devices->items[i].backoff_ns = DEVICE_PROBE_FIRST_NS;
        set_probe(devices, i, now);
    }
}

bool devices_back(struct devices *devices, uint32_t index)
{
    struct device *device = &devices->items[index];

    if (!device->down) {
        plan_again(devices->plan, index, clock_mono(devices->host->clock));
        return true;
    }
    device->by_link = true;
    device->status = STATUS_LENT;
    return false;
}

static int64_t whole_timeout_ns(const struct devices *devices, uint32_t index)
{
    const struct modbus_device_options *device = site_device(devices, index)->options;
    const struct modbus_bus_options *bus = devices->plan->bus->options;

    return device->timeout_ns ? device->timeout_ns : bus->timeout_ns;
}

int64_t devices_timeout_ns(const struct devices *devices, const struct plan_block *block)
{
    return block == &devices->probe ? devices->probe_timeout_ns
                                    : whole_timeout_ns(devices, block->device);
}

/* How long a device has been seen to take at most, as far as that is known; 0 where it is not. */
static int64_t answers_within_ns(const struct devices *devices, uint32_t index)
{
    int64_t mean_ns = devices->plan->devices[index].measured_ns;
    int64_t slowest_ns = devices->items[index].slowest_ns;

    if (mean_ns == 0)
        return 0;
    return (4 * mean_ns > 2 * slowest_ns ? 4 * mean_ns : 2 * slowest_ns) + PROBE_MARGIN_NS;
}

static int64_t probe_timeout_ns(const struct devices *devices, uint32_t index, bool whole)
{
    int64_t most_ns = whole_timeout_ns(devices, index);
    int64_t wait_ns = answers_within_ns(devices, index);

    for (uint32_t i = 0; i < devices->count && wait_ns == 0; i++) {
        int64_t other_ns = answers_within_ns(devices, i);

        if (other_ns > wait_ns)
            wait_ns = other_ns;
    }
    if (whole || wait_ns == 0)
        return most_ns;
    wait_ns += devices->plan->byte_ns * (5 + 2 * devices->probe.count);
    return wait_ns < most_ns ? wait_ns : most_ns;
}

/* The shortest point of a device that it is known to have; false where it has no points. */
static bool choose_probe(struct devices *devices, uint32_t index)
{
    const struct plan *plan = devices->plan;
    const struct plan_device *device = &plan->devices[index];
    bool found = false;

    for (uint32_t i = 0; i < device->groups; i++) {
        const struct plan_group *group = &plan->groups[device->first_group + i];

        for (uint32_t at = group->first; at < group->first + group->points; at++) {
            const struct modbus_point_options *point = point_options(plan, group, at);

            if (found && ((plan->flags[at] & PLAN_REFUSED) || point->count >= devices->probe.count))
                continue;
            found = true;
            devices->probe = (struct plan_block){
                .device = index,
                .group = PLAN_NONE,
                .first = at,
                .points = 1,
                .address = point->address,
                .count = point->count,
                .function = group->function,
                .every_ns = NS_PER_S,
            };
        }
    }
    return found;
}

/* The device that is to be probed next. */
static uint32_t first_probe(const struct devices *devices)
{
    uint32_t first = PLAN_NONE;

    for (uint32_t i = 0; i < devices->count && devices->down > 0; i++) {
        const struct device *device = &devices->items[i];

        if (device->down && !devices->plan->devices[i].held &&
            site_device(devices, i)->point_count > 0 &&
            (first == PLAN_NONE || device->probe_ns < devices->items[first].probe_ns))
            first = i;
    }
    return first;
}

struct plan_block *devices_probe(struct devices *devices, int64_t now_ns, int64_t next_due_ns,
                                 int64_t *wake_ns)
{
    uint32_t index = first_probe(devices);
    int64_t from_ns, slack_ns = next_due_ns - now_ns, sending_ns = 8 * devices->plan->byte_ns;
    struct device *device;
    bool whole;

    if (now_ns >= devices->look_ns)
        look(devices, now_ns);
    if (index == PLAN_NONE)
        return NULL;
    from_ns = devices->items[index].probe_ns;
    if (devices->down < devices->count && devices->budget_ns > from_ns)
        from_ns = devices->budget_ns;
    if (from_ns > now_ns || !choose_probe(devices, index)) {
        if (from_ns < *wake_ns)
            *wake_ns = from_ns;
        return NULL;
    }
    device = &devices->items[index];
    whole = device->probes % PROBE_WHOLE == PROBE_WHOLE - 1;
    devices->probe_timeout_ns = probe_timeout_ns(devices, index, whole);
    if (slack_ns < devices->probe_timeout_ns + sending_ns && !device->by_link) {
        devices->probe_timeout_ns = probe_timeout_ns(devices, index, false);
        if (now_ns - from_ns < DEVICE_PROBE_SHARE * devices->probe_timeout_ns)
            return NULL; /* asked again behind the next read */
    }
    return &devices->probe;
}

void devices_probed(struct devices *devices, int64_t now_ns, int64_t took_ns)
{
    devices->items[devices->probe.device].probes++;
    devices->budget_ns = now_ns + (DEVICE_PROBE_SHARE - 1) * took_ns;
}

int64_t devices_overdue_ns(const struct devices *devices)
{
    const struct modbus_bus_options *bus = devices->plan->bus->options;
    int64_t least_ns = INT64_MAX;

    for (size_t i = 0; i < devices->count; i++) {
        int64_t mean_ns = devices->plan->devices[i].measured_ns;

        if (mean_ns > 0 && mean_ns < least_ns)
            least_ns = mean_ns;
    }
    return least_ns < INT64_MAX ? 4 * least_ns + PROBE_MARGIN_NS : bus->timeout_ns / OVERDUE_OF;
}

void devices_heard(struct devices *devices, const struct plan_block *block, unsigned bytes,
                   int64_t took_ns)
{
    struct device *device = &devices->items[block->device];
    struct plan_device *known = &devices->plan->devices[block->device];
    int64_t answer_ns = took_ns - devices->plan->byte_ns * (5 + (int64_t)bytes);

    if (answer_ns < NS_PER_US)
        answer_ns = NS_PER_US;
    known->measured_ns = known->measured_ns
                             ? known->measured_ns + (answer_ns - known->measured_ns) / MEAN_OF
                             : answer_ns;
    device->slowest_ns -= device->slowest_ns / SLOWEST_FADES;
    if (answer_ns > device->slowest_ns)
        device->slowest_ns = answer_ns;
    atomic_store(&devices->host->stats[block->device].turnaround_ns, known->measured_ns);
}
