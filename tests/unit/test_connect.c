/* Connecting to a Modbus device by name, when the name server or an address does not answer. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "field/wait.h"
#include "modbus/connect.h"

#define ADDRESSES_MAX 2

/* The resolver of this program, in the place of the C library's: it knows one name, and answers
 * when it is let. */
static struct {
    bool hangs;
    sem_t asked, answer, done;
    uint16_t ports[ADDRESSES_MAX]; /* on the loopback; 0 ends them */
} resolver;

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
    struct addrinfo *first = NULL, **last = &first;

    (void)node;
    (void)service;
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    if (resolver.hangs) {
        sem_post(&resolver.asked);
        sem_wait(&resolver.answer);
    }
    for (int i = 0; i < ADDRESSES_MAX && resolver.ports[i] != 0; i++) {
        struct addrinfo *info = calloc(1, sizeof(*info) + sizeof(struct sockaddr_in));
        struct sockaddr_in *address = (struct sockaddr_in *)(void *)(info + 1);

        *address = (struct sockaddr_in){.sin_family = AF_INET,
                                        .sin_port = htons(resolver.ports[i]),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        *info = (struct addrinfo){.ai_family = AF_INET,
                                  .ai_socktype = SOCK_STREAM,
                                  .ai_addr = (struct sockaddr *)address,
                                  .ai_addrlen = sizeof(*address)};
        *last = info;
        last = &info->ai_next;
    }
    if (resolver.hangs)
        sem_post(&resolver.done);
    *found = first;
    return first ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *info)
{
    while (info) {
        struct addrinfo *next = info->ai_next;

        free(info);
        info = next;
    }
}

struct fixture {
    struct driver_host base; /* first */
    int stop_fd;
    int64_t timeout_ns;
    int result;
};

static int wait_or_stop(struct driver_host *base, int fd, int64_t until_mono_ns)
{
    return wait_readable(fd, ((struct fixture *)base)->stop_fd, base->clock, until_mono_ns);
}

static const struct driver_host_ops ops = {.wait = wait_or_stop};
static const struct modbus_host address = {.name = "meter.plant", .port = 502};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.base = {.ops = &ops, .clock = &clock_system},
                               .stop_fd = eventfd(0, EFD_CLOEXEC),
                               .timeout_ns = 4 * NS_PER_S};
    memset(&resolver, 0, sizeof(resolver));
    sem_init(&resolver.asked, 0, 0);
    sem_init(&resolver.answer, 0, 0);
    sem_init(&resolver.done, 0, 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    return close(((struct fixture *)*state)->stop_fd);
}

static void *connect_there(void *context)
{
    struct fixture *fixture = context;

    fixture->result = connect_tcp(&address, fixture->timeout_ns, &fixture->base);
    return NULL;
}

static int listen_here(uint16_t *port)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(here);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&here, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &size), 0);
    assert_int_equal(listen(fd, 0), 0);
    *port = ntohs(here.sin_port);
    return fd;
}

/* A full queue: what comes further is not answered, as from a host that is not there. */
static void fill_queue(uint16_t port, int clients[4])
{
    const struct sockaddr_in there = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    for (int i = 0; i < 4; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(clients[i], (const struct sockaddr *)&there, sizeof(there));
    }
}

static void a_resolver_that_hangs_does_not_keep_a_bus_from_stopping(void **state)
{
    struct fixture *fixture = *state;
    uint64_t one = 1;
    pthread_t thread;

    resolver.hangs = true;
    assert_int_equal(pthread_create(&thread, NULL, connect_there, fixture), 0);
    sem_wait(&resolver.asked);
    assert_int_equal(write(fixture->stop_fd, &one, sizeof(one)), sizeof(one));
    pthread_join(thread, NULL); /* while the resolver still hangs */
    assert_int_equal(fixture->result, ERR_CLOSED);
    sem_post(&resolver.answer);
    sem_wait(&resolver.done); /* the answer that nobody wants any more */
}

static void a_slow_resolver_takes_nothing_from_the_time_to_connect(void **state)
{
    struct fixture *fixture = *state;
    int listener = listen_here(&resolver.ports[0]);
    struct timespec pause = {.tv_nsec = 300000000};
    pthread_t thread;

    resolver.hangs = true;
    fixture->timeout_ns = 200 * NS_PER_MS;
    assert_int_equal(pthread_create(&thread, NULL, connect_there, fixture), 0);
    sem_wait(&resolver.asked);
    nanosleep(&pause, NULL); /* longer than the time-out */
    sem_post(&resolver.answer);
    pthread_join(thread, NULL);
    assert_true(fixture->result >= 0);
    close(fixture->result);
    close(listener);
}

static void an_address_that_does_not_answer_leaves_time_for_the_next(void **state)
{
    struct fixture *fixture = *state;
    uint16_t dead;
    int clients[4], listeners[2] = {listen_here(&dead), listen_here(&resolver.ports[1])};
    int64_t began_ns = clock_mono(&clock_system);

    resolver.ports[0] = dead;
    fill_queue(dead, clients);
    connect_there(fixture);
    assert_true(fixture->result >= 0);
    assert_true(clock_mono(&clock_system) - began_ns < fixture->timeout_ns);
    close(fixture->result);
    resolver.ports[1] = 0; /* and alone it has all the time */
    fixture->timeout_ns = 300 * NS_PER_MS;
    began_ns = clock_mono(&clock_system);
    connect_there(fixture);
    assert_int_equal(fixture->result, ERR_TIMEOUT);
    assert_true(clock_mono(&clock_system) - began_ns >= fixture->timeout_ns);
    for (int i = 0; i < 4; i++)
        close(clients[i]);
    close(listeners[0]);
    close(listeners[1]);
}

static void a_name_that_is_not_known_is_told_as_such(void **state)
{
    struct fixture *fixture = *state;

    connect_there(fixture);
    assert_int_equal(fixture->result, ERR_NAME);
}

#define CONNECT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONNECT_TEST(a_resolver_that_hangs_does_not_keep_a_bus_from_stopping),
        CONNECT_TEST(a_slow_resolver_takes_nothing_from_the_time_to_connect),
        CONNECT_TEST(an_address_that_does_not_answer_leaves_time_for_the_next),
        CONNECT_TEST(a_name_that_is_not_known_is_told_as_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
