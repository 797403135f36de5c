/* What a broker or a name leaves no room for: nothing that fits is held up by what does not. */
// links: sluice_uplink
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/uplink_rig.h"
#include "uplink/internal.h"
#include "uplink/uplink.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_brokers_limits_are_kept, begin),
        cmocka_unit_test_setup(an_event_above_the_packet_size_is_given_up, begin),
        cmocka_unit_test_setup(answers_to_the_client_of_another_version_leave_room, begin),
        cmocka_unit_test_setup(packets_too_small_for_an_event_cost_no_event, begin),
        cmocka_unit_test_setup(the_longest_names_fit_into_the_smallest_packet, begin),
        cmocka_unit_test_setup(a_description_above_the_packet_size_stops_no_event, begin),
        cmocka_unit_test_setup(an_id_that_its_own_events_cannot_bear_is_refused, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
