#include "modbus/devices.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"

int devices_make(struct devices *devices, struct plan *plan, struct driver_host *host)
{
    size_t count = plan->bus->device_count;

    *devices = (struct devices){.host = host, .plan = plan, .count = count};
    devices->random = (uint64_t)clock_wall(host->clock) ^ plan->bus->fingerprint;
    devices->items = calloc(count ? count : 1, sizeof *devices->items);
    if (!devices->items)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        devices->items[i].block = UINT32_MAX;
    for (size_t i = plan->block_count; i-- > 0;)
        devices->items[plan->blocks[i].device].block = (uint32_t)i;
    return 0;
}

void devices_free(struct devices *devices)
{
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
    atomic_store(&devices->host->stats[index].next_probe_ns, probe_ns);
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
        sink_reading(devices->host->sink, &device->points[i], now, NULL, status);
}

static void go_down(struct devices *devices, uint32_t index, uint16_t status)
{
    struct device *device = &devices->items[index];

    device->down = true;
    device->failures = 0;
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
    log_warn("modbus", "bus %s: device %s (unit %d) is down: %s (%s)", bus_id(devices), site->id,
             (int)((const struct modbus_device_options *)site->options)->unit, status_why(status),
             status_help(status));
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

static int64_t timeout_of(const struct devices *devices, uint32_t index)
{
    const struct modbus_device_options *device = site_device(devices, index)->options;
    const struct modbus_bus_options *bus = devices->plan->bus->options;

    return device->timeout_ns ? device->timeout_ns : bus->timeout_ns;
}

struct plan_block *devices_probe(struct devices *devices, int64_t now_ns, int64_t next_due_ns,
                                 int64_t *wake_ns)
{
    const struct device *first = NULL;
    uint32_t index = 0;

    for (uint32_t i = 0; i < devices->count; i++) {
        const struct device *device = &devices->items[i];

        if (device->down && device->block != UINT32_MAX &&
            (!first || device->probe_ns < first->probe_ns)) {
            first = device;
            index = i;
        }
    }
    if (!first)
        return NULL;
    if (first->probe_ns > now_ns) {
        if (first->probe_ns < *wake_ns)
            *wake_ns = first->probe_ns;
        return NULL;
    }
    if (next_due_ns - timeout_of(devices, index) >= now_ns || devices->budget_ns <= now_ns)
        return &devices->plan->blocks[first->block];
    if (devices->budget_ns < *wake_ns)
        *wake_ns = devices->budget_ns;
    return NULL;
}

void devices_probed(struct devices *devices, int64_t now_ns, int64_t took_ns)
{
    devices->budget_ns = now_ns + (DEVICE_PROBE_SHARE - 1) * took_ns;
}
