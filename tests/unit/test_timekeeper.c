/* How far the clock is trusted, over power cuts and whoever sets it. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "daemon/timekeeper.h"

#define DAY_NS  (INT64_C(86400) * NS_PER_S)
#define THEN_NS (CLOCK_RELEASED_NS + 300 * DAY_NS)

/* A machine: its clocks, and what its system allows. */
static struct machine {
    _Atomic int64_t wall_ns, mono_ns; /* the clock is set by a thread of its own */
    bool synchronised;
    int refusal; /* of whoever sets the clock */
    _Atomic unsigned sets;
    char folder[64], boot[16];
} machine;

static int64_t wall(void *context)
{
    (void)context;
    return machine.wall_ns;
}

static int64_t mono(void *context)
{
    (void)context;
    return machine.mono_ns;
}

static enum clock_trust trust(void *context)
{
    (void)context;
    return machine.wall_ns < CLOCK_RELEASED_NS ? CLOCK_UNSET
           : machine.synchronised              ? CLOCK_SYNCHRONISED
                                               : CLOCK_FREE_RUNNING;
}

static const struct clock faked = {wall, mono, trust, NULL};

static int set(void *context, int64_t wall_ns)
{
    (void)context;
    machine.sets++;
    if (!machine.refusal)
        machine.wall_ns = wall_ns;
    return machine.refusal;
}

static void pass(int64_t ns)
{
    machine.wall_ns += ns;
    machine.mono_ns += ns;
}

static struct timekeeper *start(bool keeps_time, bool restores)
{
    const struct timekeeper_options options = {.system = &faked,
                                               .state_path = machine.folder,
                                               .boot_id = machine.boot,
                                               .keeps_time = keeps_time,
                                               .set = set,
                                               .restore = restores ? set : NULL};
    struct timekeeper *keeper;

    assert_int_equal(timekeeper_open(&keeper, &options), 0);
    return keeper;
}

/* The power fails, and comes back after a while; the clock says `wall_ns` then. */
static void power_cut(int64_t wall_ns)
{
    machine.wall_ns = wall_ns;
    machine.mono_ns = 5 * NS_PER_S;
    machine.synchronised = false;
    machine.boot[0]++;
}

static enum clock_trust trust_of(struct timekeeper *keeper)
{
    return clock_trust(timekeeper_clock(keeper));
}

static enum time_source source_of(struct timekeeper *keeper)
{
    struct timekeeper_look look;

    timekeeper_look(keeper, &look);
    assert_int_equal(look.why[0] != '\0', trust_of(keeper) == CLOCK_UNSET);
    return look.source;
}

static int make_machine(void **state)
{
    (void)state;
    machine = (struct machine){.wall_ns = THEN_NS, .mono_ns = 5 * NS_PER_S, .boot = "A"};
    snprintf(machine.folder, sizeof machine.folder, "/tmp/sluice-time-XXXXXX");
    return mkdtemp(machine.folder) ? 0 : -1;
}

static int remove_machine(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", machine.folder);
    return system(command);
}

static void a_clock_that_runs_on_is_trusted(void **state)
{
    (void)state;
    struct timekeeper *keeper = start(true, false);
    assert_int_equal(trust_of(keeper), CLOCK_FREE_RUNNING);
    assert_int_equal(source_of(keeper), TIME_MACHINE);
    timekeeper_close(keeper);
    power_cut(THEN_NS + DAY_NS);
    keeper = start(true, false);
    assert_int_equal(trust_of(keeper), CLOCK_FREE_RUNNING);
    timekeeper_close(keeper);
}

static void one_that_is_behind_what_was_seen_is_not(void **state)
{
    struct timekeeper_look look;

    (void)state;
    timekeeper_close(start(true, false));
    power_cut(THEN_NS - 5 * NS_PER_S);
    struct timekeeper *keeper = start(true, false);
    assert_int_equal(trust_of(keeper), CLOCK_UNSET);
    timekeeper_look(keeper, &look);
    assert_true(look.behind);
    assert_int_equal(look.floor_ns, THEN_NS);
    assert_non_null(strstr(look.why, "2026-10-28"));
    assert_int_equal(machine.sets, 0);
    /* What is not trusted is not kept: the next start knows as much. */
    timekeeper_close(keeper);
    keeper = start(true, false);
    assert_int_equal(trust_of(keeper), CLOCK_UNSET);
    timekeeper_close(keeper);
}

static void it_never_goes_backwards_where_the_system_allows_that(void **state)
{
    (void)state;
    timekeeper_close(start(true, false));
    power_cut(0);
    struct timekeeper *keeper = start(true, true);
    assert_true(machine.wall_ns > THEN_NS && machine.wall_ns < THEN_NS + 10 * NS_PER_S);
    assert_int_equal(trust_of(keeper), CLOCK_UNSET);
    pass(20 * NS_PER_S);
    timekeeper_step(keeper);
    assert_int_equal(trust_of(keeper), CLOCK_UNSET); /* our own step is nobody's word */
    timekeeper_close(keeper);
}

static void without_a_clock_of_its_own_a_machine_waits_for_somebody(void **state)
{
    (void)state;
    struct timekeeper *keeper = start(false, false);
    assert_int_equal(trust_of(keeper), CLOCK_UNSET);
    assert_int_equal(source_of(keeper), TIME_NOBODY);
    machine.synchronised = true;
    assert_int_equal(trust_of(keeper), CLOCK_SYNCHRONISED);
    machine.synchronised = false; /* the server is away for a day */
    assert_int_equal(trust_of(keeper), CLOCK_FREE_RUNNING);
    assert_int_equal(source_of(keeper), TIME_SERVER);
    timekeeper_close(keeper);
    /* The daemon starts again, and the machine does not. */
    keeper = start(false, false);
    assert_int_equal(trust_of(keeper), CLOCK_FREE_RUNNING);
    timekeeper_close(keeper);
    power_cut(THEN_NS + DAY_NS);
    keeper = start(false, false);
    assert_int_equal(trust_of(keeper), CLOCK_UNSET);
    timekeeper_close(keeper);
}

static void a_person_sets_it(void **state)
{
    (void)state;
    machine.wall_ns = 0;
    struct timekeeper *keeper = start(true, false);
    assert_int_equal(trust_of(keeper), CLOCK_UNSET);
    machine.refusal = ERR_DENIED;
    assert_int_equal(timekeeper_set(keeper, THEN_NS, TIME_PERSON), ERR_DENIED);
    assert_int_equal(source_of(keeper), TIME_NOBODY);
    machine.refusal = 0;
    assert_int_equal(timekeeper_set(keeper, THEN_NS, TIME_PERSON), 0);
    assert_int_equal(machine.wall_ns, THEN_NS);
    assert_int_equal(source_of(keeper), TIME_PERSON);
    assert_int_equal(trust_of(keeper), CLOCK_FREE_RUNNING);
    machine.synchronised = true;
    assert_int_equal(timekeeper_set(keeper, THEN_NS, TIME_PERSON), ERR_BUSY);
    timekeeper_close(keeper);
}

static void somebody_else_may_set_it(void **state)
{
    (void)state;
    timekeeper_close(start(true, false));
    power_cut(THEN_NS - DAY_NS);
    struct timekeeper *keeper = start(true, false);
    pass(5 * NS_PER_S);
    timekeeper_step(keeper);
    machine.wall_ns += 3600 * NS_PER_S; /* still behind */
    timekeeper_step(keeper);
    assert_int_equal(trust_of(keeper), CLOCK_UNSET);
    machine.wall_ns = THEN_NS + DAY_NS;
    timekeeper_step(keeper);
    assert_int_equal(source_of(keeper), TIME_PERSON);
    timekeeper_close(keeper);
}

static void events_that_are_stored_tell_the_time_too(void **state)
{
    (void)state;
    struct timekeeper *keeper = start(true, false);
    timekeeper_stored(keeper, THEN_NS - DAY_NS);
    assert_int_equal(trust_of(keeper), CLOCK_FREE_RUNNING);
    timekeeper_stored(keeper, THEN_NS + DAY_NS);
    assert_int_equal(trust_of(keeper), CLOCK_UNSET);
    timekeeper_close(keeper);
}

static void a_receiver_sets_it_where_it_is_off(void **state)
{
    (void)state;
    machine.wall_ns = 0;
    struct timekeeper *keeper = start(false, false);
    timekeeper_receive(keeper, 0, machine.mono_ns); /* no fix yet: it says 1970 or 1980 */
    assert_int_equal(machine.sets, 0);
    int64_t read_ns = machine.mono_ns;
    pass(3 * NS_PER_S);
    timekeeper_receive(keeper, THEN_NS, read_ns);
    timekeeper_receive(keeper, THEN_NS, read_ns); /* once a minute, whatever it says */
    timekeeper_close(keeper);
    assert_int_equal(machine.sets, 1);
    assert_int_equal(machine.wall_ns, THEN_NS + 3 * NS_PER_S);

    keeper = start(false, false);
    assert_int_equal(source_of(keeper), TIME_RECEIVER);
    timekeeper_close(keeper);
    power_cut(THEN_NS + DAY_NS);
    keeper = start(false, false);
    assert_int_equal(source_of(keeper), TIME_NOBODY);
    timekeeper_receive(keeper, machine.wall_ns + NS_PER_S, machine.mono_ns);
    assert_int_equal(source_of(keeper), TIME_RECEIVER);
    assert_int_equal(machine.sets, 1); /* it is right already */
    machine.synchronised = true;
    timekeeper_receive(keeper, THEN_NS, machine.mono_ns);
    timekeeper_close(keeper);
    assert_int_equal(machine.sets, 1);
}

static void it_is_kept_while_it_runs(void **state)
{
    (void)state;
    struct timekeeper *keeper = start(true, false);
    for (unsigned i = 0; i < 200; i++) {
        pass(5 * NS_PER_S);
        timekeeper_step(keeper);
    }
    /* The power fails without a stop: the last ten minutes may be missing. */
    struct timekeeper *lost = keeper;
    int64_t last_ns = machine.wall_ns;
    power_cut(THEN_NS);
    keeper = start(true, true);
    assert_true(machine.wall_ns > last_ns - 600 * NS_PER_S);
    timekeeper_close(keeper);
    timekeeper_close(lost);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_machine, remove_machine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_clock_that_runs_on_is_trusted),
        TEST(one_that_is_behind_what_was_seen_is_not),
        TEST(it_never_goes_backwards_where_the_system_allows_that),
        TEST(without_a_clock_of_its_own_a_machine_waits_for_somebody),
        TEST(a_person_sets_it),
        TEST(somebody_else_may_set_it),
        TEST(events_that_are_stored_tell_the_time_too),
        TEST(a_receiver_sets_it_where_it_is_off),
        TEST(it_is_kept_while_it_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
