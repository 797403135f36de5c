/* Looks into the past, and at a journal that another process writes. */
// links: sluice_journal
#include "unit/journal_kit.h"

#define STREAMS 3

struct values {
    double last[16];
    int64_t wall_ns[16];
    int count;
};

static void see(void *context, const struct event *event)
{
    struct values *values = context;
    assert_int_equal(event->kind, EVENT_READING);
    values->last[event->stream] = event->value.f;
    values->wall_ns[event->stream] = event->wall_ns;
    values->count++;
}

/* 200 seconds with one reading of each stream in each; stream s in second t reads 1000 s + t. */
static int64_t live(struct kit *kit)
{
    int64_t from_ns = kit->wall_ns;
    kit->options.segment_bytes = 32 * 1024;
    kit_open(kit);
    for (int s = 1; s <= STREAMS; s++) {
        char point[16];
        snprintf(point, sizeof(point), "p%d", s);
        assert_int_equal(kit_declare(kit, "meter", point), s);
    }
    for (int t = 0; t < 200; t++) {
        for (int s = 1; s <= STREAMS; s++)
            kit_put(kit, (uint32_t)s, 1000 * s + t);
        for (int i = 0; i < 200; i++) /* so that segments roll */
            kit_put(kit, 1, 1000 + t);
        kit_flush(kit);
        kit_pass(kit, NS_PER_S);
    }
    return from_ns;
}

static void expect_past(struct journal *journal, int64_t from_ns)
{
    for (int t = 0; t < 200; t += 7) {
        struct values values = {0};
        assert_int_equal(
            journal_state_at(journal, from_ns + t * NS_PER_S + NS_PER_MS, see, &values), 0);
        assert_int_equal(values.count, STREAMS);
        for (int s = 1; s <= STREAMS; s++) {
            assert_true(values.last[s] == 1000 * s + t);
            assert_int_equal(values.wall_ns[s], from_ns + t * NS_PER_S);
        }
    }
    struct values values = {0};
    assert_int_equal(journal_state_at(journal, from_ns - 1, see, &values), ERR_NOT_FOUND);
}

static void tells_the_state_of_any_moment(void **state)
{
    struct kit *kit = *state;
    int64_t from_ns = live(kit);
    struct journal_stats stats;
    journal_stats(kit->journal, &stats);
    assert_true(stats.segments > 2);
    expect_past(kit->journal, from_ns);
    kit_close(kit);
    kit_open(kit);
    expect_past(kit->journal, from_ns);
}

/* As when one bus waits for the disk for longer than another: what it read is stored later. */
static void counts_an_event_that_was_stored_behind_later_ones(void **state)
{
    struct kit *kit = *state;
    int64_t before_ns, wall_ns = kit->wall_ns;

    kit->options.segment_bytes = 32 * 1024;
    kit_open(kit);
    assert_int_equal(kit_declare(kit, "meter", "late"), 1);
    assert_int_equal(kit_declare(kit, "meter", "punctual"), 2);
    kit_fill(kit, 1, 7, 1);
    kit_pass(kit, 10 * NS_PER_S);
    before_ns = kit->mono_ns;
    kit_pass(kit, 20 * NS_PER_S);
    for (int i = 0; i < 20; i++) /* so that it is in another segment */
        kit_fill(kit, 2, 100, 500);
    struct event late = {.stream = 1,
                         .mono_ns = before_ns,
                         .kind = EVENT_READING,
                         .value = {.type = VALUE_F64, .f = 8}};
    assert_int_equal(journal_put(kit->journal, &late), 0);
    kit_flush(kit);
    for (int64_t at = 5; at < 60; at += 10) {
        struct values values = {0};

        assert_int_equal(journal_state_at(kit->journal, wall_ns + at * NS_PER_S, see, &values), 0);
        assert_true(values.last[1] == (at < 10 ? 7 : 8));
        assert_int_equal(values.count, at < 30 ? 1 : 2);
    }
}

/* Its only events waited for the first segment. */
static void the_ends_of_a_journal_of_a_moment_can_be_asked_for(void **state)
{
    struct kit *kit = *state;
    struct journal_stats stats;
    struct values values = {0};

    kit_open(kit);
    assert_int_equal(kit_declare(kit, "meter", "p1"), 1);
    struct event event = {.stream = 1,
                          .mono_ns = kit->mono_ns - 300 * NS_PER_MS,
                          .kind = EVENT_READING,
                          .value = {.type = VALUE_F64, .f = 7}};
    assert_int_equal(journal_put(kit->journal, &event), 0);
    kit_flush(kit);
    journal_stats(kit->journal, &stats);
    assert_true(stats.oldest_wall_ns <= stats.newest_wall_ns);
    assert_int_equal(journal_state_at(kit->journal, stats.oldest_wall_ns, see, &values), 0);
    assert_int_equal(journal_state_at(kit->journal, stats.newest_wall_ns, see, &values), 0);
    assert_int_equal(values.count, 2);
    assert_true(values.last[1] == 7);
}

static void finds_events_by_time(void **state)
{
    struct kit *kit = *state;
    int64_t from_ns = live(kit);
    struct reader *reader;
    struct event event;
    assert_int_equal(reader_open(&reader, kit->journal, 0), 0);
    for (int t = 0; t < 200; t += 9) {
        assert_int_equal(reader_seek_time(reader, from_ns + t * NS_PER_S), 0);
        assert_int_equal(kit_next(reader, &event), 1);
        assert_int_equal(event.wall_ns, from_ns + t * NS_PER_S);
        assert_int_equal(event.stream, 1);
    }
    assert_int_equal(reader_seek_time(reader, from_ns + 1000 * NS_PER_S), 0);
    assert_int_equal(kit_next(reader, &event), 0);
    assert_int_equal(reader_seek_time(reader, 0), 0);
    assert_int_equal(reader_position(reader), 1);
    reader_close(reader);
}

static void is_read_beside_its_writer_without_being_changed(void **state)
{
    struct kit *kit = *state;
    struct io io;
    struct journal *beside;
    struct reader *reader;
    struct event event;
    struct stream stream;
    int64_t from_ns = live(kit);
    uint64_t durable = journal_durable(kit->journal, NULL);

    assert_int_equal(io_posix_open(&io, kit->folder), 0);
    struct journal *second;
    assert_int_equal(journal_open(&second, &(struct journal_options){.io = &io,
                                                                     .clock = &kit->clock,
                                                                     .gateway_id = "plant7"}),
                     ERR_BUSY);
    assert_int_equal(journal_open_read_only(&beside, &io), 0);
    assert_int_equal(journal_durable(beside, NULL), durable);
    assert_non_null(journal_stream(beside, 2, &stream));
    assert_string_equal(stream.point, "p2");
    expect_past(beside, from_ns);
    assert_int_equal(reader_open(&reader, beside, 1), 0);
    for (uint64_t n = 1; n <= durable; n++) {
        assert_int_equal(reader_next(reader, &event), 1);
        assert_int_equal(event.n, n);
    }
    assert_int_equal(reader_next(reader, &event), 0);
    reader_close(reader);
    journal_close(beside);
    io_posix_close(&io);
    kit_fill(kit, 1, 0, 10);
}

struct told {
    int count;
    char last[256];
};

static void hear(void *context, const char *segment, int64_t offset, const char *sentence)
{
    struct told *told = context;
    (void)offset;
    told->count++;
    snprintf(told->last, sizeof(told->last), "%s: %s", segment, sentence);
}

static void verify_finds_what_is_damaged(void **state)
{
    struct kit *kit = *state;
    struct told told = {0};
    uint8_t byte;
    live(kit);
    kit_close(kit);
    assert_int_equal(journal_verify(&kit->io, hear, &told), 0);
    kit_fetch(kit, "segment-00000002", 20000, &byte, 1);
    byte ^= 0x10;
    kit_patch(kit, "segment-00000002", 20000, &byte, 1);
    assert_true(journal_verify(&kit->io, hear, &told) > 0);
    assert_non_null(strstr(told.last, "segment-00000002"));
}

/* Near enough for looks that are spread over many events, and never in the middle of nowhere. */
static void a_sample_begins_near_the_event_that_is_meant(void **state)
{
    struct kit *kit = *state;
    struct reader *reader;
    struct event event;
    uint64_t durable;

    live(kit);
    durable = journal_durable(kit->journal, NULL);
    assert_int_equal(reader_open(&reader, kit->journal, 0), 0);
    for (uint64_t n = 1; n <= durable; n += durable / 50) {
        assert_int_equal(reader_sample(reader, n), 0);
        uint64_t at = reader_position(reader);
        assert_in_range(at, n > 2000 ? n - 2000 : 1, n + 2000);
        for (uint64_t i = 0; i < 500 && at + i <= durable; i++) {
            assert_int_equal(reader_next(reader, &event), 1);
            assert_int_equal(event.n, at + i);
        }
    }
    assert_int_equal(reader_sample(reader, durable + 5), 0);
    assert_int_equal(reader_next(reader, &event), 0);
    reader_close(reader);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(tells_the_state_of_any_moment),
        TEST(counts_an_event_that_was_stored_behind_later_ones),
        TEST(the_ends_of_a_journal_of_a_moment_can_be_asked_for),
        TEST(finds_events_by_time),
        TEST(a_sample_begins_near_the_event_that_is_meant),
        TEST(is_read_beside_its_writer_without_being_changed),
        TEST(verify_finds_what_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
