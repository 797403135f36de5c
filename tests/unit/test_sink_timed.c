/* What the sink stores because of the time alone: readings that were held back, and heartbeats. */
// links: sluice_field
#include "unit/sink_rig.h"

static void stores_the_newest_that_was_held_back_when_at_most_has_passed(void **state)
{
    struct box *box = *state;

    box->points[0][5].at_most_ns = 10 * NS_PER_S;
    reopen(box);
    assert_true(sink_due_ns(box->sink) == INT64_MAX);
    read_i64(box, &box->points[0][5], 100, 1);
    read_i64(box, &box->points[0][5], 101, 2);
    read_i64(box, &box->points[0][5], 102, 3);
    assert_int_equal(box->count, 1);
    assert_int_equal(sink_due_ns(box->sink), 110 * NS_PER_S);
    pass(box, 110 * NS_PER_S - 1);
    assert_int_equal(box->count, 1);
    pass(box, 110 * NS_PER_S);
    assert_int_equal(box->count, 2);
    assert_int_equal(box->events[1].value.i, 3);
    assert_int_equal(box->events[1].mono_ns, 102 * NS_PER_S);
    /* The next interval begins where this one was stored. */
    read_i64(box, &box->points[0][5], 119, 4);
    assert_int_equal(box->count, 2);
    read_i64(box, &box->points[0][5], 120, 5);
    assert_int_equal(box->count, 3);
    assert_int_equal(box->events[2].value.i, 5);
    pass(box, 500 * NS_PER_S);
    assert_int_equal(box->count, 3);
}

static void drops_what_was_held_back_when_the_value_returns(void **state)
{
    struct box *box = *state;

    box->points[0][5].at_most_ns = 10 * NS_PER_S;
    reopen(box);
    read_i64(box, &box->points[0][5], 100, 1);
    read_i64(box, &box->points[0][5], 101, 2);
    read_i64(box, &box->points[0][5], 102, 1);
    pass(box, 200 * NS_PER_S);
    assert_int_equal(box->count, 1);
}

static void stores_what_was_held_back_before_a_change_of_quality(void **state)
{
    struct box *box = *state;

    box->points[0][5].at_most_ns = 10 * NS_PER_S;
    reopen(box);
    read_i64(box, &box->points[0][5], 100, 1);
    read_i64(box, &box->points[0][5], 101, 2);
    sink_reading(box->sink, &box->devices[0], &box->points[0][5], 102 * NS_PER_S, NULL,
                 STATUS_TIMEOUT);
    assert_int_equal(box->count, 3);
    assert_int_equal(box->events[1].value.i, 2);
    assert_int_equal(box->events[1].status, STATUS_GOOD);
    assert_int_equal(box->events[2].status, STATUS_TIMEOUT);
    pass(box, 200 * NS_PER_S);
    assert_int_equal(box->count, 3);
}

static void stores_what_is_held_back_when_it_closes(void **state)
{
    struct box *box = *state;
    struct value text = {.type = VALUE_TEXT, .data = "on", .size = 2};

    box->points[1][199].at_most_ns = 10 * NS_PER_S;
    box->points[1][7].at_most_ns = 20 * NS_PER_S;
    reopen(box);
    sink_reading(box->sink, &box->devices[1], &box->points[1][199], NS_PER_S, &text, STATUS_GOOD);
    text = (struct value){.type = VALUE_TEXT, .data = "off", .size = 3};
    sink_reading(box->sink, &box->devices[1], &box->points[1][199], 2 * NS_PER_S, &text,
                 STATUS_GOOD);
    read_i64(box, &box->points[1][7], 3, 1);
    read_i64(box, &box->points[1][7], 4, 2);
    assert_int_equal(box->count, 2);
    sink_close(box->sink);
    box->sink = NULL;
    assert_int_equal(box->count, 4);
    assert_int_equal(box->events[2].value.i, 2);
    assert_string_equal(box->texts[3], "off");
}

static void holds_back_hundreds_of_points_at_once(void **state)
{
    struct box *box = *state;

    for (size_t i = 0; i < 199; i++)
        box->points[0][i].at_most_ns = (1 + (int64_t)i % 2) * NS_PER_S;
    reopen(box);
    for (int64_t round = 0; round < 2; round++)
        for (size_t i = 0; i < 199; i++)
            read_i64(box, &box->points[0][i], 100, (int64_t)i + 1000 * round);
    assert_int_equal(box->count, 199);
    pass(box, 101 * NS_PER_S);
    assert_int_equal(box->count, 299);
    for (size_t i = 199; i < 299; i++)
        assert_int_equal(box->events[i].value.i, 1000 + 2 * (i - 199));
    assert_int_equal(sink_due_ns(box->sink), 102 * NS_PER_S);
    pass(box, 102 * NS_PER_S);
    assert_int_equal(box->count, 398);
    assert_true(sink_due_ns(box->sink) > 102 * NS_PER_S);
}

static void a_device_that_is_quiet_tells_that_it_is_alive(void **state)
{
    static const struct {
        const char *what;
        int64_t at_s;
        uint16_t status;
        size_t beats;
    } cases[] = {
        {"too early", 159, STATUS_GOOD, 0},
        {"its readings are not good", 161, STATUS_TIMEOUT, 0},
        {"nothing new for so long", 161, STATUS_GOOD, 1},
        {"again so soon", 162, STATUS_GOOD, 1},
        {"so long after the beat before", 221, STATUS_GOOD, 2},
    };
    struct box *box = *state;
    struct sink_item items[2] = {0};

    for (size_t i = 0; i < 2; i++) {
        box->points[0][i].at_least_ns = 0;
        items[i].point = &box->points[0][i];
        items[i].value.type = VALUE_I64;
    }
    box->devices[0].heartbeat_ns = 60 * NS_PER_S;
    reopen(box);
    box->now_ns = 90 * NS_PER_S;
    sink_state(box->sink, &box->devices[0], true, STATUS_GOOD);
    items[1].status = STATUS_TIMEOUT;
    sink_readings(box->sink, &box->devices[0], 100 * NS_PER_S, items, 2);
    assert_int_equal(box->count, 3);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sink_item *item = &items[cases[i].status == STATUS_GOOD ? 0 : 1];
        sink_readings(box->sink, &box->devices[0], cases[i].at_s * NS_PER_S, item, 1);
        if (box->count != 3 + cases[i].beats)
            fail_msg("%s", cases[i].what);
    }
    assert_int_equal(box->events[3].kind, EVENT_STATE);
    assert_int_equal(box->events[3].stream, box->devices[0].stream);
    assert_int_equal(box->events[3].mono_ns, 161 * NS_PER_S);
    assert_true(box->events[3].value.b);
    sink_state(box->sink, &box->devices[0], false, STATUS_TIMEOUT);
    sink_readings(box->sink, &box->devices[0], 900 * NS_PER_S, items, 1);
    assert_int_equal(box->count, 6); /* down is told once */
}

static void one_heartbeat_does_for_a_whole_read(void **state)
{
    struct box *box = *state;
    struct sink_item items[200];

    for (size_t i = 0; i < 199; i++) {
        box->points[0][i].at_least_ns = 0;
        items[i] = (struct sink_item){.point = &box->points[0][i], .value = {.type = VALUE_I64}};
    }
    box->devices[0].heartbeat_ns = NS_PER_S;
    reopen(box);
    sink_state(box->sink, &box->devices[0], true, STATUS_GOOD);
    sink_readings(box->sink, &box->devices[0], NS_PER_S, items, 199);
    assert_int_equal(box->count, 200);
    sink_readings(box->sink, &box->devices[0], 10 * NS_PER_S, items, 199);
    assert_int_equal(box->count, 201);
    /* One that was refused is told with the next read. */
    box->room = 0;
    assert_int_equal(sink_readings(box->sink, &box->devices[0], 20 * NS_PER_S, items, 199),
                     ERR_FULL);
    box->room = 10;
    assert_int_equal(sink_readings(box->sink, &box->devices[0], 21 * NS_PER_S, items, 199), 0);
    assert_int_equal(box->count, 202);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SINK_TEST(stores_the_newest_that_was_held_back_when_at_most_has_passed),
        SINK_TEST(drops_what_was_held_back_when_the_value_returns),
        SINK_TEST(stores_what_was_held_back_before_a_change_of_quality),
        SINK_TEST(stores_what_is_held_back_when_it_closes),
        SINK_TEST(holds_back_hundreds_of_points_at_once),
        SINK_TEST(a_device_that_is_quiet_tells_that_it_is_alive),
        SINK_TEST(one_heartbeat_does_for_a_whole_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
