/* A driver of a few lines in a thread of its own, with a real journal behind it. */
// links: sluice_field
#include "unit/host_rig.h"

#define READINGS 10

/* Puts some readings, counts whether its thread is named well, and waits to be stopped. */
static int run_well(const struct site_bus *bus, struct driver_host *host)
{
    struct value value = {.type = VALUE_U64};
    char name[16];

    sink_state(host->sink, &bus->devices[0], true, STATUS_GOOD);
    for (value.u = 0; value.u < READINGS; value.u++)
        sink_reading(host->sink, &bus->devices[0], &bus->devices[0].points[0],
                     clock_mono(host->clock), &value, STATUS_GOOD);
    if (pthread_getname_np(pthread_self(), name, sizeof name) == 0)
        atomic_store(&host->stats[0].replies, strcmp(name, "bus-rs485-1") == 0);
    return host_wait(host, -1, INT64_MAX) == ERR_CLOSED ? 0 : ERR_INVALID;
}

static int run_badly(const struct site_bus *bus, struct driver_host *host)
{
    (void)bus;
    (void)host;
    return ERR_NOMEM;
}

/* The deadline comes first, then the descriptor, then the stop. */
static int run_waits(const struct site_bus *bus, struct driver_host *host)
{
    int64_t until = clock_mono(host->clock) + 20 * NS_PER_MS;
    int fds[2], timely, readable, result;

    (void)bus;
    if (pipe(fds) < 0)
        return ERR_IO;
    timely = host_wait(host, fds[0], until) == 0 && clock_mono(host->clock) >= until;
    readable = write(fds[1], "x", 1) == 1 && host_wait(host, fds[0], until) == 1;
    atomic_store(&host->stats[0].replies, timely && readable);
    result = host_wait(host, -1, INT64_MAX);
    close(fds[0]);
    close(fds[1]);
    return result == ERR_CLOSED ? 0 : ERR_INVALID;
}

/* A wait that lasts longer than the point's at_most ends when it was asked to, and what was held
 * back went out meanwhile. */
static int run_holds(const struct site_bus *bus, struct driver_host *host)
{
    const struct site_point *point = &bus->devices[0].points[0];
    int64_t began = clock_mono(host->clock), until = began + 3 * point->at_most_ns;
    struct value value = {.type = VALUE_U64};

    for (value.u = 1; value.u <= 3; value.u++)
        sink_reading(host->sink, bus->devices, point, began, &value, STATUS_GOOD);
    bool held = sink_due_ns(host->sink) != INT64_MAX;
    bool timely = host_wait(host, -1, until) == 0 && clock_mono(host->clock) >= until;
    value.u = 3; /* stored already, or it would be stored now */
    sink_reading(host->sink, bus->devices, point, clock_mono(host->clock), &value, STATUS_GOOD);
    atomic_store(&host->stats[0].requests, held && timely);
    atomic_store(&host->stats[0].replies, 1);
    return host_wait(host, -1, INT64_MAX) == ERR_CLOSED ? 0 : ERR_INVALID;
}

/* Stores what it learns; says whether it is what was known before, and heeds being told to forget.
 */
static int run_learns(const struct site_bus *bus, struct driver_host *host)
{
    const struct site_device *device = &bus->devices[0];
    char text[16] = "";
    size_t size = host_bus_learnt(host, text, sizeof text);

    atomic_store(&host->stats[0].requests, size == 5 && memcmp(text, "a bus", 5) == 0);
    size = host_learnt(host, device, text, sizeof text);
    atomic_fetch_add(&host->stats[0].requests, size == 8 && memcmp(text, "a device", 8) == 0);
    sink_bus_learnt(host->sink, "a bus", 5);
    sink_learnt(host->sink, device, "a device", 8);
    host_describe(host, device, "\"model\":7", 9);
    atomic_store(&host->stats[0].replies, 1);
    while (!atomic_load(&host->forgetting)) {
        if (host_rest(host, -1, INT64_MAX) == ERR_CLOSED)
            return 0;
    }
    atomic_store(&host->forgetting, false);
    atomic_store(&host->stats[0].timeouts, atomic_exchange(&host->stats[0].forget, 0));
    return host_wait(host, -1, INT64_MAX) == ERR_CLOSED ? 0 : ERR_INVALID;
}

/* In its first life it reads a number, is down, and ends; in the later ones it is down at once and
 * asks what the journal knows. */
static int run_recalls(const struct site_bus *bus, struct driver_host *host)
{
    const struct site_device *device = bus->devices;
    struct driver_last last = {.point = device->points};
    struct value value = {.type = VALUE_U64, .u = 48210};
    int64_t *when = bus->options;

    if (*when == 0) {
        *when = clock_mono(host->clock);
        sink_reading(host->sink, device, device->points, *when, &value, STATUS_GOOD);
        usleep(2000); /* so that the times differ */
    } else {
        host_last_good(host, device, &last, 1);
        atomic_store(&host->stats[0].requests, last.value.type == VALUE_U64 ? last.value.u : 0);
        atomic_store(&host->stats[0].corrupt, last.mono_ns == *when);
    }
    sink_reading(host->sink, device, device->points, clock_mono(host->clock), NULL, STATUS_TIMEOUT);
    atomic_store(&host->stats[0].replies, 1);
    return host_wait(host, -1, INT64_MAX) == ERR_CLOSED ? 0 : ERR_INVALID;
}

/* Rests, then hangs in something that is not a wait of the host's until a byte comes. The bus's
 * options are the pipe. */
static int run_hangs(const struct site_bus *bus, struct driver_host *host)
{
    const int *pipe_fd = bus->options;
    char byte;

    atomic_store(&host->stats[0].requests, 1);
    if (host_wait(host, *pipe_fd, INT64_MAX) != 1 || read(*pipe_fd, &byte, 1) != 1)
        return ERR_INVALID;
    atomic_store(&host->stats[0].replies, 1);
    if (read(*pipe_fd, &byte, 1) != 1)
        return ERR_INVALID;
    atomic_store(&host->stats[0].timeouts, 1);
    return host_wait(host, -1, INT64_MAX) == ERR_CLOSED ? 0 : ERR_INVALID;
}

/* Waits for two answers, of which one comes. The bus's options are the pipe. */
static int run_awaits(const struct site_bus *bus, struct driver_host *host)
{
    const int *pipe_fd = bus->options;
    char byte;

    atomic_store(&host->stats[0].requests, 1);
    if (host_wait(host, *pipe_fd, INT64_MAX) != 1 || read(*pipe_fd, &byte, 1) != 1)
        return ERR_INVALID;
    atomic_store(&host->stats[0].replies, 1);
    return host_wait(host, *pipe_fd, INT64_MAX) == ERR_CLOSED ? 0 : ERR_INVALID;
}

static const struct driver awaits = {.name = "awaits", .run = run_awaits};
static const struct driver hangs = {.name = "hangs", .run = run_hangs};
static const struct driver recalls = {.name = "recalls", .run = run_recalls};
static const struct driver learns = {.name = "learns", .run = run_learns, .learns = true};
static const struct driver holds = {.name = "holds", .run = run_holds};
static const struct driver well = {.name = "well", .run = run_well};
static const struct driver badly = {.name = "badly", .run = run_badly};
static const struct driver waits = {.name = "waits", .run = run_waits};

static void what_is_held_back_is_stored_while_the_driver_waits(void **state)
{
    static const uint64_t expected[] = {1, 3};
    struct fixture *fixture = *state;
    struct host *host;
    struct reader *reader;
    struct event event;
    int64_t read_ns = 0;
    size_t readings = 0;

    fixture->bus.driver = &holds;
    fixture->point.on_change = true;
    fixture->point.at_most_ns = 30 * NS_PER_MS;
    assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                &clock_system, NULL, NULL),
                     0);
    await(&host_stats(host)->replies);
    assert_int_equal(atomic_load(&host_stats(host)->requests), 1);
    host_stop(host);
    assert_int_equal(journal_flush(fixture->journal, 20 * NS_PER_S), 0);
    assert_int_equal(reader_open(&reader, fixture->journal, 0), 0);
    while (reader_next(reader, &event) > 0) {
        if (event.kind != EVENT_READING)
            continue;
        assert_true(readings < 2);
        assert_true(readings == 0 || event.mono_ns == read_ns);
        read_ns = event.mono_ns;
        assert_int_equal(event.value.u, expected[readings++]);
    }
    reader_close(reader);
    assert_int_equal(readings, 2);
}

static void what_a_driver_read_is_in_the_journal_when_it_is_stopped(void **state)
{
    struct fixture *fixture = *state;
    struct host *host;
    struct reader *reader;
    struct event event;
    uint64_t readings = 0, states = 0;

    fixture->bus.driver = &well;
    assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                &clock_system, NULL, NULL),
                     0);
    await(&host_stats(host)[0].replies);
    assert_int_equal(host_error(host), 0);
    host_stop(host);
    assert_int_equal(journal_flush(fixture->journal, 20 * NS_PER_S), 0);
    assert_int_equal(reader_open(&reader, fixture->journal, 0), 0);
    while (reader_next(reader, &event) == 1) {
        if (event.stream == fixture->device.stream && event.kind == EVENT_STATE)
            states++;
        if (event.stream == fixture->stream && event.kind == EVENT_READING)
            assert_int_equal(event.value.u, readings++);
    }
    reader_close(reader);
    assert_int_equal(readings, READINGS);
    assert_int_equal(states, 1);
}

static void waits_for_a_time_a_descriptor_and_the_stop(void **state)
{
    struct fixture *fixture = *state;
    struct host *host;

    fixture->bus.driver = &waits;
    assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                &clock_system, NULL, NULL),
                     0);
    await(&host_stats(host)[0].replies);
    host_ask_stop(host);
    host_ask_stop(host);
    host_stop(host);
    host_stop(NULL);
}

/* A bus whose driver reads from a pipe. */
static struct host *start_with_pipe(struct fixture *fixture, const struct driver *driver, int *fds)
{
    struct host *host;

    assert_int_equal(pipe(fds), 0);
    fixture->bus.driver = driver;
    fixture->bus.options = &fds[0];
    assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                &clock_system, NULL, NULL),
                     0);
    return host;
}

/* The answer that is under way when the bus is to stop is taken; another one is waited for no
 * longer than a moment. */
static void an_answer_that_is_under_way_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    int fds[2];
    struct host *host = start_with_pipe(fixture, &awaits, fds);

    await(&host_stats(host)[0].requests);
    host_ask_stop(host);
    assert_int_equal(write(fds[1], "x", 1), 1);
    await(&host_stats(host)[0].replies);
    host_stop(host); /* which comes back */
    close(fds[0]);
    close(fds[1]);
}

/* The silence of a bus that waits is short, or nothing: it is seen again and again. */
static void await_sign(const struct host *host)
{
    int64_t until = clock_mono(&clock_system) + 20 * NS_PER_S;

    while (host_silent_ns(host) != 0) {
        assert_true(clock_mono(&clock_system) < until);
        usleep(1000);
    }
}

static void a_driver_that_hangs_gives_no_sign_of_life(void **state)
{
    struct fixture *fixture = *state;
    int fds[2];
    struct host *host = start_with_pipe(fixture, &hangs, fds);

    await(&host_stats(host)[0].requests);
    await_sign(host);
    usleep(30000); /* a long wait is no silence */
    assert_int_equal(host_silent_ns(host), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    await(&host_stats(host)[0].replies);
    usleep(30000);
    assert_true(host_silent_ns(host) >= 30 * NS_PER_MS);
    assert_int_equal(write(fds[1], "x", 1), 1);
    await(&host_stats(host)[0].timeouts);
    await_sign(host);
    host_stop(host);
    close(fds[0]);
    close(fds[1]);
}

static void a_driver_learns_what_was_read_last_in_an_earlier_life(void **state)
{
    struct fixture *fixture = *state;
    int64_t when = 0;

    fixture->bus.driver = &recalls;
    fixture->bus.options = &when;
    /* Nothing is known of the time before the first commit. */
    assert_int_equal(journal_flush(fixture->journal, 5 * NS_PER_S), 0);
    for (int life = 0; life < 4; life++) {
        struct host *host;
        struct driver_stats *stats;

        assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                    &clock_system, NULL, NULL),
                         0);
        stats = host_stats(host);
        await(&stats[0].replies);
        assert_int_equal(atomic_load(&stats[0].requests), life == 0 ? 0 : 48210);
        assert_int_equal(atomic_load(&stats[0].corrupt), life > 0);
        host_stop(host);
        assert_int_equal(journal_flush(fixture->journal, 5 * NS_PER_S), 0);
    }
}

static void remembers_why_a_driver_gave_up(void **state)
{
    struct fixture *fixture = *state;
    struct host *host;
    int64_t until = clock_mono(&clock_system) + 20 * NS_PER_S;

    fixture->bus.driver = &badly;
    assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                &clock_system, NULL, NULL),
                     0);
    while (host_error(host) != ERR_NOMEM) {
        assert_true(clock_mono(&clock_system) < until);
        usleep(1000);
    }
    host_lend(host, until);
    assert_true(host_lent(host)); /* nobody has its port */
    host_stop(host);
}

static void what_is_learnt_comes_back_and_is_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct driver_stats *stats;
    struct host *host;
    char about[64];
    struct text text;

    fixture->bus.driver = &learns;
    declare(fixture, "bus", &fixture->bus.stream);
    for (int life = 0; life < 2; life++) {
        assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                    &clock_system, NULL, NULL),
                         0);
        stats = host_stats(host);
        await(&stats[0].replies);
        assert_int_equal(atomic_load(&stats[0].requests), life == 0 ? 0 : 2);
        text_init(&text, about, sizeof about);
        host_about(host, 0, &text);
        assert_string_equal(about, ",\"model\":7");
        assert_int_equal(host_forget(host, 0, DRIVER_FORGET_IDENTITY), 0);
        await(&stats[0].timeouts);
        assert_int_equal(atomic_load(&stats[0].timeouts), DRIVER_FORGET_IDENTITY);
        host_stop(host);
    }
    fixture->bus.driver = &well;
    assert_int_equal(host_start(&host, fixture->engines, fixture->journal, &fixture->bus,
                                &clock_system, NULL, NULL),
                     0);
    assert_int_equal(host_forget(host, 0, DRIVER_FORGET_IDENTITY), ERR_UNSUPPORTED);
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(what_is_held_back_is_stored_while_the_driver_waits),
        HOST_TEST(what_a_driver_read_is_in_the_journal_when_it_is_stopped),
        HOST_TEST(a_driver_that_hangs_gives_no_sign_of_life),
        HOST_TEST(waits_for_a_time_a_descriptor_and_the_stop),
        HOST_TEST(an_answer_that_is_under_way_is_waited_for),
        HOST_TEST(a_driver_learns_what_was_read_last_in_an_earlier_life),
        HOST_TEST(remembers_why_a_driver_gave_up),
        HOST_TEST(what_is_learnt_comes_back_and_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
