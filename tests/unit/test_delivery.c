/* What is in flight, how long to wait, and what is to blame: the pure parts of an uplink. */
// links: sluice_uplink
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "uplink/backoff.h"
#include "uplink/rival.h"
#include "uplink/suspect.h"
#include "uplink/window.h"

static uint32_t send_unit(struct window *window, uint64_t first, uint64_t last)
{
    uint32_t token;

    assert_non_null(window_begin(window, first));
    token = window_send(window, 100);
    window_finish(window, last, (uint32_t)(last - first + 1));
    return token;
}

static void answers_in_any_order_are_taken_in_the_order_of_the_events(void **state)
{
    struct window window;
    struct unit unit;
    uint32_t tokens[3];

    (void)state;
    assert_int_equal(window_open(&window, 8), 0);
    for (unsigned i = 0; i < 3; i++)
        tokens[i] = send_unit(&window, 10 * i + 1, 10 * i + 10);
    assert_non_null(window_answer(&window, tokens[2], 0));
    assert_non_null(window_answer(&window, tokens[1], 0x10));
    assert_false(window_take(&window, &unit));
    assert_int_equal(window.messages, 1);
    assert_non_null(window_answer(&window, tokens[0], 0));
    for (unsigned i = 0; i < 3; i++) {
        assert_true(window_take(&window, &unit));
        assert_int_equal(unit.first, 10 * i + 1);
        assert_int_equal(unit.last, 10 * i + 10);
    }
    assert_false(window_take(&window, &unit));
    assert_int_equal(window.bytes, 0);
    window_close(&window);
}

static void a_refused_unit_holds_up_those_behind_it(void **state)
{
    static const int refusals[] = {-1, 0x80, 0x87, 0x97};
    struct unit unit;

    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct window window;
        uint32_t first, second;

        assert_int_equal(window_open(&window, 4), 0);
        first = send_unit(&window, 1, 5);
        second = send_unit(&window, 6, 9);
        window_answer(&window, first, refusals[i]);
        window_answer(&window, second, 0);
        assert_false(window_take(&window, &unit));
        assert_int_equal(window_refused(&window)->first, 1);
        assert_int_equal(window_refused(&window)->refused, refusals[i]);
        window_close(&window);
    }
}

static void a_unit_of_several_messages_needs_every_answer_and_its_end(void **state)
{
    struct window window;
    struct unit unit;
    uint32_t tokens[3];

    (void)state;
    assert_int_equal(window_open(&window, 4), 0);
    assert_non_null(window_begin(&window, 1));
    tokens[0] = window_send(&window, 10);
    window_answer(&window, tokens[0], 0);
    assert_false(window_take(&window, &unit)); /* not yet finished */
    tokens[1] = window_send(&window, 10);
    tokens[2] = window_expect(&window);
    window_finish(&window, 2, 2);
    window_answer(&window, tokens[1], 0);
    assert_false(window_take(&window, &unit));
    window_answer(&window, tokens[2], 0);
    assert_true(window_take(&window, &unit));
    assert_int_equal(unit.events, 2);
    window_close(&window);
}

static void answers_of_an_earlier_generation_and_to_nothing_are_ignored(void **state)
{
    struct window window;
    uint32_t old, token;

    (void)state;
    assert_int_equal(window_open(&window, 4), 0);
    old = send_unit(&window, 1, 1);
    window_reset(&window);
    assert_null(window_answer(&window, old, 0));
    token = send_unit(&window, 1, 1);
    assert_null(window_answer(&window, old, 0));
    assert_null(window_answer(&window, token + 1, 0));
    assert_null(window_answer(&window, token | WINDOW_TOKEN_OTHER, 0));
    assert_non_null(window_answer(&window, token, 0));
    assert_null(window_answer(&window, token, 0)); /* twice */
    assert_int_equal(window.messages, 0);
    window_close(&window);
}

static void the_window_goes_round_for_a_long_time(void **state)
{
    struct window window;
    struct unit unit;

    (void)state;
    assert_int_equal(window_open(&window, 4), 0);
    for (uint64_t n = 1; n < 200000; n++) {
        uint32_t token = send_unit(&window, n, n);

        if (n % 3 == 0) { /* leave some in flight across the wrap of the token's 16 bits */
            uint32_t next = send_unit(&window, n + 1, n + 1);

            n++;

            assert_non_null(window_answer(&window, next, 0));
            assert_false(window_take(&window, &unit));
        }
        assert_non_null(window_answer(&window, token, 0));
        while (window_take(&window, &unit))
            ;
        assert_int_equal(unit.last, n);
    }
    assert_int_equal(window_count(&window), 0);
    window_close(&window);
}

static void a_full_window_takes_no_more(void **state)
{
    struct window window;

    (void)state;
    assert_int_equal(window_open(&window, 3), 0);
    for (uint64_t n = 1; n <= 4; n++)
        send_unit(&window, n, n);
    assert_null(window_begin(&window, 5));
    window_close(&window);
}

static void waits_double_to_a_minute_and_are_spread(void **state)
{
    static const int64_t most_s[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct backoff longest = {0}, none = {0}, half = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(most_s) / sizeof(most_s[0]); i++) {
        int64_t middle = backoff_fail(&half, UINT32_MAX / 2);

        assert_int_equal(backoff_fail(&longest, UINT32_MAX), most_s[i] * NS_PER_S);
        assert_int_equal(backoff_fail(&none, 0), 0);
        assert_true(middle > most_s[i] * NS_PER_S * 49 / 100 &&
                    middle < most_s[i] * NS_PER_S * 51 / 100);
    }
}

static void a_refused_login_is_tried_again_slowly(void **state)
{
    struct backoff soonest = {.limit_ns = 3600 * NS_PER_S}, latest = {0},
                   quick = {.limit_ns = NS_PER_S};

    (void)state;
    backoff_fail(&soonest, 0);
    for (int64_t least_s = 15; least_s < 1800; least_s *= 2)
        assert_int_equal(backoff_refuse(&soonest, 0), least_s * NS_PER_S);
    assert_int_equal(backoff_refuse(&soonest, 0), 1800 * NS_PER_S);
    assert_int_equal(backoff_refuse(&latest, UINT32_MAX), 30 * NS_PER_S);
    assert_int_equal(backoff_refuse(&latest, UINT32_MAX), 60 * NS_PER_S);
    assert_int_equal(backoff_refuse(&latest, UINT32_MAX), 60 * NS_PER_S);
    assert_int_equal(backoff_refuse(&quick, UINT32_MAX), NS_PER_S); /* never longer than wanted */
    backoff_up(&latest, 100 * NS_PER_S);
    backoff_down(&latest, 160 * NS_PER_S);
    assert_int_equal(backoff_refuse(&latest, 0), 15 * NS_PER_S);
}

static void only_a_stable_minute_forgets_the_failures(void **state)
{
    struct backoff backoff = {0};

    (void)state;
    for (int i = 0; i < 5; i++)
        backoff_fail(&backoff, 0);
    backoff_up(&backoff, 100 * NS_PER_S);
    backoff_down(&backoff, 159 * NS_PER_S);
    assert_int_equal(backoff_fail(&backoff, UINT32_MAX), 32 * NS_PER_S);
    backoff_up(&backoff, 200 * NS_PER_S);
    backoff_down(&backoff, 260 * NS_PER_S);
    assert_int_equal(backoff_fail(&backoff, UINT32_MAX), NS_PER_S);
    backoff.limit_ns = 3 * NS_PER_S;
    assert_int_equal(backoff_fail(&backoff, UINT32_MAX), 2 * NS_PER_S);
    assert_int_equal(backoff_fail(&backoff, UINT32_MAX), 3 * NS_PER_S);
}

/* A broker that never takes the events in `bad`, or takes nothing at all. */
struct broker {
    const uint64_t *bad;
    size_t bad_count;
    bool takes_nothing;
    enum suspect_cause cause;
    uint64_t buried[8];
    size_t buried_count;
    unsigned attempts, laters;
};

static bool takes(const struct broker *broker, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < broker->bad_count; i++) {
        if (broker->bad[i] >= first && broker->bad[i] <= last)
            return false;
    }
    return !broker->takes_nothing;
}

/* Publishes events 1..count as an uplink would, one message at a time. */
static void publish_all(struct broker *broker, struct suspect *suspect, uint64_t count)
{
    uint64_t low = 1, next = 1;

    while (low <= count && broker->attempts < 5000) {
        uint32_t limit = suspect_limit(suspect, next);
        uint64_t first = next, last = next + (limit < 50 ? limit : 50) - 1;

        broker->attempts++;
        if (first > count) { /* nothing behind the one set aside */
            suspect_no_neighbour(suspect);
            next = low;
            continue;
        }
        if (first == suspect->aside) {
            next++;
            continue;
        }
        if (first == suspect->poison) {
            broker->buried[broker->buried_count++] = first;
            suspect_buried(suspect);
            low = next = first + 1;
            continue;
        }
        if (last > count)
            last = count;
        if (suspect->aside > first && last >= suspect->aside)
            last = suspect->aside - 1;
        if (suspect->poison > first && last >= suspect->poison)
            last = suspect->poison - 1;
        if (takes(broker, first, last)) {
            bool again = suspect_accepted(suspect, first, last);

            if (first == low)
                low = last + 1;
            next = again ? low : last + 1;
        } else {
            broker->laters += suspect_refused(suspect, first, last, (uint32_t)(last - first + 1),
                                              broker->cause) == SUSPECT_LATER;
            next = low;
        }
    }
}

static void poison_is_narrowed_down_and_everything_else_delivered(void **state)
{
    static const enum suspect_cause causes[] = {SUSPECT_CONTENT, SUSPECT_UNCLEAR};
    static const uint64_t bad[] = {1, 37, 38, 100};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct broker broker = {.bad = bad, .bad_count = 4, .cause = causes[i]};
        struct suspect suspect = {0};

        publish_all(&broker, &suspect, 120);
        assert_int_equal(broker.buried_count, 4);
        assert_memory_equal(broker.buried, bad, sizeof(bad));
        assert_false(suspect_active(&suspect));
    }
}

static void a_broker_that_takes_nothing_poisons_nothing(void **state)
{
    struct broker broker = {.takes_nothing = true, .cause = SUSPECT_UNCLEAR};
    struct suspect suspect = {0};

    (void)state;
    publish_all(&broker, &suspect, 100);
    assert_int_equal(broker.buried_count, 0);
    assert_true(broker.laters > 100);
    /* and when it takes messages again, all arrive */
    broker.takes_nothing = false;
    broker.attempts = 0;
    publish_all(&broker, &suspect, 100);
    assert_int_equal(broker.buried_count, 0);
    assert_true(broker.attempts < 1000);
}

static void a_single_event_without_neighbours_is_not_given_up(void **state)
{
    static const uint64_t bad[] = {1};
    struct broker broker = {.bad = bad, .bad_count = 1, .cause = SUSPECT_UNCLEAR};
    struct suspect suspect = {0};

    (void)state;
    publish_all(&broker, &suspect, 1);
    assert_int_equal(broker.buried_count, 0);
}

static void two_unclear_refusals_are_no_reason_to_suspect(void **state)
{
    struct suspect suspect = {0};

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(suspect_refused(&suspect, 5, 20, 16, SUSPECT_UNCLEAR), SUSPECT_LATER);
        assert_int_equal(suspect_refused(&suspect, 5, 20, 16, SUSPECT_UNCLEAR), SUSPECT_LATER);
        assert_false(suspect_accepted(&suspect, 5, 20));
        assert_false(suspect_active(&suspect));
    }
}

static void a_rival_is_told_of_by_the_broker_or_by_sudden_ends_in_a_row(void **state)
{
    static const struct {
        enum rival_end ends[6];
        int64_t held_s;
        int hint_at, told_at; /* -1: never */
    } cases[] = {
        {{RIVAL_TAKEN_OVER, RIVAL_TAKEN_OVER, RIVAL_SUDDEN}, 3600, -1, 0},
        {{RIVAL_SUDDEN, RIVAL_TAKEN_OVER, RIVAL_TAKEN_OVER}, 1, -1, 1},
        {{RIVAL_SUDDEN, RIVAL_SUDDEN, RIVAL_SUDDEN, RIVAL_SUDDEN, RIVAL_SUDDEN}, 1, 1, 3},
        {{RIVAL_SUDDEN, RIVAL_SUDDEN, RIVAL_SUDDEN, RIVAL_SUDDEN, RIVAL_SUDDEN}, 61, -1, -1},
        {{RIVAL_SUDDEN, RIVAL_SUDDEN, RIVAL_SUDDEN, RIVAL_EXPLAINED, RIVAL_SUDDEN}, 1, 1, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rival rival = {0};

        for (int end = 0; end < 5; end++)
            assert_int_equal(rival_ended(&rival, cases[i].ends[end], cases[i].held_s * NS_PER_S),
                             end == cases[i].told_at   ? RIVAL_FOUND
                             : end == cases[i].hint_at ? RIVAL_MAYBE
                                                       : RIVAL_NO_NEWS);
    }
}

static void a_rival_is_gone_once_a_connection_outlasts_its_waits(void **state)
{
    struct rival rival = {0};
    int64_t quiet_ns = rival_quiet(3600 * NS_PER_S);

    (void)state;
    assert_true(rival_quiet(NS_PER_S) == RIVAL_QUIET_NS);
    assert_true(quiet_ns == 7200 * NS_PER_S);
    assert_false(rival_over(&rival, quiet_ns, quiet_ns)); /* there was none */
    rival_ended(&rival, RIVAL_TAKEN_OVER, 0);
    assert_false(rival_over(&rival, quiet_ns - 1, quiet_ns));
    assert_true(rival_over(&rival, quiet_ns, quiet_ns));
    assert_false(rival_over(&rival, quiet_ns, quiet_ns));
    /* and back again */
    assert_int_equal(rival_ended(&rival, RIVAL_TAKEN_OVER, 0), RIVAL_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rival_is_told_of_by_the_broker_or_by_sudden_ends_in_a_row),
        cmocka_unit_test(a_rival_is_gone_once_a_connection_outlasts_its_waits),
        cmocka_unit_test(answers_in_any_order_are_taken_in_the_order_of_the_events),
        cmocka_unit_test(a_refused_unit_holds_up_those_behind_it),
        cmocka_unit_test(a_unit_of_several_messages_needs_every_answer_and_its_end),
        cmocka_unit_test(answers_of_an_earlier_generation_and_to_nothing_are_ignored),
        cmocka_unit_test(the_window_goes_round_for_a_long_time),
        cmocka_unit_test(a_full_window_takes_no_more),
        cmocka_unit_test(waits_double_to_a_minute_and_are_spread),
        cmocka_unit_test(a_refused_login_is_tried_again_slowly),
        cmocka_unit_test(only_a_stable_minute_forgets_the_failures),
        cmocka_unit_test(poison_is_narrowed_down_and_everything_else_delivered),
        cmocka_unit_test(a_broker_that_takes_nothing_poisons_nothing),
        cmocka_unit_test(a_single_event_without_neighbours_is_not_given_up),
        cmocka_unit_test(two_unclear_refusals_are_no_reason_to_suspect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
