/* The addresses of a name, tried one after the other: what each gets of the time, and what is told
 * when none is left. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "core/knock.h"

#define ADDRESSES_MAX 3
#define QUEUED        4

/* A port of the loopback: one that takes connections, one that refuses them, or one that does not
 * answer, as a host that is not there. */
enum kind { TAKES, REFUSES, SILENT };

struct fixture {
    struct loop *loop;
    struct addrinfo infos[ADDRESSES_MAX];
    struct sockaddr_in places[ADDRESSES_MAX];
    int fds[ADDRESSES_MAX * (1 + QUEUED)];
    size_t fd_count;
    int tuned, tune_failure;
    int failure, fd; /* as told; fd -2: nothing was */
};

static int set_up(void **state)
{
    static struct fixture fixture;

    memset(&fixture, 0, sizeof fixture);
    fixture.fd = -2;
    *state = &fixture;
    return loop_open(&fixture.loop);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < fixture->fd_count; i++)
        close(fixture->fds[i]);
    if (fixture->fd >= 0)
        close(fixture->fd);
    loop_close(fixture->loop);
    return 0;
}

static int new_socket(struct fixture *fixture, int flags)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    assert_true(fd >= 0);
    fixture->fds[fixture->fd_count++] = fd;
    return fd;
}

/* The fixture's addresses become one of each kind, in that order. */
static void find(struct fixture *fixture, const enum kind *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sockaddr_in *place = &fixture->places[i];
        socklen_t size = sizeof *place;
        int fd = new_socket(fixture, 0);

        *place =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        assert_int_equal(bind(fd, (struct sockaddr *)place, size), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)place, &size), 0);
        if (kinds[i] != REFUSES)
            assert_int_equal(listen(fd, kinds[i] == SILENT ? 0 : 8), 0);
        /* A full queue: what comes further is not answered. */
        for (int k = 0; kinds[i] == SILENT && k < QUEUED; k++)
            connect(new_socket(fixture, SOCK_NONBLOCK), (struct sockaddr *)place, size);
        fixture->infos[i] = (struct addrinfo){.ai_family = AF_INET,
                                              .ai_socktype = SOCK_STREAM,
                                              .ai_addr = (struct sockaddr *)place,
                                              .ai_addrlen = size};
        if (i > 0)
            fixture->infos[i - 1].ai_next = &fixture->infos[i];
    }
}

static int tune(void *context, int fd)
{
    struct fixture *fixture = context;

    assert_true(fd >= 0);
    fixture->tuned++;
    return fixture->tune_failure;
}

static void done(void *context, int failure, int fd)
{
    struct fixture *fixture = context;

    assert_int_equal(fixture->fd, -2); /* once */
    fixture->failure = failure;
    fixture->fd = fd;
    loop_stop(fixture->loop);
}

static struct knock_given given(struct fixture *fixture, int64_t timeout_ns, int64_t least_ns)
{
    return (struct knock_given){.loop = fixture->loop,
                                .clock = &clock_system,
                                .addresses = fixture->infos[0].ai_addr ? fixture->infos : NULL,
                                .deadline_ns = clock_mono(&clock_system) + timeout_ns,
                                .least_ns = least_ns,
                                .tune = tune,
                                .done = done,
                                .context = fixture};
}

/* Knocks, and returns how long it took. */
static int64_t knock(struct fixture *fixture, int64_t timeout_ns, int64_t least_ns)
{
    int64_t begun_ns = clock_mono(&clock_system);
    struct knock_given asked = given(fixture, timeout_ns, least_ns);
    struct knock *made;

    assert_int_equal(knock_start(&made, &asked), 0);
    assert_int_equal(loop_run(fixture->loop), 0);
    return clock_mono(&clock_system) - begun_ns;
}

static void connects_to_the_first_that_answers(void **state)
{
    struct fixture *fixture = *state;
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;

    find(fixture, (const enum kind[]){REFUSES, TAKES, TAKES}, 3);
    knock(fixture, 10 * NS_PER_S, 0);
    assert_int_equal(fixture->failure, 0);
    assert_int_equal(getpeername(fixture->fd, (struct sockaddr *)&peer, &size), 0);
    assert_int_equal(peer.sin_port, fixture->places[1].sin_port);
    assert_int_equal(fixture->tuned, 2);
}

static void a_silent_address_takes_its_share_only(void **state)
{
    struct fixture *fixture = *state;
    int64_t took_ns;

    find(fixture, (const enum kind[]){SILENT, TAKES}, 2);
    took_ns = knock(fixture, 2 * NS_PER_S, 0);
    assert_int_equal(fixture->failure, 0);
    assert_true(took_ns >= NS_PER_S);
    assert_true(fixture->fd >= 0);
}

/* The least is more than a half: what is left is the second one's. */
static void an_address_gets_the_least_that_was_said(void **state)
{
    struct fixture *fixture = *state;
    int64_t took_ns;

    find(fixture, (const enum kind[]){SILENT, TAKES}, 2);
    took_ns = knock(fixture, 3 * NS_PER_S, 2 * NS_PER_S);
    assert_int_equal(fixture->failure, 0);
    assert_true(took_ns >= 2 * NS_PER_S);
}

/* Whatever least an address was to get: it is not waited for longer. */
static void the_deadline_is_for_all_of_them(void **state)
{
    struct fixture *fixture = *state;
    int64_t took_ns;

    find(fixture, (const enum kind[]){SILENT, TAKES}, 2);
    took_ns = knock(fixture, NS_PER_S / 2, 10 * NS_PER_S);
    assert_true(took_ns < 10 * NS_PER_S);
    assert_int_equal(fixture->failure, ETIMEDOUT);
    assert_int_equal(fixture->fd, -1);
    assert_int_equal(fixture->tuned, 1);
}

static void tells_of_the_last_one(void **state)
{
    struct fixture *fixture = *state;

    find(fixture, (const enum kind[]){SILENT, REFUSES}, 2);
    knock(fixture, NS_PER_S / 2, 0);
    assert_int_equal(fixture->failure, ECONNREFUSED);
}

static void a_socket_that_must_not_be_used_is_no_attempt(void **state)
{
    struct fixture *fixture = *state;

    find(fixture, (const enum kind[]){TAKES, TAKES}, 2);
    fixture->tune_failure = EMFILE;
    knock(fixture, NS_PER_S, 0);
    assert_int_equal(fixture->failure, EMFILE);
    assert_int_equal(fixture->tuned, 2);
}

static void without_an_address_it_fails_at_once(void **state)
{
    struct fixture *fixture = *state;

    knock(fixture, NS_PER_S, 0);
    assert_int_equal(fixture->failure, EADDRNOTAVAIL);
}

static void after_it_was_stopped_nothing_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct knock_given asked;
    struct knock *made;

    find(fixture, (const enum kind[]){SILENT}, 1);
    asked = given(fixture, NS_PER_S / 10, 0);
    assert_int_equal(knock_start(&made, &asked), 0);
    knock_stop(made);
    /* The next one, whose time is over later. */
    asked = given(fixture, NS_PER_S / 5, 0);
    assert_int_equal(knock_start(&made, &asked), 0);
    assert_int_equal(loop_run(fixture->loop), 0);
    assert_int_equal(fixture->tuned, 2);
    knock_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(connects_to_the_first_that_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_silent_address_takes_its_share_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_gets_the_least_that_was_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_deadline_is_for_all_of_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_of_the_last_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_socket_that_must_not_be_used_is_no_attempt, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_an_address_it_fails_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_it_was_stopped_nothing_is_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
