/* Commands that come late, are retained, or are met by a stop or a start: none is executed out of
 * its time, each is answered. */
// links: sluice_field
#include "unit/desk_rig.h"

static void a_command_whose_time_is_over_is_not_executed(void **state)
{
    struct rig *rig = *state;
    struct party party;
    char json[256];

    party_init(&party, "mqtt:cloud", true);
    snprintf(json, sizeof json,
             "{\"id\":\"late\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,"
             "\"expires\":%lld}",
             (long long)NOW_MS - 1);
    submit(rig, &party, json);
    has(await_last(&party, 1), "\"why\":\"expired\"");

    /* The bus is busy until it is over. */
    hold(true);
    snprintf(json, sizeof json,
             "{\"id\":\"waits\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,"
             "\"expires\":%lld}",
             (long long)NOW_MS + 10000);
    submit(rig, &party, json);
    await_count(&party, 2);
    await_handed_over(rig);
    kit_pass(rig->kit, 10 * NS_PER_S);
    hold(false);
    has(await_last(&party, 2), "\"why\":\"expired\"");

    /* The wall clock that is set back meanwhile does not make it younger. */
    hold(true);
    submit(rig, &party,
           "{\"id\":\"back\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,"
           "\"ttl\":5000,\"expires\":1795448400000}");
    await_count(&party, 4);
    await_handed_over(rig);
    rig->kit->wall_ns -= 3600 * NS_PER_S;
    rig->kit->mono_ns += 6 * NS_PER_S;
    hold(false);
    has(await_last(&party, 3), "\"why\":\"expired\"");
    assert_int_equal(field.executed, 0);
    leave(rig, &party);
}

static void a_broker_s_command_must_say_until_when(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "mqtt:cloud", true);
    submit(rig, &party,
           "{\"id\":\"1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,\"ttl\":5000}");
    has(await_last(&party, 1), "expires");
    submit(rig, &party,
           "{\"id\":\"2\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,"
           "\"expires\":1795460000000}");
    has(await_last(&party, 2), "an hour ahead");
    submit(rig, &party, "{\"op\":\"write\"}"); /* to whom should that be answered? */
    assert_int_equal(party.count, 2);
    assert_int_equal(field.executed, 0);
    leave(rig, &party);
}

static void without_a_clock_only_what_cannot_have_waited_is_executed(void **state)
{
    static const char json[] = "{\"id\":\"%s\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\","
                               "\"v\":1,\"expires\":1795448400000}";
    const struct command_delivery late = {.late = true};
    struct rig *rig = *state;
    struct command_desk *desk = desk_seam(rig->desk);
    struct party party;
    char text[256];

    party_init(&party, "mqtt:cloud", true);
    rig->kit->trust = CLOCK_UNSET;
    rig->kit->wall_ns = 0;
    snprintf(text, sizeof text, json, "waited");
    desk->ops->submit(desk, &party.sender, text, strlen(text), &late);
    has(await_last(&party, 1), "\"why\":\"clock unset\"");
    snprintf(text, sizeof text, json, "fresh");
    submit(rig, &party, text);
    has(await_last(&party, 2), "\"ok\":true");
    hold(true);
    snprintf(text, sizeof text, json, "slow");
    submit(rig, &party, text);
    rig->kit->mono_ns += DESK_TTL_NS;
    hold(false);
    has(await_last(&party, 3), "\"why\":\"expired\"");
    assert_int_equal(field.executed, 1);
    leave(rig, &party);
}

static void a_retained_command_is_refused_once(void **state)
{
    static const char json[] = "{\"id\":\"kept\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\","
                               "\"v\":1,\"expires\":1795448310000}";
    const struct command_delivery retained = {.retained = true};
    struct rig *rig = *state;
    struct command_desk *desk = desk_seam(rig->desk);
    struct party party;

    party_init(&party, "mqtt:cloud", true);
    desk->ops->submit(desk, &party.sender, json, strlen(json), &retained);
    has(await_last(&party, 1), "retain");
    assert_int_equal(field.executed, 0);
    submit(rig, &party, json);
    await_last(&party, 2);
    /* It had been executed; the broker delivers what it kept of it at every connection. */
    desk->ops->submit(desk, &party.sender, json, strlen(json), &retained);
    assert_int_equal(party.last, 2);
    leave(rig, &party);
}

static void a_bus_that_stops_answers_what_it_leaves(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    field.stuck = true;
    submit(rig, &party, "{\"id\":\"1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1}");
    await_executed(1);
    submit(rig, &party, "{\"id\":\"2\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":0}");
    stop_field(rig);
    await_last(&party, 2);
    for (unsigned i = 0; i < party.count; i++) {
        if (strstr(party.lines[i], "\"id\":\"1\",\"ok\""))
            has(party.lines[i], "\"why\":\"interrupted\"");
        if (strstr(party.lines[i], "\"id\":\"2\",\"ok\""))
            has(party.lines[i], "\"why\":\"stopped\"");
    }
    leave(rig, &party);
    field.stuck = false;
    start_field(rig);
    assert_int_equal(field.executed, 1);
}

/* As a kill between the two leaves it: a command in the journal, and no result. */
static void put_command_without_result(struct rig *rig, const char *id)
{
    struct command command = {.op = COMMAND_WRITE, .value = {.type = VALUE_U64, .u = 1}};
    uint8_t packed[COMMAND_PACKED_SIZE_MAX];
    struct event event = {.kind = EVENT_COMMAND, .stream = rig->streams[0]};

    snprintf(command.id, sizeof command.id, "%s", id);
    snprintf(command.by, sizeof command.by, "unix:0");
    event.mono_ns = rig->kit->mono_ns;
    event.value.type = VALUE_BYTES;
    event.value.data = packed;
    event.value.size = (uint16_t)command_pack(&command, packed);
    assert_int_equal(journal_put(rig->kit->journal, &event), 0);
    kit_flush(rig->kit);
}

static void what_a_restart_interrupted_is_answered_and_not_executed(void **state)
{
    static const char json[] =
        "{\"id\":\"cut\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1}";
    static const char done[] =
        "{\"id\":\"done\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"setpoint\",\"v\":21.5}";
    struct rig *rig = *state;
    struct party party;
    unsigned answers = 1;

    party_init(&party, "unix:0", false);
    submit(rig, &party, done);
    await_last(&party, answers);
    leave(rig, &party);
    put_command_without_result(rig, "cut");
    for (int restart = 0; restart < 2; restart++) {
        stop(rig);
        start(rig);
        submit(rig, &party, json);
        has(await_last(&party, ++answers), "\"why\":\"interrupted\"");
        submit(rig, &party, done);
        has(await_last(&party, ++answers), "\"ok\":true,\"v\":21.5");
        leave(rig, &party);
    }
    assert_int_equal(field.executed, 1);
    assert_int_equal(count_events(rig->kit->journal, EVENT_RESULT, "cut"), 1);
    assert_int_equal(count_events(rig->kit->journal, EVENT_RESULT, "done"), 1);
}

static void a_sender_that_was_started_anew_hears_of_its_commands(void **state)
{
    struct rig *rig = *state;
    struct command_desk *desk = desk_seam(rig->desk);
    struct party before, after;

    party_init(&before, "mqtt:cloud", true);
    party_init(&after, "mqtt:cloud", true);
    hold(true);
    submit(rig, &before,
           "{\"id\":\"1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,"
           "\"expires\":1795448310000}");
    leave(rig, &before);
    desk->ops->join(desk, &after.sender);
    hold(false);
    has(await_last(&after, 1), "\"ok\":true");
    assert_int_equal(before.last, 0);
    leave(rig, &after);

    /* Also of one that ended while it was away. */
    party_init(&after, "mqtt:cloud", true);
    submit(rig, &before,
           "{\"id\":\"2\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":0,"
           "\"expires\":1795448310000}");
    leave(rig, &before);
    await_executed(2);
    desk->ops->join(desk, &after.sender);
    has(await_last(&after, 1), "\"id\":\"2\",\"ok\":true");
    leave(rig, &after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(a_command_whose_time_is_over_is_not_executed),
        DESK_TEST(a_broker_s_command_must_say_until_when),
        DESK_TEST(without_a_clock_only_what_cannot_have_waited_is_executed),
        DESK_TEST(a_retained_command_is_refused_once),
        DESK_TEST(a_bus_that_stops_answers_what_it_leaves),
        DESK_TEST(what_a_restart_interrupted_is_answered_and_not_executed),
        DESK_TEST(a_sender_that_was_started_anew_hears_of_its_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
