/* The rules by which readings become events, without a journal: the sink puts them into an array.
 */
// links: sluice_field
#include "unit/sink_rig.h"

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

/* What a device gives for "not available" may be another number each time. */
static void what_stays_bad_is_stored_once_whatever_number_comes_with_it(void **state)
{
    struct box *box = *state;
    struct sink_item item = {
        .point = &box->points[0][0], .value = {.type = VALUE_I64}, .status = STATUS_NOT_AVAILABLE};

    for (item.value.i = 0; item.value.i < 3; item.value.i++)
        sink_readings(box->sink, &box->devices[0], item.value.i * NS_PER_S, &item, 1);
    assert_int_equal(box->count, 1);
    assert_int_equal(box->events[0].value.type, VALUE_NONE);
    assert_int_equal(sink_bad(box->sink, 0), 1);
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

static void counts_the_points_of_each_device_that_were_bad_when_they_were_last_read(void **state)
{
    struct box *box = *state;
    struct value value = {.type = VALUE_I64, .i = 5};

    for (size_t i = 0; i < 3; i++)
        sink_reading(box->sink, &box->devices[0], &box->points[0][i], 1, NULL, STATUS_TIMEOUT);
    sink_reading(box->sink, &box->devices[0], &box->points[0][3], 1, &value, STATUS_GOOD);
    assert_int_equal(sink_bad(box->sink, 0), 3);
    assert_int_equal(sink_bad(box->sink, 1), 0);
    sink_reading(box->sink, &box->devices[0], &box->points[0][0], 2, &value, STATUS_GOOD);
    sink_reading(box->sink, &box->devices[0], &box->points[0][1], 2, NULL, STATUS_CORRUPT);
    assert_int_equal(sink_bad(box->sink, 0), 2);
    sink_reading(box->sink, &box->devices[0], &box->points[0][1], 3, &value, STATUS_GOOD);
    sink_reading(box->sink, &box->devices[0], &box->points[0][2], 3, &value, STATUS_IMPLAUSIBLE);
    assert_int_equal(sink_bad(box->sink, 0), 0);
    assert_int_equal(sink_implausible(box->sink, 0), 1);
    sink_reading(box->sink, &box->devices[0], &box->points[0][2], 4, &value, STATUS_GOOD);
    assert_int_equal(sink_implausible(box->sink, 0), 0);
    /* One that the full ring refuses waits, and counts. */
    box->room = 0;
    sink_reading(box->sink, &box->devices[1], &box->points[1][0], 4, NULL, STATUS_TIMEOUT);
    assert_int_equal(sink_bad(box->sink, 1), 1);
    box->room = PUT_MAX - box->count;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SINK_TEST(stores_the_first_reading_and_then_only_changes),
        SINK_TEST(stores_an_unchanged_reading_at_least_so_often),
        SINK_TEST(what_stays_bad_is_stored_once_whatever_number_comes_with_it),
        SINK_TEST(stores_everything_where_on_change_is_off),
        SINK_TEST(marks_what_is_outside_the_plausible_range),
        SINK_TEST(stores_no_value_with_a_bad_status_and_the_status_once),
        SINK_TEST(counts_the_points_of_each_device_that_were_bad_when_they_were_last_read),
        SINK_TEST(compares_texts_by_content),
        SINK_TEST(stores_a_reading_whose_predecessor_was_refused),
        SINK_TEST(puts_a_whole_read_in_order_and_suppresses_within_it),
        SINK_TEST(devices_whose_points_are_the_same_are_told_apart),
        SINK_TEST(remembers_only_what_was_taken_of_a_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
