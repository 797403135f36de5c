/* The rules by which readings become events, without a journal: the sink puts them into an array.
 */
// links: sluice_field
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/status.h"
#include "field/sink.h"

#define PUT_MAX 512

struct box {
    struct event events[PUT_MAX];
    char texts[PUT_MAX][16];
    size_t count, room, lost;
    struct site_point points[2][200];
    uint32_t streams[2][200];
    struct site_device devices[2];
    struct site_bus bus;
    struct sink *sink;
    struct clock clock;
    int64_t now_ns;
};

static int64_t box_now(void *context)
{
    return ((struct box *)context)->now_ns;
}

static size_t put(void *context, const struct event *events, size_t count, bool again)
{
    struct box *box = context;
    size_t taken = 0;

    while (taken < count && box->room > 0) {
        const struct event *event = &events[taken++];

        if (event->value.type == VALUE_TEXT && event->value.size < sizeof box->texts[0])
            memcpy(box->texts[box->count], event->value.data, event->value.size);
        box->events[box->count++] = *event;
        box->room--;
    }
    if (!again)
        box->lost += count - taken;
    return taken;
}

static int set_up(void **state)
{
    static struct box box;

    memset(&box, 0, sizeof box);
    box.room = PUT_MAX;
    for (uint32_t d = 0; d < 2; d++) {
        box.devices[d].points = box.points[d];
        box.devices[d].streams = box.streams[d];
        box.devices[d].point_count = 200;
        box.devices[d].stream = 1000 + d;
        for (uint32_t p = 0; p < 200; p++) {
            box.streams[d][p] = d * 200 + p + 1;
            box.points[d][p].on_change = true;
            box.points[d][p].at_least_ns = 60 * NS_PER_S;
            box.points[d][p].type = p == 199 ? VALUE_TEXT : VALUE_I64;
        }
    }
    box.bus.devices = box.devices;
    box.bus.device_count = 2;
    *state = &box;
    box.clock = (struct clock){.mono_ns = box_now, .context = &box};
    return sink_open(&box.sink, &box.bus, &box.clock, put, &box);
}

static int tear_down(void **state)
{
    sink_close(((struct box *)*state)->sink);
    return 0;
}

static const struct site_device *device_of(const struct box *box, const struct site_point *point)
{
    return &box->devices[point >= box->points[1]];
}

static int read_i64(struct box *box, const struct site_point *point, int64_t at_s, int64_t value)
{
    struct value read = {.type = VALUE_I64, .i = value};

    return sink_reading(box->sink, device_of(box, point), point, at_s * NS_PER_S, &read,
                        STATUS_GOOD);
}

static void stores_the_first_reading_and_then_only_changes(void **state)
{
    struct box *box = *state;

    read_i64(box, &box->points[1][3], 1, 7);
    read_i64(box, &box->points[1][3], 2, 7);
    read_i64(box, &box->points[1][3], 3, 8);
    assert_int_equal(box->count, 2);
    assert_int_equal(box->events[0].stream, 204);
    assert_int_equal(box->events[0].kind, EVENT_READING);
    assert_int_equal(box->events[0].mono_ns, NS_PER_S);
    assert_int_equal(box->events[1].value.i, 8);
}

static void stores_an_unchanged_reading_at_least_so_often(void **state)
{
    struct box *box = *state;

    read_i64(box, &box->points[0][0], 1, 7);
    read_i64(box, &box->points[0][0], 60, 7);
    assert_int_equal(box->count, 1);
    read_i64(box, &box->points[0][0], 61, 7);
    assert_int_equal(box->count, 2);
    read_i64(box, &box->points[0][0], 62, 7);
    assert_int_equal(box->count, 2);
}

static void stores_everything_where_on_change_is_off(void **state)
{
    struct box *box = *state;

    box->points[0][0].on_change = false;
    for (int64_t i = 0; i < 3; i++)
        read_i64(box, &box->points[0][0], i, 7);
    assert_int_equal(box->count, 3);
}

static void marks_what_is_outside_the_plausible_range(void **state)
{
    static const struct {
        int64_t value;
        uint16_t status;
    } cases[] = {{-41, STATUS_IMPLAUSIBLE},
                 {-40, STATUS_GOOD},
                 {85, STATUS_GOOD},
                 {86, STATUS_IMPLAUSIBLE},
                 {INT64_MIN, STATUS_IMPLAUSIBLE}};
    struct box *box = *state;

    box->points[0][0].minimum = -40;
    box->points[0][0].maximum = 85;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        read_i64(box, &box->points[0][0], (int64_t)i, cases[i].value);
        assert_int_equal(box->count, i + 1);
        assert_int_equal(box->events[i].status, cases[i].status);
        assert_int_equal(box->events[i].value.i, cases[i].value);
    }
    read_i64(box, &box->points[0][1], 9, INT64_MIN);
    assert_int_equal(box->events[box->count - 1].status, STATUS_GOOD);
}

static void stores_no_value_with_a_bad_status_and_the_status_once(void **state)
{
    struct box *box = *state;
    struct value value = {.type = VALUE_I64, .i = 5};

    sink_reading(box->sink, &box->devices[0], &box->points[0][0], 1, &value, STATUS_TIMEOUT);
    sink_reading(box->sink, &box->devices[0], &box->points[0][0], 2, NULL, STATUS_TIMEOUT);
    sink_reading(box->sink, &box->devices[0], &box->points[0][0], 3, NULL, STATUS_CORRUPT);
    sink_reading(box->sink, &box->devices[0], &box->points[0][0], 4, &value, STATUS_GOOD);
    assert_int_equal(box->count, 3);
    assert_int_equal(box->events[0].value.type, VALUE_NONE);
    assert_int_equal(box->events[0].status, STATUS_TIMEOUT);
    assert_int_equal(box->events[1].status, STATUS_CORRUPT);
    assert_int_equal(box->events[2].value.i, 5);
}

static void compares_texts_by_content(void **state)
{
    struct box *box = *state;
    char long_text[300] = "";
    static const struct {
        const char *text;
        size_t stored;
    } cases[] = {{"auto", 1}, {"auto", 1}, {"aute", 2}, {"aut", 3}, {"", 4}, {"", 4}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[8];
        struct value value = {.type = VALUE_TEXT, .data = text};

        strcpy(text, cases[i].text);
        value.size = (uint16_t)strlen(text);
        sink_reading(box->sink, &box->devices[0], &box->points[0][199], (int64_t)i, &value,
                     STATUS_GOOD);
        memset(text, 'x', sizeof text);
        assert_int_equal(box->count, cases[i].stored);
    }
    assert_string_equal(box->texts[0], "auto");
    struct value value = {.type = VALUE_TEXT, .data = long_text, .size = sizeof long_text};
    for (size_t i = 1; i <= 2; i++) {
        sink_reading(box->sink, &box->devices[0], &box->points[0][199], 10, &value, STATUS_GOOD);
        assert_int_equal(box->count, 4 + i);
    }
}

static void stores_a_reading_whose_predecessor_was_refused(void **state)
{
    struct box *box = *state;

    box->room = 0;
    assert_int_equal(read_i64(box, &box->points[0][0], 1, 7), ERR_FULL);
    box->room = 1;
    assert_int_equal(read_i64(box, &box->points[0][0], 2, 7), 0);
    assert_int_equal(box->count, 1);
    assert_int_equal(box->events[0].mono_ns, 2 * NS_PER_S);
}

static void puts_a_whole_read_in_order_and_suppresses_within_it(void **state)
{
    struct box *box = *state;
    struct sink_item items[199];

    for (size_t i = 0; i < 199; i++) {
        items[i] = (struct sink_item){
            .point = &box->points[0][198 - i],
            .value = {.type = VALUE_I64, .i = (int64_t)i},
        };
    }
    assert_int_equal(sink_readings(box->sink, &box->devices[0], 5, items, 199), 0);
    assert_int_equal(box->count, 199);
    for (size_t i = 0; i < 199; i++)
        assert_int_equal(box->events[i].value.i, i);
    items[190].value.i = 1;
    assert_int_equal(sink_readings(box->sink, &box->devices[0], 6, items, 199), 0);
    assert_int_equal(box->count, 200);
    assert_int_equal(box->events[199].stream, box->streams[0][8]);
}

static void devices_whose_points_are_the_same_are_told_apart(void **state)
{
    struct box *box = *state;
    const struct site_point *point = &box->points[0][3];
    struct value value = {.type = VALUE_I64, .i = 7};

    box->devices[1].points = box->points[0];
    sink_reading(box->sink, &box->devices[0], point, 1, &value, STATUS_GOOD);
    sink_reading(box->sink, &box->devices[1], point, 1, &value, STATUS_GOOD);
    sink_reading(box->sink, &box->devices[0], point, 2, &value, STATUS_GOOD);
    value.i = 8;
    sink_reading(box->sink, &box->devices[1], point, 2, &value, STATUS_GOOD);
    assert_int_equal(box->count, 3);
    assert_int_equal(box->events[0].stream, box->streams[0][3]);
    assert_int_equal(box->events[1].stream, box->streams[1][3]);
    assert_int_equal(box->events[2].stream, box->streams[1][3]);
}

static void remembers_only_what_was_taken_of_a_read(void **state)
{
    struct box *box = *state;
    struct sink_item items[3];

    for (size_t i = 0; i < 3; i++)
        items[i] = (struct sink_item){.point = &box->points[0][i], .value = {.type = VALUE_I64}};
    box->room = 2;
    assert_int_equal(sink_readings(box->sink, &box->devices[0], 1, items, 3), ERR_FULL);
    box->room = 10;
    assert_int_equal(sink_readings(box->sink, &box->devices[0], 2, items, 3), 0);
    assert_int_equal(box->count, 3);
    assert_int_equal(box->events[2].stream, box->streams[0][2]);
}

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

/* The sink once more, after the test has changed the points; the box is emptied. */
static void reopen(struct box *box)
{
    sink_close(box->sink);
    box->count = 0;
    assert_int_equal(sink_open(&box->sink, &box->bus, &box->clock, put, box), 0);
}

/* The time comes, and the host looks whether anything is due. */
static void pass(struct box *box, int64_t to_ns)
{
    box->now_ns = to_ns;
    if (sink_due_ns(box->sink) <= to_ns)
        sink_release(box->sink);
}

static int read_bad(struct box *box, const struct site_point *point, int64_t at_ns, uint16_t status)
{
    return sink_reading(box->sink, device_of(box, point), point, at_ns, NULL, status);
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

#define SINK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SINK_TEST(stores_the_first_reading_and_then_only_changes),
        SINK_TEST(stores_an_unchanged_reading_at_least_so_often),
        SINK_TEST(stores_everything_where_on_change_is_off),
        SINK_TEST(marks_what_is_outside_the_plausible_range),
        SINK_TEST(stores_no_value_with_a_bad_status_and_the_status_once),
        SINK_TEST(compares_texts_by_content),
        SINK_TEST(stores_a_reading_whose_predecessor_was_refused),
        SINK_TEST(puts_a_whole_read_in_order_and_suppresses_within_it),
        SINK_TEST(devices_whose_points_are_the_same_are_told_apart),
        SINK_TEST(remembers_only_what_was_taken_of_a_read),
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
        SINK_TEST(a_heartbeat_that_is_refused_is_no_loss),
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
