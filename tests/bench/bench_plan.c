/*
 * How far the planned reads of a bus are from the cheapest ones, as time on the wire. Prints one
 * JSON object. A point is read at its interval and not more often; within that the optimum is
 * searched through: over all phases of the intervals, and for small cases over all partitions of
 * the points that are due at a time, for larger ones over all ways to cut the points that are due.
 */
#include <stdio.h>
#include <string.h>

#include "modbus/plan.h"
#include "unit/random.h"

#define SMALL_CASES  1000
#define SMALL_POINTS 7
#define LARGE_CASES  20
#define LARGE_POINTS 14
#define PERIOD_S     10 /* all intervals divide it */
#define INTERVALS    4

static const unsigned intervals_s[INTERVALS] = {1, 2, 5, 10};

struct plant {
    struct modbus_bus_options bus_options;
    struct modbus_device_options device_options;
    struct modbus_point_options options[LARGE_POINTS];
    struct site_point points[LARGE_POINTS];
    struct site_device device;
    struct site_bus bus;
};

static void describe_bus(struct plant *site, uint64_t *seed)
{
    static const int32_t bauds[] = {0, 1200, 9600, 19200, 38400, 115200};

    memset(site, 0, sizeof *site);
    site->bus_options.line = (struct port_settings){.data_bits = 8, .stop_bits = 1, .parity = 'E'};
    site->bus_options.line.baud = bauds[random_below(seed, sizeof bauds / sizeof bauds[0])];
    site->bus_options.turnaround_ns = (int64_t)random_below(seed, 30) * NS_PER_MS;
    site->device_options.max_block = 10 + (int64_t)random_below(seed, 116);
    site->device_options.gap = random_below(seed, 4) ? 125 : (int64_t)random_below(seed, 10);
    site->device = (struct site_device){.id = "device", .points = site->points};
    site->device.options = &site->device_options;
    site->bus = (struct site_bus){.id = "bus", .devices = &site->device, .device_count = 1};
    site->bus.options = &site->bus_options;
}

/* Points in rising order: clusters with gaps between them, as registers of devices lie. */
static void describe_points(struct plant *site, uint64_t *seed, unsigned count, unsigned reach)
{
    static const uint16_t sizes[] = {1, 1, 1, 2, 2, 4};
    unsigned address = (unsigned)random_below(seed, 100);
    uint8_t function = random_below(seed, 5) ? MODBUS_HOLDING_REGISTERS : MODBUS_COILS;

    for (unsigned i = 0; i < count; i++) {
        struct modbus_point_options *options = &site->options[i];

        options->function = function;
        options->count = function == MODBUS_COILS ? 1 : sizes[random_below(seed, 6)];
        options->address = (uint16_t)address;
        address += options->count;
        if (random_below(seed, 3) == 0)
            address += (unsigned)random_below(seed, function == MODBUS_COILS ? 16 * reach : reach);
        site->points[i].options = options;
        site->points[i].every_ns = intervals_s[random_below(seed, 4)] * NS_PER_S;
    }
    site->device.point_count = count;
}

/* The time on the wire in one period, when the plan has settled. */
static int64_t planned_ns(struct plant *site)
{
    struct plan plan;
    int64_t sum_ns = 0, wake_ns;

    if (plan_make(&plan, &site->bus) != 0)
        return -1;
    struct merge_terms terms = plan_terms(&plan, 0, site->options[0].function);
    plan_start(&plan, 0);
    for (int64_t second = 0; second < 2 * PERIOD_S; second++) {
        struct plan_block *block;

        while ((block = plan_next(&plan, second * NS_PER_S, &wake_ns))) {
            if (second >= PERIOD_S)
                sum_ns += merge_cost_ns(&terms, block->count);
            plan_done(&plan, block, second * NS_PER_S);
        }
    }
    plan_free(&plan);
    return sum_ns;
}

/* What one read for these points costs; INT64_MAX where there must be none. */
static int64_t read_ns(const struct plant *site, const struct merge_terms *terms, unsigned members)
{
    int64_t gap = site->device_options.gap * (terms->bits ? 16 : 1);
    unsigned first = UINT32_MAX, end = 0, before = 0;
    unsigned limit = terms->limit, alone = (members & (members - 1)) == 0;

    for (unsigned i = 0; i < site->device.point_count; i++) {
        const struct modbus_point_options *options = &site->options[i];
        bool within = members >> i && first != UINT32_MAX;

        if (within && options->address > before + gap)
            return INT64_MAX;
        if (members >> i & 1) {
            first = first == UINT32_MAX ? options->address : first;
            end = options->address + options->count;
        }
        before = options->address + options->count;
    }
    return !alone && end - first > limit ? INT64_MAX : merge_cost_ns(terms, end - first);
}

/* The least cost of all partitions of a set of points: each read with the first of them, and the
 * best for the rest. */
static int64_t best_partition_ns(const struct plant *site, const struct merge_terms *terms,
                                 unsigned left, int64_t *known)
{
    unsigned rest = left & (left - 1), others = rest;

    if (left == 0 || known[left])
        return left ? known[left] : 0;
    known[left] = INT64_MAX;
    for (;; others = (others - 1) & rest) {
        unsigned members = others | (left & ~rest);
        int64_t cost_ns = read_ns(site, terms, members);

        if (cost_ns != INT64_MAX)
            cost_ns += best_partition_ns(site, terms, left & ~members, known);
        if (cost_ns < known[left])
            known[left] = cost_ns;
        if (others == 0)
            return known[left];
    }
}

/* The least cost of all ways to cut a row of points. */
static int64_t best_cut_ns(const struct plant *site, const struct merge_terms *terms, unsigned due)
{
    unsigned members[LARGE_POINTS], count = 0;
    int64_t best_ns = INT64_MAX;

    for (unsigned i = 0; i < site->device.point_count; i++) {
        if (due >> i & 1)
            members[count++] = 1u << i;
    }
    for (unsigned cuts = 0; count && cuts < 1u << (count - 1); cuts++) {
        unsigned read = 0;
        int64_t sum_ns = 0;

        for (unsigned i = 0; i < count && sum_ns != INT64_MAX; i++) {
            read |= members[i];
            if (i + 1 < count && !(cuts >> i & 1))
                continue;
            int64_t cost_ns = read_ns(site, terms, read);
            sum_ns = cost_ns == INT64_MAX ? INT64_MAX : sum_ns + cost_ns;
            read = 0;
        }
        if (sum_ns < best_ns)
            best_ns = sum_ns;
    }
    return count ? best_ns : 0;
}

/* The points whose interval is in a set of them. */
static unsigned members_of(const struct plant *site, unsigned intervals)
{
    unsigned members = 0;

    for (unsigned i = 0; i < site->device.point_count; i++) {
        for (unsigned j = 0; j < INTERVALS; j++) {
            if ((intervals >> j & 1) && site->points[i].every_ns == intervals_s[j] * NS_PER_S)
                members |= 1u << i;
        }
    }
    return members;
}

/* What the cheapest reads for each set of intervals cost. */
static void price_sets(const struct plant *site, const struct merge_terms *terms, bool small,
                       int64_t *costs_ns)
{
    int64_t known[1 << SMALL_POINTS] = {0};

    for (unsigned set = 0; set < 1 << INTERVALS; set++) {
        unsigned due = members_of(site, set);

        costs_ns[set] =
            small ? best_partition_ns(site, terms, due, known) : best_cut_ns(site, terms, due);
    }
}

/* A period in which interval i begins at second phases[i]. */
static int64_t period_ns(const int64_t *costs_ns, const unsigned *phases)
{
    int64_t sum_ns = 0;

    for (unsigned second = 0; second < PERIOD_S; second++) {
        unsigned due = 0;

        for (unsigned i = 0; i < INTERVALS; i++)
            due |= (unsigned)(second % intervals_s[i] == phases[i]) << i;
        sum_ns += costs_ns[due];
    }
    return sum_ns;
}

static int64_t best_period_ns(const int64_t *costs_ns)
{
    int64_t best_ns = INT64_MAX;

    for (unsigned phase = 0; phase < 2 * 5 * 10; phase++) {
        int64_t sum_ns = period_ns(costs_ns, (unsigned[]){0, phase % 2, phase / 2 % 5, phase / 10});

        best_ns = sum_ns < best_ns ? sum_ns : best_ns;
    }
    return best_ns;
}

int main(void)
{
    uint64_t seed = 1;
    double worst = 0, sum = 0, worst_in_step = 0;

    for (unsigned i = 0; i < SMALL_CASES + LARGE_CASES; i++) {
        bool small = i < SMALL_CASES;
        struct plant site;
        struct plan plan;
        int64_t costs_ns[1 << INTERVALS];

        describe_bus(&site, &seed);
        describe_points(&site, &seed,
                        small ? 2 + (unsigned)random_below(&seed, SMALL_POINTS - 1) : LARGE_POINTS,
                        small ? 120 : 40);
        if (plan_make(&plan, &site.bus) != 0)
            return 1;
        struct merge_terms terms = plan_terms(&plan, 0, site.options[0].function);
        plan_free(&plan);
        price_sets(&site, &terms, small, costs_ns);
        double best = (double)best_period_ns(costs_ns);
        double ratio = (double)planned_ns(&site) / best;
        double in_step = (double)period_ns(costs_ns, (unsigned[INTERVALS]){0}) / best;
        worst_in_step = in_step > worst_in_step ? in_step : worst_in_step;
        worst = ratio > worst ? ratio : worst;
        sum += ratio;
    }
    printf("{\"bench\":\"field\",\"figure\":\"plan_optimal\",\"value\":%.4f,\"unit\":\"of the "
           "optimum\",\"settings\":{\"small_cases\":%d,\"large_cases\":%d,\"mean\":%.4f,\"in_step_"
           "worst\":%.4f}}\n",
           worst, SMALL_CASES, LARGE_CASES, sum / (SMALL_CASES + LARGE_CASES), worst_in_step);
    return worst > 0 && worst < 100 ? 0 : 1;
}
