/* The journal from outside: what is put is stored, read, and still there after it was opened again.
 */
// links: sluice_journal
#include "unit/journal_kit.h"

#include <pthread.h>
#include <sched.h>

static void gives_back_what_was_put(void **state)
{
    struct kit *kit = *state;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_fill(kit, stream, 0, 1000);

    struct reader *reader;
    struct event event;
    assert_int_equal(reader_open(&reader, kit->journal, 0), 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(kit_next(reader, &event), 1);
        assert_int_equal(event.stream, stream);
        assert_true(event.value.f == i);
        assert_int_equal(event.wall_ns, kit->wall_ns);
        assert_int_equal(event.trust, CLOCK_SYNCHRONISED);
    }
    assert_int_equal(kit_next(reader, &event), 0);
    kit_fill(kit, stream, 1000, 1);
    assert_int_equal(kit_next(reader, &event), 1);
    assert_true(event.value.f == 1000);
    assert_int_equal(event.n, journal_durable(kit->journal, NULL));
    reader_close(reader);
}

static void keeps_events_epoch_and_streams_over_a_clean_restart(void **state)
{
    struct kit *kit = *state;
    uint32_t epoch, again;
    struct stream stream;
    kit_open(kit);
    uint32_t number = kit_declare(kit, "boiler", "supply_temp");
    kit_fill(kit, number, 0, 10);
    uint64_t durable = journal_durable(kit->journal, &epoch);
    kit_close(kit);

    kit_open(kit);
    assert_int_equal(journal_durable(kit->journal, &again), durable);
    assert_int_equal(epoch, again);
    assert_int_equal(kit_declare(kit, "boiler", "supply_temp"), number);
    assert_non_null(journal_stream(kit->journal, number, &stream));
    assert_string_equal(stream.device, "boiler");
    assert_string_equal(stream.unit, "°C");
    kit_fill(kit, number, 10, 10);

    struct reader *reader;
    struct event event;
    assert_int_equal(reader_open(&reader, kit->journal, 1), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(kit_next(reader, &event), 1);
        assert_true(event.value.f == i);
    }
    assert_int_equal(kit_next(reader, &event), 0);
    reader_close(reader);
}

static void begins_a_new_epoch_after_an_unclean_end(void **state)
{
    struct kit *kit = *state;
    uint32_t epoch, again;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_fill(kit, stream, 0, 10);
    uint64_t durable = journal_durable(kit->journal, &epoch);
    int64_t last_ns = kit->wall_ns;
    kit_crash(kit);

    kit_pass(kit, 3600 * NS_PER_S);
    kit_open(kit);
    struct reader *reader;
    struct event event;
    char expected[64];
    assert_int_equal(reader_open(&reader, kit->journal, durable + 1), 0);
    assert_int_equal(reader_next(reader, &event), 1);
    assert_int_equal(event.n, durable + 1);
    assert_int_equal(event.kind, EVENT_LIFECYCLE);
    snprintf(expected, sizeof(expected), "epoch %08x %llu unclean start", epoch,
             (unsigned long long)durable);
    assert_int_equal(event.value.size, strlen(expected));
    assert_memory_equal(event.value.data, expected, strlen(expected));
    assert_int_equal(reader_next(reader, &event), 1);
    assert_int_equal(event.kind, EVENT_GAP);
    assert_int_equal(event.value.gap->reason, GAP_CRASH);
    assert_int_equal(event.value.gap->extent_ms, 20);
    journal_durable(kit->journal, &again);
    assert_int_not_equal(epoch, again);
    assert_int_equal(event.epoch, again);
    struct journal_previous previous;
    journal_previous(kit->journal, &previous);
    assert_int_equal(previous.epoch, epoch);
    assert_int_equal(previous.last, durable);
    assert_string_equal(previous.why, "unclean start");
    assert_int_equal(previous.newest_ns, last_ns);

    /* All ten are there, once, although the last frame was written again. */
    reader_seek(reader, 1);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(kit_next(reader, &event), 1);
        assert_true(event.value.f == i);
        assert_int_equal(event.epoch, epoch);
    }
    assert_int_equal(kit_next(reader, &event), 1);
    assert_int_equal(event.kind, EVENT_GAP);
    assert_int_equal(kit_next(reader, &event), 0);
    reader_close(reader);
}

static void learns(struct kit *kit, uint32_t stream, const char *text)
{
    struct event event = {.kind = EVENT_CONFIG, .stream = stream, .mono_ns = kit->mono_ns};

    event.value.type = VALUE_TEXT;
    event.value.data = text;
    event.value.size = (uint16_t)strlen(text);
    assert_int_equal(journal_put(kit->journal, &event), 0);
    assert_int_equal(journal_flush(kit->journal, KIT_WAIT_NS), 0);
}

static void assert_learnt(struct kit *kit, uint32_t stream, const char *text)
{
    char out[64];
    size_t size = journal_learnt(kit->journal, stream, out, sizeof(out));

    assert_int_equal(size, strlen(text));
    assert_memory_equal(out, text, size);
}

static void keeps_what_drivers_learnt_when_its_event_is_long_gone(void **state)
{
    struct kit *kit = *state;
    kit->options.keep_bytes = 3 * 64 * 1024;
    kit_open(kit);
    uint32_t boiler = kit_declare(kit, "boiler", ""), meter = kit_declare(kit, "meter", "");
    uint32_t point = kit_declare(kit, "boiler", "supply_temp");

    assert_learnt(kit, boiler, "");
    learns(kit, boiler, "learnt=1 registers=60");
    learns(kit, meter, "learnt=1");
    learns(kit, boiler, "learnt=1 registers=61");
    assert_learnt(kit, boiler, "learnt=1 registers=61");
    assert_int_equal(journal_learnt(kit->journal, boiler, NULL, 3), 0);
    kit_fill(kit, point, 0, 100000);
    struct journal_stats stats;
    journal_stats(kit->journal, &stats);
    assert_true(stats.oldest > 10);
    kit_close(kit);
    kit_open(kit);
    assert_learnt(kit, boiler, "learnt=1 registers=61");
    assert_learnt(kit, meter, "learnt=1");
    assert_learnt(kit, point, "");
    kit_close(kit);
}

static void rolls_segments_and_reads_across_them(void **state)
{
    struct kit *kit = *state;
    struct journal_stats stats;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    for (int i = 0; i < 40; i++)
        kit_fill(kit, stream, 1000 * i, 1000);
    journal_stats(kit->journal, &stats);
    assert_true(stats.segments > 3);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.produced, stats.stored);
    kit_close(kit);
    kit_open(kit);

    struct reader *reader;
    struct event event;
    assert_int_equal(reader_open(&reader, kit->journal, 0), 0);
    for (int i = 0; i < 40000; i++) {
        assert_int_equal(kit_next(reader, &event), 1);
        assert_true(event.value.f == i);
    }
    assert_int_equal(kit_next(reader, &event), 0);
    reader_close(reader);
}

static void a_full_lane_refuses_the_newest_and_the_ledger_adds_up(void **state)
{
    struct kit *kit = *state;
    struct lane *lane;
    struct journal_stats stats;
    struct journal_stream_ledger ledger;
    enum { PUT = 2000 };
    static struct event events[PUT];
    kit->options.commit_ns = 3600 * NS_PER_S;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_flush(kit);
    assert_int_equal(lane_open(&lane, kit->journal, 16384), 0);
    for (int i = 0; i < PUT; i++)
        events[i] = (struct event){.stream = stream,
                                   .mono_ns = kit->mono_ns,
                                   .kind = EVENT_READING,
                                   .value = {.type = VALUE_F64, .f = i}};
    size_t taken = lane_put(lane, events, PUT); /* the ring holds 512 */
    assert_true(taken >= 512 && taken < PUT);
    kit_flush(kit);
    journal_stats(kit->journal, &stats);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.refused, PUT - taken);
    assert_int_equal(stats.dropped[GAP_OVERLOAD], PUT - taken);
    assert_int_equal(stats.produced, stats.stored + stats.refused);
    assert_int_equal(journal_stream_ledger(kit->journal, stream, &ledger), 0);
    assert_int_equal(ledger.refused, PUT - taken);
    assert_int_equal(ledger.stored, taken + 1);

    struct reader *reader;
    struct event event;
    assert_int_equal(reader_open(&reader, kit->journal, 1), 0);
    for (size_t i = 0; i < taken; i++) {
        assert_int_equal(kit_next(reader, &event), 1);
        assert_true(event.value.f == (double)i);
    }
    assert_int_equal(kit_next(reader, &event), 1);
    assert_int_equal(event.kind, EVENT_GAP);
    assert_int_equal(event.value.gap->reason, GAP_OVERLOAD);
    assert_int_equal(event.value.gap->count, PUT - taken);
    reader_close(reader);
    lane_close(lane);
}

static void what_cannot_be_stored_is_refused(void **state)
{
    struct kit *kit = *state;
    struct lane *lane;
    kit_open(kit);
    struct event event = {.stream = 1, .kind = EVENT_READING, .value = {.type = VALUE_F64}};
    assert_int_equal(journal_put(kit->journal, &event), ERR_INVALID); /* no such stream */
    event.stream = 0;
    event.kind = EVENT_DECLARE;
    assert_int_equal(journal_put(kit->journal, &event), ERR_INVALID);
    assert_int_equal(lane_open(&lane, kit->journal, 0), 0);
    assert_int_equal(lane_put(lane, &event, 1), 0);
    lane_close(lane);
    struct stream nameless = {.type = VALUE_F64};
    assert_int_equal(journal_declare(kit->journal, &nameless), ERR_INVALID);
}

static void ten_thousand_streams_cost_few_commits_and_come_back(void **state)
{
    struct kit *kit = *state;
    struct journal_stats stats;
    enum { STREAMS = 10000 };
    char point[32];
    kit->options.commit_ns = NS_PER_S;
    kit->options.keep_bytes = 64 * 1024 * 1024;
    kit_open(kit);
    for (int i = 0; i < STREAMS; i++) {
        snprintf(point, sizeof(point), "point-%d", i);
        assert_int_equal(kit_declare(kit, "meter", point), i + 1);
    }
    for (int i = 0; i < STREAMS; i++)
        kit_put(kit, (uint32_t)i + 1, i);
    kit_flush(kit);
    journal_stats(kit->journal, &stats);
    assert_true(stats.commits < 100);
    assert_int_equal(stats.stored, 2 * STREAMS);
    kit_close(kit);
    kit_open(kit);
    for (int i = STREAMS - 1; i >= 0; i--) {
        struct journal_stream_ledger ledger;
        snprintf(point, sizeof(point), "point-%d", i);
        assert_int_equal(kit_declare(kit, "meter", point), i + 1);
        assert_int_equal(journal_stream_ledger(kit->journal, (uint32_t)i + 1, &ledger), 0);
        assert_int_equal(ledger.stored, 2);
    }
    kit_flush(kit);
    assert_int_equal(journal_durable(kit->journal, NULL), 2 * STREAMS);
}

static void a_changed_stream_gets_the_next_version_and_a_new_number(void **state)
{
    struct kit *kit = *state;
    struct stream stream = {
        .type = VALUE_F64, .decimals = 1, .device = "boiler", .point = "flow", .unit = "m3/h"};
    kit_open(kit);
    assert_int_equal(journal_declare(kit->journal, &stream), 0);
    assert_int_equal(stream.number, 1);
    assert_int_equal(stream.version, 1);
    strcpy(stream.unit, "l/s");
    assert_int_equal(journal_declare(kit->journal, &stream), 0);
    assert_int_equal(stream.number, 2);
    assert_int_equal(stream.version, 2);
    stream.type = VALUE_I64;
    assert_int_equal(journal_declare(kit->journal, &stream), 0);
    assert_int_equal(stream.number, 3);
    kit_close(kit);
    kit_open(kit);
    assert_int_equal(journal_declare(kit->journal, &stream), 0);
    assert_int_equal(stream.number, 3);
    assert_int_equal(stream.version, 3);
    assert_int_equal(journal_stream_count(kit->journal), 3);
}

/* When it was, the most that a crash can have cost is known, and where no clock was set, it is not.
 */
static void the_newest_event_before_an_unclean_start_is_dated(void **state)
{
    struct kit *kit = *state;
    struct journal_previous previous;
    kit->trust = CLOCK_UNSET;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_fill(kit, stream, 0, 10);
    kit_crash(kit);
    kit->options.boot_id = "boot-2";
    kit_open(kit);
    journal_previous(kit->journal, &previous);
    assert_string_equal(previous.why, "unclean start");
    assert_int_equal(previous.newest_ns, 0);

    kit->trust = CLOCK_SYNCHRONISED;
    kit_pass(kit, 60 * NS_PER_S);
    int64_t last_ns = kit->wall_ns;
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
    kit_pass(kit, 60 * NS_PER_S);
    kit_crash(kit);
    kit->options.boot_id = "boot-3";
    kit->trust = CLOCK_UNSET;
    for (int i = 0; i < 2; i++) { /* and it stays known */
        kit_open(kit);
        journal_previous(kit->journal, &previous);
        assert_int_equal(previous.newest_ns, last_ns);
        kit_close(kit);
    }
}

static void another_identity_begins_a_new_epoch(void **state)
{
    struct kit *kit = *state;
    struct journal_previous previous;
    uint32_t epoch, again;
    kit_open(kit);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
    uint64_t durable = journal_durable(kit->journal, &epoch);
    kit_close(kit);
    kit->options.identity = "machine-2"; /* the card was cloned */
    kit_open(kit);
    assert_int_equal(journal_durable(kit->journal, &again), durable + 1);
    assert_int_not_equal(epoch, again);
    journal_previous(kit->journal, &previous);
    assert_int_equal(previous.epoch, epoch);
    assert_int_equal(previous.last, durable);
    assert_string_equal(previous.why, "identity changed");
    kit_close(kit);
    kit_open(kit);
    journal_durable(kit->journal, &epoch);
    assert_int_equal(epoch, again);
}

static void another_gateways_journal_is_kept_aside(void **state)
{
    struct kit *kit = *state;
    kit_open(kit);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
    kit_close(kit);
    kit->options.gateway_id = "plant8";
    kit_open(kit);
    assert_true(kit_has(kit, "set-aside-segment-00000001"));
    assert_int_equal(journal_stream_count(kit->journal), 0);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
}

static void rename_in(struct kit *kit, const char *from, const char *to)
{
    char old[160], new[160];
    snprintf(old, sizeof(old), "%s/%s", kit->folder, from);
    snprintf(new, sizeof(new), "%s/%s", kit->folder, to);
    assert_int_equal(rename(old, new), 0);
}

/* As docs/reliability.md says: nothing is lost by a wrong id. */
static void what_is_aside_can_be_taken_back(void **state)
{
    struct kit *kit = *state;
    uint32_t epoch, again;
    kit_open(kit);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
    kit_close(kit);
    kit_open(kit);
    uint64_t durable = journal_durable(kit->journal, &epoch);
    kit_close(kit);
    kit->options.gateway_id = "plant8";
    kit_open(kit);
    kit_flush(kit);
    kit_close(kit);
    for (int number = 2; number < 4; number++) {
        char name[40], away[40];
        snprintf(name, sizeof(name), "segment-%08x", (unsigned)number);
        snprintf(away, sizeof(away), "plant8-%08x", (unsigned)number);
        if (kit_has(kit, name))
            rename_in(kit, name, away);
    }
    rename_in(kit, "set-aside-segment-00000001", "segment-00000001");
    kit->options.gateway_id = "plant7";
    kit_open(kit);
    assert_int_equal(journal_durable(kit->journal, &again), durable);
    assert_int_equal(again, epoch);
    assert_int_equal(journal_stream_count(kit->journal), 1);
}

/* The power may fail before the new journal has a file of its own. */
static void what_is_aside_is_never_overwritten(void **state)
{
    struct kit *kit = *state;
    kit_open(kit);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
    kit_close(kit);
    for (int number = 1; number < 4; number++) {
        char name[40], aside[60];
        snprintf(name, sizeof(name), "segment-%08x", (unsigned)number);
        snprintf(aside, sizeof(aside), "set-aside-%s", name);
        if (kit_has(kit, name))
            rename_in(kit, name, aside);
    }
    kit_open(kit);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
    assert_true(kit_has(kit, "set-aside-segment-00000001"));
    assert_false(kit_has(kit, "segment-00000001"));
}

static void a_watch_is_readable_at_every_commit(void **state)
{
    struct kit *kit = *state;
    uint64_t signals;
    kit_open(kit);
    int fd = journal_watch(kit->journal);
    assert_true(fd >= 0);
    assert_true(read(fd, &signals, sizeof(signals)) < 0);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
    assert_int_equal(read(fd, &signals, sizeof(signals)), sizeof(signals));
    journal_unwatch(kit->journal, fd);
}

struct follower {
    pthread_t thread;
    struct journal *journal;
    uint64_t until;
    uint64_t wrong;
};

static void *follow(void *context)
{
    struct follower *follower = context;
    struct reader *reader;
    struct event event;
    if (reader_open(&reader, follower->journal, 1) != 0)
        return NULL;
    while (reader_position(reader) <= follower->until) {
        uint64_t expected = reader_position(reader);
        int got = reader_next(reader, &event);
        if (got == 0)
            sched_yield();
        else if (got < 0 || event.n != expected ||
                 event.n > journal_durable(follower->journal, NULL))
            follower->wrong++;
    }
    reader_close(reader);
    return NULL;
}

static void readers_follow_the_writer_and_see_what_is_durable(void **state)
{
    struct kit *kit = *state;
    enum { READERS = 3, EVENTS = 30000 };
    struct follower followers[READERS];
    struct lane *lane;
    kit->options.commit_bytes = 2000;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    kit_flush(kit);
    uint64_t until = journal_durable(kit->journal, NULL) + EVENTS;
    for (int i = 0; i < READERS; i++) {
        followers[i] = (struct follower){.journal = kit->journal, .until = until};
        assert_int_equal(pthread_create(&followers[i].thread, NULL, follow, &followers[i]), 0);
    }
    assert_int_equal(lane_open(&lane, kit->journal, 0), 0);
    for (int i = 0; i < EVENTS; i++) {
        struct event event = {.stream = stream,
                              .mono_ns = kit->mono_ns,
                              .kind = EVENT_READING,
                              .value = {.type = VALUE_F64, .f = i}};
        if (i % 4000 == 0)
            kit_flush(kit); /* the ring holds twice as many: none is refused */
        assert_int_equal(lane_put(lane, &event, 1), 1);
    }
    kit_flush(kit);
    for (int i = 0; i < READERS; i++) {
        pthread_join(followers[i].thread, NULL);
        assert_int_equal(followers[i].wrong, 0);
    }
    lane_close(lane);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(gives_back_what_was_put),
        TEST(keeps_events_epoch_and_streams_over_a_clean_restart),
        TEST(begins_a_new_epoch_after_an_unclean_end),
        TEST(keeps_what_drivers_learnt_when_its_event_is_long_gone),
        TEST(rolls_segments_and_reads_across_them),
        TEST(a_full_lane_refuses_the_newest_and_the_ledger_adds_up),
        TEST(what_cannot_be_stored_is_refused),
        TEST(ten_thousand_streams_cost_few_commits_and_come_back),
        TEST(a_changed_stream_gets_the_next_version_and_a_new_number),
        TEST(the_newest_event_before_an_unclean_start_is_dated),
        TEST(another_identity_begins_a_new_epoch),
        TEST(another_gateways_journal_is_kept_aside),
        TEST(what_is_aside_can_be_taken_back),
        TEST(what_is_aside_is_never_overwritten),
        TEST(a_watch_is_readable_at_every_commit),
        TEST(readers_follow_the_writer_and_see_what_is_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
