/* The reads for a set of registers cost as little as any that fetch it. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "modbus/merge.h"
#include "unit/random.h"

#define SPANS_MAX 8

static uint32_t end_of(const struct merge_span *span)
{
    return (uint32_t)span->address + span->count;
}

/* What a read for these spans costs; INT64_MAX when there must be none. */
static int64_t cost_of(const struct merge_terms *terms, const struct merge_span *spans,
                       uint32_t count, unsigned members)
{
    uint32_t first = UINT32_MAX, end = 0, low = UINT32_MAX, high = 0;
    unsigned size = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (!(members >> i & 1))
            continue;
        size++;
        first = spans[i].address < first ? spans[i].address : first;
        end = end_of(&spans[i]) > end ? end_of(&spans[i]) : end;
        low = spans[i].barriers < low ? spans[i].barriers : low;
        high = spans[i].barriers > high ? spans[i].barriers : high;
    }
    if (low != high || (size > 1 && end - first > terms->limit))
        return INT64_MAX;
    return merge_cost_ns(terms, end - first);
}

/* The least cost over all partitions of the spans in `left`: the first of them with each set of
 * others. */
static int64_t least_cost(const struct merge_terms *terms, const struct merge_span *spans,
                          uint32_t count, unsigned left, int64_t *known)
{
    unsigned rest, others;

    if (left == 0)
        return 0;
    if (known[left] >= 0)
        return known[left];
    known[left] = INT64_MAX;
    rest = left & (left - 1);
    others = rest;
    for (;;) {
        unsigned members = others | (left & ~rest);
        int64_t cost_ns = cost_of(terms, spans, count, members);

        if (cost_ns != INT64_MAX)
            cost_ns += least_cost(terms, spans, count, left & ~members, known);
        if (cost_ns < known[left])
            known[left] = cost_ns;
        if (others == 0)
            return known[left];
        others = (others - 1) & rest;
    }
}

/* Sorted by address, with gaps, overlaps and barriers. */
static uint32_t random_spans(uint64_t *seed, struct merge_span *spans)
{
    uint32_t count = 1 + (uint32_t)random_below(seed, SPANS_MAX), barriers = 0, address = 0;

    for (uint32_t i = 0; i < count; i++) {
        address += (uint32_t)random_below(seed, random_below(seed, 3) ? 6 : 60);
        barriers += random_below(seed, 8) == 0;
        spans[i] = (struct merge_span){i, barriers, (uint16_t)address,
                                       (uint16_t)(1 + random_below(seed, 8))};
    }
    return count;
}

static void no_set_of_reads_is_cheaper(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct merge_span spans[SPANS_MAX];
        struct merge_read reads[SPANS_MAX];
        uint32_t count = random_spans(&seed, spans), served = 0;
        int64_t known[1 << SPANS_MAX], sum_ns = 0;
        struct merge_terms terms = {
            .fixed_ns = (int64_t)random_below(&seed, 60) * 1000,
            .byte_ns = 1000,
            .limit = 8 + (uint32_t)random_below(&seed, 120),
            .bits = random_below(&seed, 4) == 0,
        };
        int made = merge_spans(&terms, spans, count, reads);

        assert_in_range(made, 1, count);
        for (int i = 0; i < made; i++) {
            unsigned members = ((1u << reads[i].spans) - 1) << reads[i].first;

            assert_int_equal(reads[i].first, served);
            served += reads[i].spans;
            sum_ns += merge_cost_ns(&terms, reads[i].count);
            assert_int_equal(merge_cost_ns(&terms, reads[i].count),
                             cost_of(&terms, spans, count, members));
        }
        assert_int_equal(served, count);
        for (unsigned i = 0; i < 1 << SPANS_MAX; i++)
            known[i] = -1;
        assert_int_equal(sum_ns, least_cost(&terms, spans, count, (1u << count) - 1, known));
    }
}

static void makes_nothing_of_nothing(void **state)
{
    struct merge_terms terms = {.fixed_ns = 1, .byte_ns = 1, .limit = 125};
    struct merge_read read;

    (void)state;
    assert_int_equal(merge_spans(&terms, NULL, 0, &read), 0);
}

static void reads_a_span_that_is_larger_than_the_limit_by_itself(void **state)
{
    static const struct merge_span spans[] = {{0, 0, 0, 1}, {1, 0, 1, 20}, {2, 0, 21, 1}};
    struct merge_terms terms = {.fixed_ns = 1000, .byte_ns = 1, .limit = 10};
    struct merge_read reads[3];

    (void)state;
    assert_int_equal(merge_spans(&terms, spans, 3, reads), 3);
    assert_int_equal(reads[1].address, 1);
    assert_int_equal(reads[1].count, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_set_of_reads_is_cheaper),
        cmocka_unit_test(makes_nothing_of_nothing),
        cmocka_unit_test(reads_a_span_that_is_larger_than_the_limit_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
