/* A listening socket when the process has no file descriptors left. */
// links: sluice_core
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/accept.h"
#include "core/clock.h"

struct fixture {
    struct loop *loop;
    struct loop_timer *timer;
    struct accepter *accepter;
    struct sockaddr_un address;
    struct rlimit limit;
    int listener, accepted;
};

static void count(void *context, int fd)
{
    struct fixture *fixture = context;

    fixture->accepted++;
    close(fd);
}

static void stop(void *context)
{
    loop_stop(context);
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.address = {.sun_family = AF_UNIX}};
    /* Abstract: it leaves nothing behind. */
    snprintf(fixture.address.sun_path + 1, sizeof(fixture.address.sun_path) - 1, "sluice-accept-%d",
             (int)getpid());
    fixture.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(fixture.listener, (struct sockaddr *)&fixture.address, sizeof(fixture.address)), 0);
    assert_int_equal(listen(fixture.listener, 8), 0);
    assert_int_equal(loop_open(&fixture.loop), 0);
    fixture.timer = loop_timer(fixture.loop, stop, fixture.loop);
    assert_int_equal(
        accept_open(&fixture.accepter, fixture.loop, fixture.listener, "the test", count, &fixture),
        0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &fixture.limit), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    setrlimit(RLIMIT_NOFILE, &fixture->limit);
    accept_close(fixture->accepter);
    loop_timer_drop(fixture->loop, fixture->timer);
    loop_close(fixture->loop);
    return close(fixture->listener);
}

static int join(const struct fixture *fixture)
{
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(client >= 0);
    assert_int_equal(
        connect(client, (const struct sockaddr *)&fixture->address, sizeof(fixture->address)), 0);
    return client;
}

static void allow_descriptors_below(const struct fixture *fixture, int fd)
{
    struct rlimit limit = fixture->limit;

    limit.rlim_cur = (rlim_t)fd;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Runs the loop so long, and returns the processor time that this took. */
static int64_t run_for(struct fixture *fixture, int64_t ns)
{
    struct timespec before, after;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    loop_timer_set(fixture->loop, fixture->timer, clock_mono(&clock_system) + ns);
    assert_int_equal(loop_run(fixture->loop), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return (after.tv_sec - before.tv_sec) * NS_PER_S + after.tv_nsec - before.tv_nsec;
}

static bool was_turned_away(int client)
{
    char byte;

    return recv(client, &byte, 1, MSG_DONTWAIT) == 0;
}

static void without_descriptors_each_connection_is_turned_away_by_the_spare_one(void **state)
{
    struct fixture *fixture = *state;
    int clients[2] = {join(fixture), join(fixture)};

    allow_descriptors_below(fixture, clients[1] + 1);
    assert_true(run_for(fixture, 300 * NS_PER_MS) < 100 * NS_PER_MS);
    assert_int_equal(fixture->accepted, 0);
    for (int i = 0; i < 2; i++) {
        assert_true(was_turned_away(clients[i]));
        close(clients[i]);
    }
    setrlimit(RLIMIT_NOFILE, &fixture->limit);
    clients[0] = join(fixture);
    run_for(fixture, 100 * NS_PER_MS);
    assert_int_equal(fixture->accepted, 1);
    close(clients[0]);
}

static void without_even_the_spare_one_the_listener_rests_and_recovers(void **state)
{
    struct fixture *fixture = *state;
    int client = join(fixture);

    allow_descriptors_below(fixture, 3); /* so that what is given up cannot be had again */
    assert_true(run_for(fixture, 300 * NS_PER_MS) < 100 * NS_PER_MS);
    assert_int_equal(fixture->accepted, 0);
    assert_false(was_turned_away(client));
    setrlimit(RLIMIT_NOFILE, &fixture->limit);
    for (int i = 0; i < 50 && fixture->accepted == 0; i++)
        run_for(fixture, 200 * NS_PER_MS);
    assert_int_equal(fixture->accepted, 1);
    close(client);
}

static void close_it(void *context, int fd)
{
    struct fixture *fixture = context;

    fixture->accepted++;
    close(fd);
    accept_close(fixture->accepter);
    fixture->accepter = NULL;
}

static void it_may_be_closed_by_whom_it_calls(void **state)
{
    struct fixture *fixture = *state;
    int clients[2] = {join(fixture), join(fixture)};

    accept_close(fixture->accepter);
    assert_int_equal(accept_open(&fixture->accepter, fixture->loop, fixture->listener, "the test",
                                 close_it, fixture),
                     0);
    run_for(fixture, 50 * NS_PER_MS);
    assert_int_equal(fixture->accepted, 1);
    close(clients[0]);
    close(clients[1]);
}

#define ACCEPT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACCEPT_TEST(without_descriptors_each_connection_is_turned_away_by_the_spare_one),
        ACCEPT_TEST(without_even_the_spare_one_the_listener_rests_and_recovers),
        ACCEPT_TEST(it_may_be_closed_by_whom_it_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
