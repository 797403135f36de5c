/* What the sink does about what a full ring refuses: states and bad readings are put again,
 * everything else is counted. */
// links: sluice_field
#include "unit/sink_rig.h"

static void tells_a_state_once_until_it_changes(void **state)
{
    struct box *box = *state;

    sink_state(box->sink, &box->devices[1], true, STATUS_GOOD);
    sink_state(box->sink, &box->devices[1], true, STATUS_GOOD);
    sink_state(box->sink, &box->devices[1], false, STATUS_TIMEOUT);
    sink_state(box->sink, &box->devices[1], false, STATUS_NO_PORT);
    assert_int_equal(box->count, 3);
    assert_int_equal(box->events[0].kind, EVENT_STATE);
    assert_int_equal(box->events[0].stream, 1001);
    assert_true(box->events[0].value.b);
    assert_false(box->events[1].value.b);
    assert_int_equal(box->events[1].status, STATUS_TIMEOUT);
}

static void puts_a_refused_state_again_before_the_next_reading(void **state)
{
    struct box *box = *state;

    box->room = 0;
    sink_state(box->sink, &box->devices[0], false, STATUS_TIMEOUT);
    box->room = 10;
    read_i64(box, &box->points[0][0], 9, 1);
    assert_int_equal(box->count, 2);
    assert_int_equal(box->events[0].kind, EVENT_STATE);
    assert_int_equal(box->events[0].status, STATUS_TIMEOUT);
    assert_int_equal(box->events[1].kind, EVENT_READING);
}

static void a_state_that_waits_for_room_is_not_lost_however_often_it_is_put(void **state)
{
    struct box *box = *state;

    box->room = 0;
    sink_state(box->sink, &box->devices[0], false, STATUS_TIMEOUT);
    for (int64_t i = 0; i < 5; i++)
        read_i64(box, &box->points[0][0], i, i);
    assert_int_equal(box->lost, 5); /* the readings */
    box->room = 10;
    read_i64(box, &box->points[0][0], 9, 1);
    assert_int_equal(box->lost, 5);
    assert_int_equal(box->events[0].kind, EVENT_STATE);
}

static void a_state_that_the_next_one_overtakes_is_lost_once(void **state)
{
    struct box *box = *state;

    box->room = 0;
    sink_state(box->sink, &box->devices[0], false, STATUS_TIMEOUT);
    sink_state(box->sink, &box->devices[0], true, STATUS_GOOD);
    assert_int_equal(box->lost, 1);
    box->room = 10;
    read_i64(box, &box->points[0][0], 9, 1);
    assert_int_equal(box->lost, 1);
    assert_int_equal(box->count, 2);
    assert_true(box->events[0].value.b);
}

static void a_state_that_still_waits_at_the_end_is_put_a_last_time(void **state)
{
    static const size_t rooms[] = {0, 1};
    struct box *box = *state;

    for (size_t i = 0; i < 2; i++) {
        box->room = 0;
        sink_state(box->sink, &box->devices[0], false, STATUS_TIMEOUT);
        box->room = rooms[i];
        box->lost = box->count = 0;
        sink_close(box->sink);
        assert_int_equal(box->lost + box->count, 1);
        assert_int_equal(box->count, rooms[i]);
        assert_int_equal(sink_open(&box->sink, &box->bus, &box->clock, put, box), 0);
    }
}

static void a_bad_reading_that_was_refused_is_put_again_when_there_is_room(void **state)
{
    struct box *box = *state;

    read_i64(box, &box->points[1][3], 1, 7);
    box->room = 0;
    box->now_ns = 2 * NS_PER_S;
    assert_int_equal(read_bad(box, &box->points[1][3], 2 * NS_PER_S, STATUS_TIMEOUT), ERR_FULL);
    assert_true(sink_due_ns(box->sink) < 3 * NS_PER_S);
    for (int64_t ns = 2 * NS_PER_S; ns < 5 * NS_PER_S; ns += 50 * NS_PER_MS)
        pass(box, ns);
    assert_int_equal(box->lost, 0);
    box->room = 10;
    pass(box, 5 * NS_PER_S);
    assert_int_equal(box->count, 2);
    assert_int_equal(box->events[1].kind, EVENT_READING);
    assert_int_equal(box->events[1].stream, 204);
    assert_int_equal(box->events[1].status, STATUS_TIMEOUT);
    assert_int_equal(box->events[1].value.type, VALUE_NONE);
    assert_int_equal(box->events[1].mono_ns, 2 * NS_PER_S);
    assert_int_equal(box->lost, 0);
    assert_true(sink_due_ns(box->sink) == INT64_MAX);
    /* It is what was stored last. */
    read_bad(box, &box->points[1][3], 6 * NS_PER_S, STATUS_TIMEOUT);
    assert_int_equal(box->count, 2);
    read_i64(box, &box->points[1][3], 7, 7);
    assert_int_equal(box->count, 3);
}

/* A connection breaks behind which there are more points than the ring has room for. */
static void every_point_of_a_dead_bus_is_told_however_small_the_ring(void **state)
{
    struct box *box = *state;
    struct sink_item items[200];
    bool told[2][200] = {{false}};

    for (size_t d = 0; d < 2; d++)
        for (size_t p = 0; p < 200; p++)
            read_i64(box, &box->points[d][p], 1, 7);
    box->count = 0;
    box->room = 30;
    for (size_t d = 0; d < 2; d++) {
        for (size_t p = 0; p < 200; p++)
            items[p] = (struct sink_item){.point = &box->points[d][p], .status = STATUS_NO_PORT};
        sink_readings(box->sink, &box->devices[d], 2 * NS_PER_S, items, 200);
        sink_state(box->sink, &box->devices[d], false, STATUS_NO_PORT);
    }
    for (int64_t i = 1; sink_due_ns(box->sink) != INT64_MAX; i++) {
        assert_true(i < 100);
        box->room = 7;
        pass(box, 2 * NS_PER_S + i * NS_PER_S);
    }
    assert_int_equal(box->count, 2 * 200 + 2);
    assert_int_equal(box->lost, 0);
    for (size_t i = 0; i < box->count; i++) {
        const struct event *event = &box->events[i];

        assert_int_equal(event->status, STATUS_NO_PORT);
        if (event->kind == EVENT_STATE)
            continue;
        assert_false(told[(event->stream - 1) / 200][(event->stream - 1) % 200]);
        told[(event->stream - 1) / 200][(event->stream - 1) % 200] = true;
    }
}

static void a_bad_reading_that_another_one_overtakes_is_lost_once(void **state)
{
    struct box *box = *state;

    box->room = 0;
    read_bad(box, &box->points[0][3], NS_PER_S, STATUS_TIMEOUT);
    read_bad(box, &box->points[0][3], 2 * NS_PER_S, STATUS_TIMEOUT); /* says no more than that */
    assert_int_equal(box->lost, 0);
    read_bad(box, &box->points[0][3], 3 * NS_PER_S, STATUS_CORRUPT);
    assert_int_equal(box->lost, 1);
    read_i64(box, &box->points[0][3], 4, 7);
    assert_int_equal(box->lost, 3); /* the good one does not wait */
    box->room = 10;
    read_i64(box, &box->points[0][4], 5, 8);
    assert_int_equal(box->count, 1);
    read_i64(box, &box->points[0][3], 6, 7);
    assert_int_equal(box->count, 2);
    assert_int_equal(box->lost, 3);
}

static void a_bad_reading_that_still_waits_at_the_end_is_put_a_last_time(void **state)
{
    static const size_t rooms[] = {0, 1};
    struct box *box = *state;

    for (size_t i = 0; i < 2; i++) {
        box->room = 0;
        read_bad(box, &box->points[0][3], NS_PER_S, STATUS_TIMEOUT);
        box->room = rooms[i];
        box->lost = box->count = 0;
        sink_close(box->sink);
        assert_int_equal(box->lost + box->count, 1);
        assert_int_equal(box->count, rooms[i]);
        assert_int_equal(sink_open(&box->sink, &box->bus, &box->clock, put, box), 0);
    }
}

static void a_bad_reading_that_was_held_back_and_is_refused_at_the_end_is_counted(void **state)
{
    struct box *box = *state;

    box->points[0][3].on_change = false;
    box->points[0][3].at_most_ns = 10 * NS_PER_S;
    reopen(box);
    read_bad(box, &box->points[0][3], NS_PER_S, STATUS_TIMEOUT);
    read_bad(box, &box->points[0][3], 2 * NS_PER_S, STATUS_TIMEOUT);
    assert_int_equal(box->count, 1);
    box->room = 0;
    sink_close(box->sink);
    box->sink = NULL;
    assert_int_equal(box->lost, 1);
}

/* What the device has now nobody knows. */
static void an_implausible_reading_counts_until_the_next_one_is_refused(void **state)
{
    struct box *box = *state;

    box->points[0][0].minimum = 0;
    box->points[0][0].maximum = 85;
    read_i64(box, &box->points[0][0], 1, 100);
    assert_int_equal(sink_implausible(box->sink, 0), 1);
    box->room = 0;
    read_i64(box, &box->points[0][0], 2, 101);
    assert_int_equal(sink_implausible(box->sink, 0), 0);
}

static void a_heartbeat_that_is_refused_is_no_loss(void **state)
{
    struct box *box = *state;

    box->devices[0].heartbeat_ns = 10 * NS_PER_S;
    reopen(box);
    sink_state(box->sink, &box->devices[0], true, STATUS_GOOD);
    read_i64(box, &box->points[0][0], 1, 7);
    box->room = 0;
    for (int64_t i = 20; i < 30; i++)
        read_i64(box, &box->points[0][0], i, 7);
    assert_int_equal(box->lost, 0);
    box->room = 10;
    read_i64(box, &box->points[0][0], 30, 7);
    assert_int_equal(box->count, 3);
    assert_int_equal(box->events[2].kind, EVENT_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SINK_TEST(tells_a_state_once_until_it_changes),
        SINK_TEST(puts_a_refused_state_again_before_the_next_reading),
        SINK_TEST(a_state_that_waits_for_room_is_not_lost_however_often_it_is_put),
        SINK_TEST(a_state_that_the_next_one_overtakes_is_lost_once),
        SINK_TEST(a_state_that_still_waits_at_the_end_is_put_a_last_time),
        SINK_TEST(a_bad_reading_that_was_refused_is_put_again_when_there_is_room),
        SINK_TEST(every_point_of_a_dead_bus_is_told_however_small_the_ring),
        SINK_TEST(a_bad_reading_that_another_one_overtakes_is_lost_once),
        SINK_TEST(a_bad_reading_that_still_waits_at_the_end_is_put_a_last_time),
        SINK_TEST(a_bad_reading_that_was_held_back_and_is_refused_at_the_end_is_counted),
        SINK_TEST(an_implausible_reading_counts_until_the_next_one_is_refused),
        SINK_TEST(a_heartbeat_that_is_refused_is_no_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
