/* Commands from their arrival to their answer. */
// links: sluice_field
#include "unit/desk_rig.h"

static void a_command_is_stored_then_executed_then_answered(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    submit(rig, &party,
           "{\"id\":\"7c1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1}");
    has(await_last(&party, 1), "{\"id\":\"7c1\",\"ok\":true,\"v\":1,\"t\":");
    assert_int_equal(party.count, 2);
    has(party.lines[0], "{\"id\":\"7c1\",\"accepted\":true,\"t\":");
    has(party.lines[0], "\"key\":\"");
    assert_true(field.stored_first);
    assert_int_equal(field.executed, 1);
    assert_int_equal(count_events(rig->kit->journal, EVENT_COMMAND, "7c1"), 1);
    assert_int_equal(count_events(rig->kit->journal, EVENT_RESULT, "7c1"), 1);
    leave(rig, &party);
}

static void a_repeated_command_gets_the_same_answer_and_is_not_executed_again(void **state)
{
    static const char json[] =
        "{\"id\":\"7c1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1}";
    struct rig *rig = *state;
    struct party party, other;
    char first[512];

    party_init(&party, "unix:0", false);
    party_init(&other, "unix:1", false);
    hold(true);
    submit(rig, &party, json);
    submit(rig, &party, json); /* while it is under way */
    hold(false);
    snprintf(first, sizeof first, "%s", await_last(&party, 1));
    submit(rig, &party, json);
    assert_string_equal(await_last(&party, 2), first);
    assert_int_equal(field.executed, 1);
    submit(rig, &party,
           "{\"id\":\"7c1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":0}");
    has(await_last(&party, 3), "another command");
    submit(rig, &other, json); /* ids are those of their senders */
    await_last(&other, 1);
    assert_int_equal(field.executed, 2);
    leave(rig, &party);
    leave(rig, &other);
}

static void says_in_words_why_a_command_is_refused(void **state)
{
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"{\"id\":\"a\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":2}",
         "allowed are 0 (off), 1 (auto)"},
        {"{\"id\":\"b\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":\"on\"}",
         "allowed are 0 (off), 1 (auto)"},
        {"{\"id\":\"c\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1.5}",
         "whole number"},
        {"{\"id\":\"d\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"setpoint\",\"v\":4.5}",
         "allowed is 5 to 90 in steps of 0.5"},
        {"{\"id\":\"e\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"setpoint\",\"v\":20.3}",
         "in steps of 0.5"},
        {"{\"id\":\"f\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"setpoint\",\"v\":\"warm\"}",
         "a number is expected"},
        {"{\"id\":\"g\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"flow\",\"v\":1}",
         "\"why\":\"not writable\""},
        {"{\"id\":\"h\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"nix\",\"v\":1}",
         "\"why\":\"no such point\""},
        {"{\"id\":\"p\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"modes\",\"v\":1}",
         "no such point; did you mean \\\"mode\\\"?"},
        {"{\"id\":\"q\",\"op\":\"write\",\"d\":\"boiller\",\"p\":\"mode\",\"v\":1}",
         "no such device; did you mean \\\"boiler\\\"?"},
        {"{\"id\":\"i\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"count\",\"v\":66}",
         "the device cannot do 66"},
        {"{\"id\":\"j\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"count\",\"v\":-1}", "from 0 on"},
        {"{\"id\":\"k\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"count\",\"v\":1e300}",
         "as texts"},
        {"{\"id\":\"l\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"count\",\"v\":null}",
         "is to be the value"},
        {"{\"id\":\"m\",\"op\":\"erase\",\"d\":\"boiler\",\"p\":\"count\",\"v\":1}",
         "\\\"op\\\" is to be"},
        {"{\"id\":\"n\",\"op\":\"write\",\"d\":\"Boiler\",\"p\":\"count\",\"v\":1}",
         "id of a device"},
        {"{\"id\":\"not an id\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"count\",\"v\":1}",
         "1 to 64"},
        {"{\"id\":\"o\",\"op\":\"write\",", "one JSON object"},
        {"[1]", "one JSON object"},
    };
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        submit(rig, &party, cases[i].json);
        has(await_last(&party, i + 1), cases[i].words);
        has(party.lines[i], "\"ok\":false");
    }
    assert_int_equal(field.executed, 0);
    leave(rig, &party);
}

static void a_value_at_its_limits_is_executed(void **state)
{
    static const struct {
        const char *json;
        double value;
    } cases[] = {
        {"{\"id\":\"a\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"setpoint\",\"v\":5}", 5},
        {"{\"id\":\"b\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"setpoint\",\"v\":90}", 90},
    };
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        submit(rig, &party, cases[i].json);
        has(await_last(&party, i + 1), "\"ok\":true");
        assert_true(field.last.f == cases[i].value);
    }
    submit(rig, &party,
           "{\"id\":\"c\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"setpoint\",\"v\":90.5}");
    has(await_last(&party, 3), "allowed is 5 to 90 in steps of 0.5");
    assert_int_equal(field.executed, 2);
    leave(rig, &party);
}

static void numbers_and_texts_of_an_enum_may_be_written_as_texts(void **state)
{
    static const struct {
        const char *point, *value, *told;
    } cases[] = {
        {"mode", "\"auto\"", "\"v\":1"},
        {"mode", "\"0\"", "\"v\":0"},
        {"setpoint", "\"21.5\"", "\"v\":21.5"},
        {"count", "\"18446744073709551615\"", "\"v\":\"18446744073709551615\""},
    };
    struct rig *rig = *state;
    struct party party;
    char json[256];

    party_init(&party, "unix:0", false);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(json, sizeof json,
                 "{\"id\":\"%u\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"%s\",\"v\":%s}", i,
                 cases[i].point, cases[i].value);
        submit(rig, &party, json);
        has(await_last(&party, i + 1), cases[i].told);
    }
    leave(rig, &party);
}

static void what_was_refused_of_a_point_is_stored_as_well(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    submit(rig, &party, "{\"id\":\"r1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":9}");
    /* The next one is stored behind it. */
    submit(rig, &party, "{\"id\":\"r2\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1}");
    await_last(&party, 2);
    assert_int_equal(count_events(rig->kit->journal, EVENT_RESULT, "r1"), 1);
    assert_int_equal(count_events(rig->kit->journal, EVENT_COMMAND, "r1"), 0);
    leave(rig, &party);
}

static void more_commands_than_may_come_are_refused(void **state)
{
    struct rig *rig = *state;
    struct party party;
    char json[160];

    party_init(&party, "unix:0", false);
    for (unsigned i = 0; i <= DESK_BURST; i++) {
        snprintf(json, sizeof json,
                 "{\"id\":\"%u\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"nix\",\"v\":1}", i);
        submit(rig, &party, json);
    }
    has(await_last(&party, DESK_BURST + 1), "\"why\":\"too many commands\"");
    kit_pass(rig->kit, NS_PER_S / DESK_RATE_PER_S);
    submit(rig, &party, json);
    has(await_last(&party, DESK_BURST + 2), "\"why\":\"no such point\"");
    leave(rig, &party);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(a_command_is_stored_then_executed_then_answered),
        DESK_TEST(a_repeated_command_gets_the_same_answer_and_is_not_executed_again),
        DESK_TEST(says_in_words_why_a_command_is_refused),
        DESK_TEST(a_value_at_its_limits_is_executed),
        DESK_TEST(numbers_and_texts_of_an_enum_may_be_written_as_texts),
        DESK_TEST(what_was_refused_of_a_point_is_stored_as_well),
        DESK_TEST(more_commands_than_may_come_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
