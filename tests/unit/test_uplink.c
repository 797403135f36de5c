/* From the journal to the broker and back: nothing is left out, nothing is taken for delivered that
 * was not. */
// links: sluice_uplink
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/uplink_rig.h"
#include "uplink/internal.h"
#include "uplink/uplink.h"

static void everything_is_published_covered_and_acknowledged(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        fake_add(i % 10 == 3 ? EVENT_DECLARE : EVENT_READING);
        if (i == 500)
            fake_add(EVENT_STATE)->value = (struct value){.type = VALUE_BOOL, .b = true};
    }
    fake_add(EVENT_CONFIG); /* at the end, and not published: covered all the same */
    run();
    check_covered();
    check_fates(NULL, 0, 0);
    assert_int_equal(fake.states_up, 1);
    assert_int_equal(fake.states_down, 1);
    assert_int_equal(fake.down, STATUS_STOPPED);
    assert_int_equal(fake.acked_above_low, 0);
    assert_non_null(strstr(broker.last_status, "\"state\":\"offline\""));
    assert_non_null(strstr(broker.last_status, "\"why\":\"stopped\""));
    assert_non_null(strstr(broker.will, "\"why\":\"connection lost\""));
}

static void meta_and_status_go_out_before_the_first_event(void **state)
{
    static const char *const order[] = {"sluice/plant7/status", "sluice/plant7/meta"};

    (void)state;
    add_readings(5);
    run();
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(broker.messages[i].topic, order[i]);
        assert_true(broker.messages[i].retained);
    }
    for (size_t i = 0; i < broker.count; i++)
        assert_int_equal(broker.messages[i].retained,
                         strcmp(broker.messages[i].topic, "sluice/plant7/data") != 0);
}

static void a_new_uplink_begins_with_all_that_is_stored_or_with_nothing_of_it(void **state)
{
    (void)state;
    uplink_stop(start(), 0);
    assert_int_equal(fake.start, CURSOR_AT_OLDEST);
    options.from = UPLINK_FROM_NOW;
    uplink_stop(start(), 0);
    assert_int_equal(fake.start, CURSOR_AT_NEWEST);
}

static void no_message_spans_two_epochs(void **state)
{
    (void)state;
    add_readings(100);
    for (uint64_t n = 40; n <= 100; n++)
        fake.events[n].epoch = n < 70 ? 0xcd : 0xef;
    run();
    check_covered();
    check_fates(NULL, 0, 0);
}

static void a_lost_session_is_published_again_from_the_cursor(void **state)
{
    (void)state;
    add_readings(3000);
    broker.forgets = true;
    broker.silent = 3;
    run();
    assert_int_equal(broker.connects, 2);
    check_covered();
    check_fates(NULL, 0, 0);
}

static void a_resumed_session_needs_nothing_twice(void **state)
{
    uint64_t next = 1;

    (void)state;
    add_readings(3000);
    broker.silent = 3;
    run();
    assert_int_equal(broker.connects, 2);
    for (size_t i = 0; i < broker.count; i++) {
        if (!is_proof(&broker.messages[i]))
            continue;
        assert_int_equal(broker.messages[i].first, next);
        next = broker.messages[i].last + 1;
    }
    check_fates(NULL, 0, 0);
}

static void poison_is_given_up_alone_and_told(void **state)
{
    static const struct {
        int reason;
        int version;
        enum uplink_layout layout;
    } cases[] = {{0x99, 5, UPLINK_BATCH}, {0x95, 5, UPLINK_BATCH}, {0x99, 5, UPLINK_VALUES}};
    static const uint64_t bad[] = {57, 58, 200};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(state);
        options.layout = (int)cases[i].layout;
        add_readings(200);
        memcpy(broker.bad, bad, sizeof(bad));
        broker.bad_reason = cases[i].reason;
        run();
        check_covered();
        check_fates(bad, 3, GAP_POISON);
        assert_int_equal(fake.alarms, 3);
        assert_non_null(strstr(fake.alarm, "event 200 is refused by the broker for good"));
    }
}

static void a_message_that_the_broker_meets_by_hanging_up_is_given_up(void **state)
{
    static const uint64_t bad[] = {2};

    (void)state;
    add_readings(2);
    broker.bad[0] = 2;
    broker.bad_reason = 0;
    broker.forgets = true;
    run();
    check_covered();
    check_fates(bad, 1, GAP_POISON);
}

static void a_hole_in_the_journal_is_told_and_passed(void **state)
{
    uint64_t lost[20];

    (void)state;
    for (uint64_t i = 0; i < 20; i++)
        lost[i] = 31 + i;
    add_readings(100);
    fake.hole = (struct gap){.first = 31, .last = 50, .reason = GAP_DAMAGE};
    run();
    check_covered();
    check_fates(lost, 20, GAP_DAMAGE);
}

static void a_value_that_is_kept_never_goes_back_to_an_older_one(void **state)
{
    static const int versions[] = {4, 5};

    for (size_t v = 0; v < 2; v++) {
        uint64_t kept = 0, highest = 0;
        size_t again = 0;

        begin(state);
        options.layout = UPLINK_VALUES;
        broker.version = versions[v];
        broker.echoes = versions[v] == 4;
        broker.forgets = true;
        broker.hang_ups = 3;
        broker.hang_up_at = 40;
        add_readings(20);
        struct uplink *uplink = start();
        assert_true(reaches(21));
        add_readings(280);
        assert_true(reaches(301));
        uplink_stop(uplink, 0);
        for (size_t i = 0; i < broker.count; i++) {
            const struct message *message = &broker.messages[i];

            if (message->n == 0)
                continue;
            again += message->n <= highest;
            highest = message->n > highest ? message->n : highest;
            assert_true(!message->retained || message->n >= kept);
            kept = message->retained ? message->n : kept;
        }
        assert_true(again > 0);
        assert_int_equal(kept, 300);
        check_covered();
    }
}

static void values_are_retained_and_proven_by_marks(void **state)
{
    size_t values = 0, marks = 0;

    (void)state;
    options.layout = UPLINK_VALUES;
    for (int i = 0; i < 300; i++)
        fake_add(i % 7 == 3 ? EVENT_DECLARE : i % 50 == 20 ? EVENT_STATE : EVENT_READING);
    run();
    for (size_t i = 0; i < broker.count; i++) {
        const struct message *message = &broker.messages[i];

        values += message->n != 0;
        /* Of what was there before it started, the newest is kept. */
        assert_int_equal(message->retained,
                         message->n != 0 ? message->n == 300 : message->last == 0);
        marks += strcmp(message->topic, "sluice/plant7/mark") == 0;
    }
    assert_int_equal(values, 300 - 43 - 5);
    assert_true(marks >= 8);
    check_covered();
    check_fates(NULL, 0, 0);
}

static void with_mqtt_3_1_1_the_first_message_must_come_back(void **state)
{
    static const enum uplink_layout layouts[] = {UPLINK_BATCH, UPLINK_VALUES};

    for (size_t i = 0; i < 2; i++) {
        begin(state);
        options.layout = (int)layouts[i];
        add_readings(100);
        broker.version = 4;
        run();
        assert_true(broker.subscriptions > 0);
        assert_int_equal(broker.unsubscriptions, broker.subscriptions);
        check_covered();
        check_fates(NULL, 0, 0);
    }
}

static void nothing_counts_as_delivered_without_an_echo(void **state)
{
    struct timespec pause = {.tv_nsec = 10000000};
    struct uplink_stats stats = {0};
    struct uplink *uplink;
    int64_t until_ns = clock_mono(&clock_system) + DEADLINE_S * NS_PER_S;

    (void)state;
    add_readings(100);
    broker.version = 4;
    broker.echoes = false;
    uplink = start();
    while (strcmp(stats.state, "refused") != 0 && clock_mono(&clock_system) < until_ns) {
        nanosleep(&pause, NULL);
        uplink_stats(uplink, &stats);
    }
    uplink_stop(uplink, 0);
    assert_string_equal(stats.state, "refused");
    assert_non_null(strstr(stats.error, "does not pass it on"));
    assert_false(stats.delivery_proven);
    assert_int_equal(fake_low(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(everything_is_published_covered_and_acknowledged, begin),
        cmocka_unit_test_setup(meta_and_status_go_out_before_the_first_event, begin),
        cmocka_unit_test_setup(a_new_uplink_begins_with_all_that_is_stored_or_with_nothing_of_it,
                               begin),
        cmocka_unit_test_setup(no_message_spans_two_epochs, begin),
        cmocka_unit_test_setup(a_lost_session_is_published_again_from_the_cursor, begin),
        cmocka_unit_test_setup(a_resumed_session_needs_nothing_twice, begin),
        cmocka_unit_test_setup(poison_is_given_up_alone_and_told, begin),
        cmocka_unit_test_setup(a_message_that_the_broker_meets_by_hanging_up_is_given_up, begin),
        cmocka_unit_test_setup(a_hole_in_the_journal_is_told_and_passed, begin),
        cmocka_unit_test_setup(values_are_retained_and_proven_by_marks, begin),
        cmocka_unit_test_setup(a_value_that_is_kept_never_goes_back_to_an_older_one, begin),
        cmocka_unit_test_setup(with_mqtt_3_1_1_the_first_message_must_come_back, begin),
        cmocka_unit_test_setup(nothing_counts_as_delivered_without_an_echo, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
