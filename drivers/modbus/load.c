#include "modbus/load.h"

#include <inttypes.h>
#include <stdio.h>

#include "modbus/link.h"
#include "modbus/plan.h"

#define SHARE_WISE 0.8 /* of the wire's time: leaves room for retries and probes */

/* Request and reply with address and checksum, the device's turnaround, and a silence behind each.
 */
static double transaction_s(const struct modbus_bus_options *bus, const struct plan_block *block)
{
    unsigned bytes = 8 + 5 + pdu_data_size(block->function, block->count);

    return (double)(link_bytes_ns(bus, bytes) + 2 * link_silence_ns(bus) + bus->turnaround_ns) /
           (double)NS_PER_S;
}

static double rate_of(const struct plan_block *block)
{
    return (double)NS_PER_S / (double)(block->every_ns > 0 ? block->every_ns : 1);
}

static double share(const struct plan *plan, const struct modbus_bus_options *bus)
{
    double sum = 0;

    for (size_t i = 0; i < plan->block_count; i++)
        sum += rate_of(&plan->blocks[i]) * transaction_s(bus, &plan->blocks[i]);
    return sum;
}

/* The lowest usual rate at which all fits; 0 when none does. */
static int32_t rate_that_fits(const struct plan *plan, const struct modbus_bus_options *bus)
{
    static const int32_t rates[] = {9600, 19200, 38400, 57600, 115200};
    struct modbus_bus_options faster = *bus;

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        if (rates[i] <= bus->line.baud)
            continue;
        faster.line.baud = rates[i];
        if (share(plan, &faster) <= SHARE_WISE)
            return rates[i];
    }
    return 0;
}

/* The device that takes most of the wire, and the shortest of its intervals. */
static const struct site_device *hungriest(const struct plan *plan,
                                           const struct modbus_bus_options *bus, double *most_share,
                                           int64_t *every_ns)
{
    const struct site_device *found = NULL;

    *most_share = 0;
    for (uint32_t d = 0; d < plan->bus->device_count; d++) {
        double sum = 0;
        int64_t shortest = INT64_MAX;

        for (size_t i = 0; i < plan->block_count; i++) {
            const struct plan_block *block = &plan->blocks[i];

            if (block->device != d)
                continue;
            sum += rate_of(block) * transaction_s(bus, block);
            if (block->every_ns < shortest)
                shortest = block->every_ns;
        }
        if (sum > *most_share) {
            *most_share = sum;
            *every_ns = shortest;
            found = &plan->bus->devices[d];
        }
    }
    return found;
}

/* "poll X every 2s", with an interval at which all fits when this device alone is slowed down; or
 * all must be. */
static void advise_interval(const struct plan *plan, const struct modbus_bus_options *bus,
                            double all, char *out, size_t size)
{
    double most;
    int64_t every = 0;
    const struct site_device *device = hungriest(plan, bus, &most, &every);
    double others = all - most;

    if (device && others < SHARE_WISE) {
        double wanted_s = (double)every / (double)NS_PER_S * most / (SHARE_WISE - others);

        snprintf(out, size, "poll %s every %" PRId64 " %s", device->id,
                 wanted_s < 1 ? (int64_t)(wanted_s * 100 + 1) * 10 : (int64_t)wanted_s + 1,
                 wanted_s < 1 ? "ms" : "s");
    } else {
        snprintf(out, size, "poll all its devices %.1f times as seldom", all / SHARE_WISE);
    }
}

static void advise(const struct plan *plan, const struct modbus_bus_options *bus,
                   struct driver_load *load)
{
    int32_t rate = rate_that_fits(plan, bus);
    char slower[128], faster[48] = "";

    advise_interval(plan, bus, load->busy_share, slower, sizeof slower);
    if (rate)
        snprintf(faster, sizeof faster, "raise the baud to %" PRId32 ", or ", rate);
    snprintf(load->note, sizeof load->note, "this line needs %.1f s each second: %s%s",
             load->busy_share, faster, slower);
}

static void count_requests(const struct plan *plan, struct driver_load *load)
{
    for (size_t i = 0; i < plan->block_count; i++)
        load->requests_per_s += rate_of(&plan->blocks[i]);
}

void modbus_rtu_load(const struct site_bus *bus, struct driver_load *load)
{
    struct plan plan;

    *load = (struct driver_load){.busy_share = -1};
    if (plan_make(&plan, bus) != 0)
        return;
    count_requests(&plan, load);
    load->busy_share = share(&plan, bus->options);
    if (load->busy_share > 1)
        advise(&plan, bus->options, load);
    plan_free(&plan);
}

void modbus_tcp_load(const struct site_bus *bus, struct driver_load *load)
{
    struct plan plan;

    *load = (struct driver_load){.busy_share = -1};
    if (plan_make(&plan, bus) != 0)
        return;
    count_requests(&plan, load);
    plan_free(&plan);
}
