/* Whether a time server is followed, as somebody else says who may ask the kernel. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "daemon/follow.h"

#define WAIT_MS 5
#define WAITS   2000

static _Atomic int64_t now_ns;
static _Atomic int answer, asked;
static _Atomic int trust;

static int64_t read_now(void *context)
{
    (void)context;
    return now_ns;
}

static enum clock_trust read_trust(void *context)
{
    (void)context;
    return (enum clock_trust)trust;
}

static int say(void *context)
{
    int said = answer;

    (void)context;
    asked++;
    return said;
}

static const struct clock clock_fake = {read_now, read_now, read_trust, NULL};

static struct follow *open_one(int64_t first_ns, int64_t every_ns)
{
    const struct follow_options options = {
        .system = &clock_fake, .ask = say, .first_ns = first_ns, .every_ns = every_ns};
    struct follow *follow;

    asked = 0;
    assert_int_equal(follow_open(&follow, &options), 0);
    return follow;
}

static enum clock_trust trust_of(struct follow *follow)
{
    return clock_trust(follow_clock(follow));
}

/* Until it was asked twice more: the second question begins behind the first one's answer. */
static void wait_asked(void)
{
    int until = asked + 2;

    for (int i = 0; i < WAITS && asked < until; i++)
        poll(NULL, 0, WAIT_MS);
    assert_true(asked >= until);
}

static void set_up(int said)
{
    now_ns = NS_PER_S;
    trust = CLOCK_FREE_RUNNING;
    answer = said;
}

static void a_yes_is_synchronised_where_the_clock_is_plausible(void **state)
{
    (void)state;
    set_up(0);
    struct follow *follow = open_one(3600 * NS_PER_S, 3600 * NS_PER_S);
    bool told = follow_is_told(follow);
    enum clock_trust plausible = trust_of(follow);
    trust = CLOCK_UNSET;
    enum clock_trust unset = trust_of(follow);
    follow_close(follow);
    assert_true(told);
    assert_int_equal(plausible, CLOCK_SYNCHRONISED);
    assert_int_equal(unset, CLOCK_UNSET);
    assert_int_equal(asked, 1);
}

static void it_is_asked_until_it_is_so_and_seen_when_it_is_over(void **state)
{
    (void)state;
    set_up(ERR_DENIED);
    struct follow *follow = open_one(NS_PER_MS, 8 * NS_PER_MS);
    bool told = follow_is_told(follow);
    enum clock_trust before = trust_of(follow);
    answer = 0;
    wait_asked();
    enum clock_trust then = trust_of(follow);
    answer = ERR_DENIED;
    wait_asked();
    enum clock_trust after = trust_of(follow);
    follow_close(follow);
    assert_true(told);
    assert_int_equal(before, CLOCK_FREE_RUNNING);
    assert_int_equal(then, CLOCK_SYNCHRONISED);
    assert_int_equal(after, CLOCK_FREE_RUNNING);
}

static void a_yes_outlives_a_missing_answer_but_not_for_ever(void **state)
{
    (void)state;
    set_up(0);
    struct follow *follow = open_one(NS_PER_MS, 8 * NS_PER_MS);
    answer = ERR_UNSUPPORTED;
    wait_asked();
    enum clock_trust still = trust_of(follow);
    now_ns += 20 * NS_PER_MS;
    enum clock_trust over = trust_of(follow);
    follow_close(follow);
    assert_int_equal(still, CLOCK_SYNCHRONISED);
    assert_int_equal(over, CLOCK_FREE_RUNNING);
}

static void where_nobody_answers_nothing_follows(void **state)
{
    (void)state;
    set_up(ERR_UNSUPPORTED);
    struct follow *follow = open_one(NS_PER_MS, 8 * NS_PER_MS);
    wait_asked();
    bool told = follow_is_told(follow);
    enum clock_trust seen = trust_of(follow);
    follow_close(follow);
    assert_false(told);
    assert_int_equal(seen, CLOCK_FREE_RUNNING);
}

/* They are the daemon's, which takes them over later than this begins. */
static void signals_are_not_for_its_thread(void **state)
{
    const struct timespec soon = {.tv_sec = 10};
    sigset_t signals, before;

    (void)state;
    set_up(0);
    struct follow *follow = open_one(NS_PER_MS, 8 * NS_PER_MS);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before);
    kill(getpid(), SIGTERM);
    int taken = sigtimedwait(&signals, NULL, &soon);
    sigprocmask(SIG_SETMASK, &before, NULL);
    follow_close(follow);
    assert_int_equal(taken, SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_yes_is_synchronised_where_the_clock_is_plausible),
        cmocka_unit_test(it_is_asked_until_it_is_so_and_seen_when_it_is_over),
        cmocka_unit_test(a_yes_outlives_a_missing_answer_but_not_for_ever),
        cmocka_unit_test(where_nobody_answers_nothing_follows),
        cmocka_unit_test(signals_are_not_for_its_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
