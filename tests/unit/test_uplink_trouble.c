/* Brokers that are silent, busy or taken over by another client, and a clock that is not set: what
 * the uplink waits for, and what it tells. */
// links: sluice_uplink
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/uplink_rig.h"
#include "uplink/client.h"
#include "uplink/internal.h"
#include "uplink/uplink.h"

static void events_wait_for_the_clock_but_not_for_ever(void **state)
{
    static const bool comes[] = {true, false};

    for (size_t i = 0; i < 2; i++) {
        struct uplink *uplink;

        begin(state);
        options.clock_wait_ns = comes[i] ? 60 * NS_PER_S : 2 * NS_PER_S;
        add_readings(10);
        for (uint64_t n = 4; n <= 10; n++)
            fake.events[n].trust = CLOCK_UNSET;
        fake.trust = CLOCK_UNSET;
        uplink = start();
        assert_true(reaches(4));
        assert_int_equal(fake_low(), 4);
        if (comes[i]) {
            pthread_mutex_lock(&fake.lock);
            fake.trust = CLOCK_SYNCHRONISED;
            pthread_mutex_unlock(&fake.lock);
        }
        assert_true(reaches(11));
        uplink_stop(uplink, NS_PER_S);
        check_covered();
    }
}

static void a_broker_that_answers_nothing_is_given_up_and_tried_again(void **state)
{
    struct timespec pause = {.tv_nsec = 1000000};
    struct uplink_stats stats = {0};
    struct uplink *uplink;
    int64_t until_ns;

    (void)state;
    options.keep_alive_ns = NS_PER_S / 10;
    options.retry_max_ns = 1;
    add_readings(100);
    broker.mute = true;
    broker.forgets = true;
    uplink = start();
    until_ns = clock_mono(&clock_system) + DEADLINE_S * NS_PER_S;
    while (stats.connects < 3 && clock_mono(&clock_system) < until_ns) {
        nanosleep(&pause, NULL);
        uplink_stats(uplink, &stats);
    }
    uplink_stop(uplink, 0);
    assert_true(stats.connects >= 3);
    assert_int_equal(fake_low(), 1);
    assert_int_equal(fake.alarms, 0);
}

static int64_t wall_at(void *context)
{
    return *(int64_t *)context;
}

static void an_outage_is_one_however_often_it_is_tried(void **state)
{
    static const struct {
        const char *state;
        int64_t since;
    } steps[] = {
        {"waiting", 1}, {"connecting", 1}, {"refused", 1}, {"connecting", 1}, {"online", 5},
        {"waiting", 6}, {"connecting", 6}, {"waiting", 6}, {"online", 9},
    };
    int64_t now_ns = 0;
    struct clock clock = {.wall_ns = wall_at, .mono_ns = wall_at, .context = &now_ns};
    struct uplink uplink = {.options = &options, .clock = &clock};

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        now_ns++;
        tell_status(&uplink, steps[i].state, "");
        assert_int_equal(uplink.stats.since_wall_ns, steps[i].since);
    }
}

static void another_client_with_this_id_is_told_of_once(void **state)
{
    static const struct {
        int version, hang_ups, reason, then, alarms;
        const char *says;
    } cases[] = {
        {5, 6, MQTT_REASON_TAKEN_OVER, 0, 1, "another client connected with the same client id"},
        {4, 6, MQTT_REASON_NONE, 0, 1, "probably another client has the same client id"},
        {4, RIVAL_STRIKES - 1, MQTT_REASON_NONE, 0, 0, ""},
        {5, 6, 0x8B, 0, 0, ""}, /* it shuts down */
        /* The other one was quicker, now and then; and a network that is gone in between. */
        {4, 6, MQTT_REASON_NONE, ERR_CLOSED, 1, "probably another client has the same client id"},
        {4, 6, MQTT_REASON_NONE, ERR_UNREACHABLE, 0, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct uplink_stats stats;
        struct uplink *uplink;

        begin(state);
        options.retry_max_ns = 1;
        add_readings(300);
        broker.version = cases[i].version;
        broker.packet_size_max = 1500;
        broker.hang_ups = cases[i].hang_ups;
        broker.hang_up_reason = cases[i].reason;
        broker.then_fails = cases[i].then;
        uplink = start();
        assert_true(reaches(301));
        uplink_stats(uplink, &stats);
        assert_int_equal(fake.alarms_over, 0);
        uplink_stop(uplink, NS_PER_S);
        assert_int_equal(stats.connects, cases[i].hang_ups + 1);
        assert_int_equal(fake.alarms, cases[i].alarms);
        assert_int_equal(fake.alarms_over, cases[i].alarms); /* nobody watches it any more */
        assert_non_null(strstr(stats.alarm, cases[i].says));
        if (cases[i].alarms)
            assert_non_null(strstr(fake.alarm, "a second gateway with this id"));
        check_fates(NULL, 0, 0);
    }
}

static void an_alarm_of_another_client_is_over_once_a_connection_holds(void **state)
{
    struct uplink uplink = {.options = &options,
                            .clock = &clock_system,
                            .phase = PHASE_ONLINE,
                            .rival.told = true,
                            .backoff = {.limit_ns = NS_PER_S, .up_since_ns = 7}};
    int64_t over_ns = 7 + RIVAL_QUIET_NS;

    (void)state;
    tell_trouble(&uplink, TROUBLE_RIVAL, "another");
    assert_true(connection_deadline(&uplink) == over_ns);
    connection_step(&uplink, over_ns - 1);
    assert_string_equal(uplink.stats.alarm, "another");
    connection_step(&uplink, over_ns);
    assert_string_equal(uplink.stats.alarm, "");
    assert_int_equal(fake.alarms_over, 1);
    assert_true(connection_deadline(&uplink) == INT64_MAX);
}

static void no_event_is_blamed_for_what_another_client_did(void **state)
{
    (void)state;
    options.retry_max_ns = 1;
    add_readings(2);
    broker.forgets = true;
    broker.hang_ups = 20;
    broker.hang_up_at = 2;
    broker.hang_up_reason = MQTT_REASON_TAKEN_OVER;
    run();
    assert_int_equal(broker.connects, 21);
    check_covered();
    check_fates(NULL, 0, 0);
}

static void an_alarm_of_rights_stands_until_something_is_delivered(void **state)
{
    (void)state;
    options.retry_max_ns = 1;
    add_readings(100);
    broker.busy = 2;
    broker.busy_reason = 0x87;
    run();
    assert_int_equal(fake.alarms, 1);
    assert_int_equal(fake.alarms_over, 1);
}

static int64_t processor_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * NS_PER_S + used.tv_nsec;
}

static void a_broker_that_answers_nothing_costs_no_processor_time(void **state)
{
    static const enum uplink_layout layouts[] = {UPLINK_BATCH, UPLINK_VALUES};
    struct timespec pause = {.tv_nsec = 10000000};

    for (size_t i = 0; i < 2; i++) {
        struct uplink_stats stats = {0};
        struct uplink *uplink;
        int64_t until_ns, used_ns;

        begin(state);
        options.layout = (int)layouts[i];
        options.window = 2;
        add_readings(3000);
        broker.mute = true;
        uplink = start();
        until_ns = clock_mono(&clock_system) + DEADLINE_S * NS_PER_S;
        while (stats.in_flight < 2 && clock_mono(&clock_system) < until_ns) {
            nanosleep(&pause, NULL);
            uplink_stats(uplink, &stats);
        }
        used_ns = processor_ns();
        for (int wait = 0; wait < 40; wait++)
            nanosleep(&pause, NULL);
        used_ns = processor_ns() - used_ns;
        uplink_stop(uplink, 0);
        assert_int_equal(stats.in_flight, 2);
        assert_true(used_ns < 100000000);
    }
}

static void a_busy_broker_costs_time_and_no_event(void **state)
{
    static const int reasons[] = {0x97, 0x80, 0x83, 0x87};

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        begin(state);
        add_readings(100);
        broker.busy = 2;
        broker.busy_reason = reasons[i];
        run();
        check_covered();
        check_fates(NULL, 0, 0);
        assert_int_equal(fake.alarms, reasons[i] == 0x87);
    }
}

static void a_ledger_without_room_is_no_deadline(void **state)
{
    struct uplink uplink = {
        .phase = PHASE_ONLINE, .announce = ANNOUNCE_DONE, .message_limit = 1, .ledger_due_ns = 7};

    (void)state;
    assert_int_equal(announce_deadline(&uplink), 7);
    uplink.others = 1;
    assert_true(announce_deadline(&uplink) == INT64_MAX);
}

/* Nobody looks for another login while none could be used: that is no deadline then, which would
 * lie in the past soon. */
static void a_refused_login_is_looked_for_but_not_while_the_uplink_is_held(void **state)
{
    int64_t now_ns = clock_mono(&clock_system), until_ns = now_ns + 60 * NS_PER_S;
    struct uplink uplink = {.options = &options,
                            .phase = PHASE_WAITING,
                            .login_refused = true,
                            .login_stamp = client_login_stamp(&options),
                            .next_try_ns = now_ns + 30 * NS_PER_S};

    (void)state;
    connection_step(&uplink, now_ns);
    assert_int_equal(connection_deadline(&uplink), now_ns + NS_PER_S);
    atomic_store(&uplink.hold_until_ns, until_ns);
    for (int step = 0; step < 2; step++) {
        now_ns += 2 * NS_PER_S;
        connection_step(&uplink, now_ns);
        assert_true(uplink.held);
        assert_true(connection_deadline(&uplink) > now_ns);
    }
    assert_int_equal(connection_deadline(&uplink), until_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_busy_broker_costs_time_and_no_event, begin),
        cmocka_unit_test_setup(events_wait_for_the_clock_but_not_for_ever, begin),
        cmocka_unit_test_setup(a_broker_that_answers_nothing_costs_no_processor_time, begin),
        cmocka_unit_test_setup(a_broker_that_answers_nothing_is_given_up_and_tried_again, begin),
        cmocka_unit_test_setup(an_outage_is_one_however_often_it_is_tried, begin),
        cmocka_unit_test_setup(another_client_with_this_id_is_told_of_once, begin),
        cmocka_unit_test_setup(an_alarm_of_another_client_is_over_once_a_connection_holds, begin),
        cmocka_unit_test_setup(no_event_is_blamed_for_what_another_client_did, begin),
        cmocka_unit_test_setup(an_alarm_of_rights_stands_until_something_is_delivered, begin),
        cmocka_unit_test(a_ledger_without_room_is_no_deadline),
        cmocka_unit_test_setup(a_refused_login_is_looked_for_but_not_while_the_uplink_is_held,
                               begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
