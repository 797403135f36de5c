/* When the watchdog is fed, and when a start is confirmed. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "daemon/health.h"

/* A gateway that has proven everything. */
static struct health_facts well(void)
{
    return (struct health_facts){
        .devices = 3, .uplinks = 1, .answering = 2, .online = 1, .polled = true, .session = true};
}

static void a_part_that_owes_a_sign_of_life_for_too_long_is_dead(void **state)
{
    static const int64_t silent_max_s[HEALTH_PARTS] = {120, 300, 60};

    (void)state;
    for (int part = 0; part < HEALTH_PARTS; part++) {
        struct health_facts facts = well();

        facts.silent_ns[part] = silent_max_s[part] * NS_PER_S;
        assert_true(health_alive(&facts, (enum health_part)part));
        assert_null(health_doubt(&facts));
        facts.silent_ns[part]++;
        for (int other = 0; other < HEALTH_PARTS; other++)
            assert_int_equal(health_alive(&facts, (enum health_part)other), other != part);
        assert_non_null(health_doubt(&facts));
    }
}

static void is_confirmed_by_a_poll_and_a_session(void **state)
{
    struct health_facts facts = well();

    (void)state;
    facts.polled = false;
    assert_non_null(strstr(health_doubt(&facts), "no device"));
    facts.polled = true;
    facts.session = false;
    assert_non_null(strstr(health_doubt(&facts), "no broker"));
    facts.session = true;
    facts.answering = facts.online =
        0; /* they did, and what comes later is no fault of the start */
    assert_null(health_doubt(&facts));
}

static void needs_only_what_is_configured(void **state)
{
    struct health_facts facts = {.devices = 1, .polled = true};

    (void)state;
    assert_null(health_doubt(&facts));
    facts.polled = false;
    assert_non_null(strstr(health_doubt(&facts), "no device"));
    facts = (struct health_facts){.uplinks = 1, .session = true};
    assert_null(health_doubt(&facts));
    facts = (struct health_facts){.devices = 0};
    assert_null(health_doubt(&facts));
}

static void is_not_confirmed_while_nothing_can_be_stored(void **state)
{
    struct health_facts facts = well();

    (void)state;
    facts.storage_error = ERR_NO_SPACE;
    assert_non_null(strstr(health_doubt(&facts), "stores nothing"));
    assert_true(health_alive(&facts, HEALTH_JOURNAL)); /* a restart makes no room */
}

static void says_in_a_line_how_it_is(void **state)
{
    char words[HEALTH_WORDS_SIZE];
    struct health_facts facts = well();

    (void)state;
    health_words(&facts, words);
    assert_string_equal(words, "2 of 3 devices answer, 1 of 1 uplinks online");
    facts = (struct health_facts){.storage_error = ERR_NO_SPACE};
    health_words(&facts, words);
    assert_string_equal(words, "no devices; nothing can be stored: no space left on the device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_that_owes_a_sign_of_life_for_too_long_is_dead),
        cmocka_unit_test(is_confirmed_by_a_poll_and_a_session),
        cmocka_unit_test(needs_only_what_is_configured),
        cmocka_unit_test(is_not_confirmed_while_nothing_can_be_stored),
        cmocka_unit_test(says_in_a_line_how_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
