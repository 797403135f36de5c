/* A bus that is lent: its driver lets go of the port, is told of what it is asked meanwhile, and
 * comes back. */
// links: sluice_field
#include "unit/host_rig.h"

/* Counts its runs, and tells when it has returned. */
static int run_counts(const struct site_bus *bus, struct driver_host *host)
{
    int result;

    sink_state(host->sink, &bus->devices[0], true, STATUS_GOOD);
    atomic_store(&host->stats[0].up, true);
    atomic_fetch_add(&host->stats[0].requests, 1);
    result = host_wait(host, -1, INT64_MAX);
    atomic_fetch_add(&host->stats[0].replies, 1);
    return result == ERR_CLOSED ? 0 : ERR_INVALID;
}

static const struct driver counts = {.name = "counts", .run = run_counts};

/* Waits once for a reply, says whether it came, and then rests. The bus's options are the
 * descriptor that it comes from. */
static int run_asks(const struct site_bus *bus, struct driver_host *host)
{
    const int *reply = bus->options;
    int result = 1;

    if (atomic_fetch_add(&host->stats[0].requests, 1) == 0)
        result = host_wait(host, *reply, INT64_MAX);
    atomic_fetch_add(&host->stats[0].replies, result == 1);
    return result == 1 && host_rest(host, -1, INT64_MAX) == ERR_CLOSED ? 0 : ERR_INVALID;
}

static const struct driver asks = {.name = "asks", .run = run_asks};

static _Atomic uint64_t answered, answered_status;

static void note_answer(void *context, uint64_t token, uint16_t status, const struct value *value)
{
    (void)context;
    (void)value;
    assert_int_equal(token, 5);
    atomic_store(&answered_status, status);
    atomic_fetch_add(&answered, 1);
}

/* Down with the reason while it is lent, then up again; the point is told bad once. */
static void check_told(struct fixture *fixture)
{
    static const uint16_t expected[] = {STATUS_GOOD, STATUS_LENT, STATUS_GOOD, STATUS_LENT,
                                        STATUS_GOOD};
    struct reader *reader;
    struct event event;
    size_t states = 0, bad = 0;

    assert_int_equal(journal_flush(fixture->journal, 20 * NS_PER_S), 0);
    assert_int_equal(reader_open(&reader, fixture->journal, 0), 0);
    while (reader_next(reader, &event) > 0) {
        if (event.kind == EVENT_STATE) {
            assert_true(states < 5);
            assert_int_equal(event.status, expected[states++]);
        }
        bad += event.kind == EVENT_READING && event.status == STATUS_LENT;
    }
    reader_close(reader);
    assert_int_equal(states, 5);
    assert_true(bad >= 1);
}

static void a_bus_that_is_lent_comes_back_by_itself_or_when_it_is_told(void **state)
{
    struct fixture *fixture = *state;
    int64_t far = clock_mono(&clock_system) + 3600 * NS_PER_S;
    struct driver_command command = {
        .device = &fixture->device, .point = &fixture->point, .expires_mono_ns = far, .token = 5};
    struct host *host;

    fixture->bus.driver = &counts;
    assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                &clock_system, note_answer, NULL),
                     0);
    await_count(&host_stats(host)->requests, 1);
    assert_false(host_lent(host));
    host_lend(host, far);
    await_count(&host_stats(host)->replies, 1);
    while (!host_lent(host))
        usleep(1000);
    while (atomic_load(&host_stats(host)->status) != STATUS_LENT) /* told a moment later */
        usleep(1000);
    assert_false(atomic_load(&host_stats(host)->up));
    assert_int_equal(host_command(host, &command), 0);
    await_count(&answered, 1);
    assert_int_equal(atomic_load(&answered_status), STATUS_LENT);
    host_lend(host, 0);
    await_count(&host_stats(host)->requests, 2);
    assert_false(host_lent(host));
    host_lend(host, clock_mono(&clock_system) + 50 * NS_PER_MS);
    await_count(&host_stats(host)->requests, 3); /* nobody has said that it is over */
    host_lend(host, far);
    await_count(&host_stats(host)->replies, 3);
    host_stop(host); /* while it is lent */
}

/* Tells in `requests` how often it has begun, in `up` whether it has its port. */
static int run_holds_a_port(const struct site_bus *bus, struct driver_host *host)
{
    int result;

    (void)bus;
    atomic_store(&host->stats[0].up, true);
    atomic_fetch_add(&host->stats[0].requests, 1);
    result = host_wait(host, -1, INT64_MAX);
    atomic_store(&host->stats[0].up, false);
    return result == ERR_CLOSED ? 0 : ERR_INVALID;
}

static const struct driver holds_a_port = {.name = "holds", .run = run_holds_a_port};

/* Whoever borrows the bus at the moment at which another gives it back. */
static void a_bus_is_not_called_free_while_its_driver_has_the_port(void **state)
{
    struct fixture *fixture = *state;
    int64_t far = clock_mono(&clock_system) + 3600 * NS_PER_S;
    struct driver_stats *stats;
    struct host *host;

    fixture->bus.driver = &holds_a_port;
    assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                &clock_system, NULL, NULL),
                     0);
    stats = host_stats(host);
    await_count(&stats[0].requests, 1);
    for (int i = 0; i < 3000; i++) {
        int64_t until = clock_mono(&clock_system) + 20 * NS_PER_S;
        uint64_t begun;

        host_lend(host, far);
        while (!host_lent(host))
            assert_true(clock_mono(&clock_system) < until);
        /* For a moment it may be called busy again, where it was just about to come back. */
        for (int look = 0; look < 200; look++)
            assert_true(!host_lent(host) || !atomic_load(&stats[0].up));
        begun = atomic_load(&stats[0].requests);
        host_lend(host, 0);
        /* Borrowed again at any moment of its coming back; now and then it gets so far as to begin.
         */
        for (int pause = 0; pause < i; pause++)
            atomic_load(&stats[0].requests);
        while (i % 50 == 0 && atomic_load(&stats[0].requests) == begun)
            assert_true(clock_mono(&clock_system) < until);
    }
    host_stop(host);
}

static void a_bus_that_is_lent_hears_the_reply_under_way(void **state)
{
    struct fixture *fixture = *state;
    int fds[2];
    struct host *host;

    assert_int_equal(pipe(fds), 0);
    fixture->bus.driver = &asks;
    fixture->bus.options = &fds[0];
    assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                &clock_system, NULL, NULL),
                     0);
    await_count(&host_stats(host)->requests, 1);
    host_lend(host, clock_mono(&clock_system) + 3600 * NS_PER_S);
    assert_false(host_lent(host)); /* its port is not free yet */
    assert_int_equal(write(fds[1], "x", 1), 1);
    await_count(&host_stats(host)->replies, 1);
    while (!host_lent(host))
        usleep(1000);
    host_stop(host);
    close(fds[0]);
    close(fds[1]);
}

static void tells_of_a_bus_that_is_lent(void **state)
{
    struct fixture *fixture = *state;
    struct host *host;

    fixture->bus.driver = &counts;
    assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                &clock_system, NULL, NULL),
                     0);
    for (uint64_t run = 1; run <= 2; run++) {
        await_count(&host_stats(host)->requests, run);
        host_lend(host, clock_mono(&clock_system) + 3600 * NS_PER_S);
        while (!host_lent(host))
            usleep(1000);
        host_lend(host, 0);
    }
    await_count(&host_stats(host)->requests, 3);
    host_stop(host);
    check_told(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(a_bus_that_is_lent_comes_back_by_itself_or_when_it_is_told),
        HOST_TEST(a_bus_is_not_called_free_while_its_driver_has_the_port),
        HOST_TEST(a_bus_that_is_lent_hears_the_reply_under_way),
        HOST_TEST(tells_of_a_bus_that_is_lent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
