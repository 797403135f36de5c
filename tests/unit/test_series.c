/* The history of a point in buckets: exact where there is time for that, else sampled, and said so.
 */
// links: sluice_web
#include "unit/journal_kit.h"

#include "core/status.h"
#include "web/series.h"

#define SECONDS 200
#define BUCKETS 20

static struct series read_series(struct kit *kit, struct feed_query *query,
                                 struct series_bucket *buckets, size_t count, int64_t work_ns)
{
    struct series series = {
        .query = query, .work_ns = work_ns, .bucket_count = count, .buckets = buckets};

    memset(buckets, 0, count * sizeof *buckets);
    assert_int_equal(series_read(&series, kit->journal), 0);
    return series;
}

/* In each second the flow reads 10 values from 100 t to 100 t + 9, among `others` of another point.
 */
static struct feed_query fill(struct kit *kit, int others)
{
    struct feed_query query = {.from_ns = kit->wall_ns,
                               .to_ns = kit->wall_ns + SECONDS * NS_PER_S,
                               .device = "meter",
                               .point = "flow"};
    kit->options.segment_bytes = 32 * 1024;
    kit_open(kit);
    assert_int_equal(kit_declare(kit, "meter", "flow"), 1);
    assert_int_equal(kit_declare(kit, "meter", "other"), 2);
    for (int t = 0; t < SECONDS; t++) {
        for (int i = 0; i < 10; i++) {
            kit_put(kit, 1, 100 * t + i);
            for (int o = 0; o < others; o++)
                kit_put(kit, 2, o);
        }
        kit_flush(kit);
        kit_pass(kit, NS_PER_S);
    }
    return query;
}

static void each_bucket_has_least_greatest_mean_last_and_count(void **state)
{
    struct series_bucket buckets[BUCKETS];
    struct feed_query query = fill(*state, 1);
    struct series series = read_series(*state, &query, buckets, BUCKETS, 0);
    int seconds = SECONDS / BUCKETS;

    assert_int_equal(series.read, series.events);
    assert_string_equal(series.stream.unit, "°C");
    for (int b = 0; b < BUCKETS; b++) {
        int first = b * seconds, last = first + seconds - 1;

        assert_int_equal(buckets[b].count, 10 * seconds);
        assert_true(buckets[b].minimum == 100 * first);
        assert_true(buckets[b].maximum == 100 * last + 9);
        assert_true(buckets[b].last == 100 * last + 9);
        assert_true(buckets[b].sum / buckets[b].count == 50.0 * (first + last) + 4.5);
        assert_int_equal(buckets[b].bad, 0);
    }
}

static void a_part_of_the_time_has_only_what_was_in_it(void **state)
{
    struct series_bucket buckets[BUCKETS];
    struct feed_query query = fill(*state, 1);

    query.from_ns += 50 * NS_PER_S;
    query.to_ns = query.from_ns + 20 * NS_PER_S;
    read_series(*state, &query, buckets, BUCKETS, 0);
    for (int b = 0; b < BUCKETS; b++) {
        assert_int_equal(buckets[b].count, 10);
        assert_true(buckets[b].minimum == 100 * (50 + b));
    }
    query.from_ns += 1000 * NS_PER_S;
    query.to_ns += 1000 * NS_PER_S;
    struct series series = read_series(*state, &query, buckets, BUCKETS, 0);
    assert_int_equal(series.events, 0);
    for (int b = 0; b < BUCKETS; b++)
        assert_int_equal(buckets[b].count, 0);
}

static void put_of(struct kit *kit, int64_t mono_ns, uint32_t stream, struct value value,
                   uint16_t status)
{
    struct event event = {.stream = stream,
                          .mono_ns = mono_ns,
                          .kind = EVENT_READING,
                          .status = status,
                          .value = value};
    assert_int_equal(journal_put(kit->journal, &event), 0);
}

static void put(struct kit *kit, uint32_t stream, struct value value, uint16_t status)
{
    put_of(kit, kit->mono_ns, stream, value, status);
}

/* Of another bus, whose reply took longer. */
static void what_was_stored_a_little_later_than_its_time_is_in_it(void **state)
{
    struct kit *kit = *state;
    struct series_bucket buckets[BUCKETS];
    struct feed_query query = fill(kit, 1);

    put_of(kit, kit->mono_ns - 5 * NS_PER_S, 1, (struct value){.type = VALUE_F64, .f = -1}, 0);
    kit_flush(kit);
    query.to_ns -= 3 * NS_PER_S;
    query.from_ns = query.to_ns - 10 * NS_PER_S;
    read_series(kit, &query, buckets, 1, 0);
    assert_int_equal(buckets[0].count, 101);
    assert_true(buckets[0].minimum == -1);
}

static void what_takes_too_long_is_sampled_over_the_whole_span(void **state)
{
    struct series_bucket buckets[BUCKETS];
    struct feed_query query = fill(*state, 100);
    struct series series = read_series(*state, &query, buckets, BUCKETS, 1);
    int seconds = SECONDS / BUCKETS, filled = 0;

    assert_true(series.read < series.events / 4);
    assert_true(series.read > 0);
    for (int b = 0; b < BUCKETS; b++) {
        if (buckets[b].count == 0)
            continue;
        filled++;
        assert_true(buckets[b].minimum >= 100 * b * seconds);
        assert_true(buckets[b].maximum <= 100 * (b * seconds + seconds - 1) + 9);
    }
    assert_true(filled >= 10);
    series = read_series(*state, &query, buckets, BUCKETS, NS_PER_S * 3600);
    assert_int_equal(series.read, series.events);
}

static void knows_bad_values_and_all_kinds_of_numbers_of_all_versions(void **state)
{
    struct kit *kit = *state;
    struct stream stream = {.type = VALUE_BOOL, .device = "pump", .point = "on"};
    struct series_bucket buckets[1];
    struct feed_query query = {
        .from_ns = kit->wall_ns, .to_ns = kit->wall_ns + NS_PER_S, .device = "pump", .point = "on"};

    kit_open(kit);
    assert_int_equal(journal_declare(kit->journal, &stream), 0);
    put(kit, stream.number, (struct value){.type = VALUE_BOOL, .b = true}, 0);
    put(kit, stream.number, (struct value){.type = VALUE_NONE}, STATUS_TIMEOUT);
    stream.type = VALUE_I64;
    assert_int_equal(journal_declare(kit->journal, &stream), 0);
    put(kit, stream.number, (struct value){.type = VALUE_I64, .i = -3}, 0);
    put(kit, stream.number, (struct value){.type = VALUE_U64, .u = 7}, STATUS_UNSTABLE);
    put(kit, stream.number, (struct value){.type = VALUE_TEXT, .size = 2, .data = "12"}, 0);
    kit_flush(kit);
    read_series(kit, &query, buckets, 1, 0);
    assert_int_equal(buckets[0].count, 3);
    assert_int_equal(buckets[0].bad, 1);
    assert_true(buckets[0].minimum == -3 && buckets[0].maximum == 7 && buckets[0].sum == 5);

    struct series series = {.query = &query, .bucket_count = 1, .buckets = buckets};
    query.point = "off";
    assert_int_equal(series_read(&series, kit->journal), ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_bucket_has_least_greatest_mean_last_and_count),
        TEST(a_part_of_the_time_has_only_what_was_in_it),
        TEST(what_was_stored_a_little_later_than_its_time_is_in_it),
        TEST(what_takes_too_long_is_sampled_over_the_whole_span),
        TEST(knows_bad_values_and_all_kinds_of_numbers_of_all_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
