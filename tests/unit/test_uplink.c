/* From the journal to the broker and back: nothing is left out, nothing is taken for delivered that
 * was not. */
// links: sluice_uplink
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "uplink/internal.h"
#include "uplink/uplink.h"
#include "unit/fake_broker.h"
#include "unit/fake_journal.h"

#define DEADLINE_S 60

static const struct site site = {.id = "plant7", .fingerprint = "b61f02"};

static struct uplink_options options;

static int begin(void **state)
{
    (void)state;
    fake_reset();
    broker_reset();
    options = (struct uplink_options){.id = "cloud",
                                      .first = true,
                                      .url = "mqtt://127.0.0.1",
                                      .root = "sluice",
                                      .keep_alive_ns = 30 * NS_PER_S,
                                      .connect_timeout_ns = NS_PER_S,
                                      .window = 64,
                                      .tls_minimum = 12};
    return 0;
}

static struct uplink *start(void)
{
    struct uplink *uplink = NULL;

    assert_int_equal(uplink_start(&uplink, NULL, &site, &options, &clock_system), 0);
    return uplink;
}

static bool reaches(uint64_t low)
{
    int64_t until_ns = clock_mono(&clock_system) + DEADLINE_S * NS_PER_S;
    struct timespec pause = {.tv_nsec = 1000000};

    while (fake_low() < low && clock_mono(&clock_system) < until_ns)
        nanosleep(&pause, NULL);
    return fake_low() >= low;
}

/* Runs an uplink until everything has a fate. */
static void run(void)
{
    struct uplink *uplink = start();
    bool done = reaches(fake.count + 1);
    struct uplink_stats stats;

    uplink_stats(uplink, &stats);
    uplink_stop(uplink, NS_PER_S);
    if (!done)
        fail_msg("stands at %lu of %lu: %s %s", (unsigned long)fake_low(),
                 (unsigned long)fake.count, stats.state, stats.error);
}

static void add_readings(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        fake_add(EVENT_READING);
}

static bool is_proof(const struct message *message)
{
    return message->last != 0 && message->reason == 0;
}

/* Every event is covered by an accepted message of its epoch. */
static void check_covered(void)
{
    static bool covered[FAKE_EVENTS_MAX + 1];

    memset(covered, 0, sizeof(covered));
    for (size_t i = 0; i < broker.count; i++) {
        const struct message *message = &broker.messages[i];

        if (!is_proof(message))
            continue;
        for (uint64_t n = message->first; n <= message->last; n++) {
            assert_true(n <= fake.count);
            if (fake.events[n].epoch != 0 && fake.reasons[n] == 0)
                assert_int_equal(message->epoch, fake.events[n].epoch);
            covered[n] = true;
        }
    }
    for (uint64_t n = 1; n <= fake.count; n++) {
        if (!covered[n])
            fail_msg("event %lu is covered by no message", (unsigned long)n);
    }
}

static void check_fates(const uint64_t *dropped, size_t count, uint8_t reason)
{
    size_t next = 0;

    for (uint64_t n = 1; n <= fake.count; n++) {
        bool is_dropped = next < count && dropped[next] == n;

        if (fake.fates[n] != (is_dropped ? FATE_DROPPED : FATE_ACKED))
            fail_msg("event %lu has fate %d", (unsigned long)n, fake.fates[n]);
        if (is_dropped)
            assert_int_equal(fake.reasons[n], reason);
        next += is_dropped;
    }
}

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

static void the_brokers_limits_are_kept(void **state)
{
    (void)state;
    add_readings(1000);
    broker.receive_maximum = 1;
    broker.packet_size_max = 1500;
    run();
    assert_int_equal(broker.most_in_flight, 1);
    for (size_t i = 0; i < broker.count; i++)
        assert_true(broker.messages[i].size + strlen(broker.messages[i].topic) + 16 <= 1500);
    check_covered();
    check_fates(NULL, 0, 0);
}

static void an_event_above_the_packet_size_is_given_up(void **state)
{
    static char text[4000];
    static const uint64_t large[] = {3};
    static const enum uplink_layout layouts[] = {UPLINK_BATCH, UPLINK_VALUES};

    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < 2; i++) {
        begin(state);
        options.layout = (int)layouts[i];
        add_readings(5);
        fake.events[3].value =
            (struct value){.type = VALUE_TEXT, .data = text, .size = sizeof(text)};
        broker.packet_size_max = 2000;
        run();
        for (size_t j = 0; j < broker.count; j++)
            assert_true(broker.messages[j].size < 2000);
        check_covered();
        check_fates(large, 1, GAP_POISON);
    }
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

        values += strcmp(message->topic, "sluice/plant7/v/boiler/flow") == 0 && message->n != 0;
        assert_int_equal(message->retained, message->last == 0);
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

static void wait_for_state(struct uplink *uplink, const char *state, struct uplink_stats *stats)
{
    int64_t until_ns = clock_mono(&clock_system) + DEADLINE_S * NS_PER_S;
    struct timespec pause = {.tv_nsec = 1000000};

    do {
        nanosleep(&pause, NULL);
        uplink_stats(uplink, stats);
    } while (strcmp(stats->state, state) != 0 && clock_mono(&clock_system) < until_ns);
    assert_string_equal(stats->state, state);
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

static void another_client_with_this_id_is_told_of_once(void **state)
{
    static const struct {
        int version, hang_ups, reason, alarms;
        const char *says;
    } cases[] = {
        {5, 6, MQTT_REASON_TAKEN_OVER, 1, "another client connected with the same client id"},
        {4, 6, MQTT_REASON_NONE, 1, "probably another client has the same client id"},
        {4, RIVAL_STRIKES - 1, MQTT_REASON_NONE, 0, ""},
        {5, 6, 0x8B, 0, ""}, /* it shuts down */
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

static void answers_to_the_client_of_another_version_leave_room(void **state)
{
    struct uplink uplink = {
        .options = &options, .others = 2, .others_generation = 4, .message_limit = 8};

    (void)state;
    publish_answer(&uplink, WINDOW_TOKEN_OTHER | 3, 0);
    assert_int_equal(uplink.others, 2);
    publish_answer(&uplink, WINDOW_TOKEN_OTHER | 4, 0);
    assert_int_equal(uplink.others, 1);
}

static void packets_too_small_for_an_event_cost_no_event(void **state)
{
    struct uplink_stats stats = {0};
    struct uplink *uplink;

    (void)state;
    add_readings(10);
    broker.packet_size_max = 600;
    uplink = start();
    wait_for_state(uplink, "refused", &stats);
    uplink_stop(uplink, 0);
    assert_non_null(strstr(stats.error, "at most 600 bytes"));
    assert_int_equal(fake.alarms, 0);
    assert_int_equal(fake_low(), 1);
    assert_int_equal(broker.count, 0);
}

static void the_longest_names_fit_into_the_smallest_packet(void **state)
{
    static char root[65], gateway[ID_SIZE_MAX];
    static const enum uplink_layout layouts[] = {UPLINK_BATCH, UPLINK_VALUES};
    const struct site longest = {.id = gateway, .fingerprint = "b61f02"};

    memset(root, 'r', 64);
    memset(gateway, 'g', ID_SIZE_MAX - 1);
    for (size_t i = 0; i < 2; i++) {
        struct uplink *uplink = NULL;

        begin(state);
        options.root = root;
        options.layout = (int)layouts[i];
        add_readings(20);
        broker.packet_size_max = UPLINK_PACKET_MIN;
        assert_int_equal(uplink_start(&uplink, NULL, &longest, &options, &clock_system), 0);
        assert_true(reaches(21));
        uplink_stop(uplink, NS_PER_S);
        check_covered();
        check_fates(NULL, 0, 0);
    }
}

static void a_description_above_the_packet_size_stops_no_event(void **state)
{
    static char name[3000];
    const struct site described = {.id = "plant7", .name = name, .fingerprint = "b61f02"};
    struct uplink *uplink = NULL;

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    add_readings(20);
    broker.packet_size_max = 2000;
    assert_int_equal(uplink_start(&uplink, NULL, &described, &options, &clock_system), 0);
    assert_true(reaches(21));
    uplink_stop(uplink, NS_PER_S);
    for (size_t i = 0; i < broker.count; i++)
        assert_true(broker.messages[i].size < 2000);
    check_covered();
}

struct noted {
    struct option_complaints complaints;
    const char *key;
};

static void note_key(struct option_complaints *complaints, const char *key, const char *sentence)
{
    (void)sentence;
    ((struct noted *)complaints)->key = key;
}

static bool all_sound(struct option_complaints *complaints, const char *key)
{
    (void)complaints;
    (void)key;
    return true;
}

static void an_id_that_its_own_events_cannot_bear_is_refused(void **state)
{
    char id[ID_SIZE_MAX] = "";

    (void)state;
    for (size_t length = 55; length < ID_SIZE_MAX; length++) {
        struct noted noted = {{note_key, all_sound}, NULL};

        memset(id, 'a', length);
        uplink_check(&options, id, &noted.complaints);
        assert_string_equal(noted.key ? noted.key : "", length <= 56 ? "" : "id");
    }
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

static void a_ledger_without_room_is_no_deadline(void **state)
{
    struct uplink uplink = {
        .phase = PHASE_ONLINE, .announce = ANNOUNCE_DONE, .message_limit = 1, .ledger_due_ns = 7};

    (void)state;
    assert_int_equal(announce_deadline(&uplink), 7);
    uplink.others = 1;
    assert_true(announce_deadline(&uplink) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(everything_is_published_covered_and_acknowledged, begin),
        cmocka_unit_test_setup(meta_and_status_go_out_before_the_first_event, begin),
        cmocka_unit_test_setup(no_message_spans_two_epochs, begin),
        cmocka_unit_test_setup(a_lost_session_is_published_again_from_the_cursor, begin),
        cmocka_unit_test_setup(a_resumed_session_needs_nothing_twice, begin),
        cmocka_unit_test_setup(poison_is_given_up_alone_and_told, begin),
        cmocka_unit_test_setup(a_message_that_the_broker_meets_by_hanging_up_is_given_up, begin),
        cmocka_unit_test_setup(a_busy_broker_costs_time_and_no_event, begin),
        cmocka_unit_test_setup(the_brokers_limits_are_kept, begin),
        cmocka_unit_test_setup(an_event_above_the_packet_size_is_given_up, begin),
        cmocka_unit_test_setup(a_hole_in_the_journal_is_told_and_passed, begin),
        cmocka_unit_test_setup(values_are_retained_and_proven_by_marks, begin),
        cmocka_unit_test_setup(with_mqtt_3_1_1_the_first_message_must_come_back, begin),
        cmocka_unit_test_setup(nothing_counts_as_delivered_without_an_echo, begin),
        cmocka_unit_test_setup(events_wait_for_the_clock_but_not_for_ever, begin),
        cmocka_unit_test_setup(a_broker_that_answers_nothing_costs_no_processor_time, begin),
        cmocka_unit_test_setup(a_broker_that_answers_nothing_is_given_up_and_tried_again, begin),
        cmocka_unit_test_setup(another_client_with_this_id_is_told_of_once, begin),
        cmocka_unit_test_setup(an_alarm_of_another_client_is_over_once_a_connection_holds, begin),
        cmocka_unit_test_setup(no_event_is_blamed_for_what_another_client_did, begin),
        cmocka_unit_test_setup(an_alarm_of_rights_stands_until_something_is_delivered, begin),
        cmocka_unit_test_setup(answers_to_the_client_of_another_version_leave_room, begin),
        cmocka_unit_test_setup(packets_too_small_for_an_event_cost_no_event, begin),
        cmocka_unit_test_setup(the_longest_names_fit_into_the_smallest_packet, begin),
        cmocka_unit_test_setup(a_description_above_the_packet_size_stops_no_event, begin),
        cmocka_unit_test_setup(an_id_that_its_own_events_cannot_bear_is_refused, begin),
        cmocka_unit_test(a_ledger_without_room_is_no_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
