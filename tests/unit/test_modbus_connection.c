/* What may happen to a Modbus TCP connection: frames in pieces and in heaps, floods, hang-ups, and
 * leaving in the middle of it. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/error.h"
#include "unit/tcp_rig.h"

#define EVERY_NS (20 * NS_PER_MS)
#define UNIT     7

static struct rig_server server;
static struct rig_bus bus;
static struct driver_engine *engine;

/* One device on one bus, that is about to be polled. */
static void start(rig_request_fn *request, rig_accept_fn *accepted)
{
    server = (struct rig_server){.accepted = accepted};
    rig_start(&server, request);
    engine = rig_engine();
    rig_bus(&bus, server.port);
    rig_device(&bus, UNIT, 3, EVERY_NS);
}

static void stop(void)
{
    driver_modbus_tcp.engine->close(engine);
    rig_stop(&server);
}

/* The manner says behind which byte the reply is cut; each reply behind another one. */
static void answer_in_two_pieces(struct rig_server *of, int fd, const uint8_t *request)
{
    uint8_t reply[RIG_REPLY_MAX];
    size_t size = rig_reply(request, reply);
    size_t cut = 1 + (size_t)atomic_fetch_add(&of->manner, 1) % (size - 1);

    rig_send(fd, reply, cut);
    poll(NULL, 0, 2); /* so that the pieces do not meet in the socket */
    rig_send(fd, reply + cut, size - cut);
}

static void takes_replies_that_are_cut_behind_any_byte(void **state)
{
    (void)state;
    start(answer_in_two_pieces, NULL);
    rig_join(&bus, engine);
    RIG_AWAIT(bus.good[0] >= 30);
    assert_int_equal(bus.stats[0].timeouts + bus.stats[0].corrupt + bus.stats[0].unexpected, 0);
    assert_int_equal(server.connections, 1);
    rig_leave(&bus, engine);
    stop();
}

static void answer_behind_a_stray(struct rig_server *of, int fd, const uint8_t *request)
{
    uint8_t frames[3 * RIG_REPLY_MAX] = {0};
    size_t size = rig_reply(request, frames), both;

    (void)of;
    frames[0] ^= 0x40; /* of another number, and another value */
    frames[10] ^= 0xFF;
    both = size + rig_reply(request, frames + size);
    memcpy(frames + both, frames, size);
    rig_send(fd, frames, both + size);
}

static void finds_its_reply_among_others_that_come_with_it(void **state)
{
    (void)state;
    start(answer_behind_a_stray, NULL);
    rig_join(&bus, engine);
    RIG_AWAIT(bus.good[0] >= 30);
    assert_int_equal(bus.stats[0].timeouts + bus.stats[0].corrupt, 0);
    assert_true(bus.stats[0].unexpected >= 2 * 29);
    rig_leave(&bus, engine);
    stop();
}

/* A little more than 64 KiB of sound frames, and no more until the connection is made anew. */
static void flood(struct rig_server *of, int fd)
{
    static const uint8_t asked[RIG_REQUEST_SIZE] = {0, 1, 0, 0, 0, 6, UNIT, 3, 0, 3, 0, 1};
    uint8_t frame[RIG_REPLY_MAX];
    size_t size = rig_reply(asked, frame);

    if (atomic_load(&of->manner) == 0)
        return;
    for (size_t sent = 0; sent < 2 * 65536; sent += size)
        rig_send(fd, frame, size);
}

static void hangs_up_on_a_server_that_sends_without_being_asked(void **state)
{
    (void)state;
    start(rig_answer, flood);
    atomic_store(&server.manner, 1);
    rig_join(&bus, engine);
    RIG_AWAIT(server.connections >= 2 && bus.stats[0].status == STATUS_COMMUNICATION);
    atomic_store(&server.manner, 0);
    RIG_AWAIT(bus.good[0] >= 5);
    rig_leave(&bus, engine);
    stop();
}

static void some_unasked_frames(struct rig_server *of, int fd, const uint8_t *request)
{
    uint8_t frame[RIG_REPLY_MAX];
    size_t size = rig_reply(request, frame);

    rig_answer(of, fd, request);
    for (int i = 0; i < 20; i++) {
        frame[1] = (uint8_t)i;
        rig_send(fd, frame, size);
    }
}

static void throws_away_what_nobody_asked_for(void **state)
{
    (void)state;
    start(some_unasked_frames, NULL);
    rig_join(&bus, engine);
    RIG_AWAIT(bus.good[0] >= 30 && bus.stats[0].unexpected >= 20 * 29);
    assert_int_equal(server.connections, 1);
    rig_leave(&bus, engine);
    stop();
}

static void answer_and_hang_up(struct rig_server *of, int fd, const uint8_t *request)
{
    rig_answer(of, fd, request);
    shutdown(fd, SHUT_WR);
}

static void a_server_that_hangs_up_behind_each_reply_is_read_all_the_same(void **state)
{
    (void)state;
    start(answer_and_hang_up, NULL);
    rig_join(&bus, engine);
    RIG_AWAIT(bus.good[0] >= 20);
    assert_int_equal(bus.stats[0].reconnects, 0);
    assert_true(bus.stats[0].up);
    rig_leave(&bus, engine);
    stop();
}

static void hang_up(struct rig_server *of, int fd)
{
    (void)of;
    shutdown(fd, SHUT_RDWR);
}

/* It is tried a few times at once, then from time to time. */
static void a_server_that_accepts_only_to_hang_up_is_told_and_left_in_peace(void **state)
{
    (void)state;
    start(rig_answer, hang_up);
    rig_join(&bus, engine);
    RIG_AWAIT(bus.stats[0].status == STATUS_COMMUNICATION);
    assert_in_range(server.connections, 3, 8);
    rig_leave(&bus, engine);
    stop();
}

/* A listener whose queue is full answers no connection. */
static void leaves_at_once_while_it_connects(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int full = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fillers[4];
    int64_t began_ns;

    (void)state;
    start(rig_answer, NULL);
    assert_int_equal(bind(full, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(full, 0), 0);
    assert_int_equal(getsockname(full, (struct sockaddr *)&address, &size), 0);
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(fillers[i], (struct sockaddr *)&address, size);
    }
    bus.options.host.port = ntohs(address.sin_port);
    rig_join(&bus, engine);
    began_ns = clock_mono(&clock_system);
    rig_leave(&bus, engine);
    assert_true(clock_mono(&clock_system) - began_ns < 10 * NS_PER_S);
    for (int i = 0; i < 4; i++)
        close(fillers[i]);
    close(full);
    stop();
}

/* By RFC 6761 there is no such name; the resolver may take its time to say so, and others are read
 * meanwhile. */
static void a_name_that_nobody_knows_holds_up_no_other(void **state)
{
    static struct rig_bus lost;

    (void)state;
    start(rig_answer, NULL);
    rig_bus(&lost, server.port);
    strcpy(lost.options.host.name, "sluice-test.invalid");
    rig_device(&lost, UNIT, 3, EVERY_NS);
    rig_join(&lost, engine);
    rig_join(&bus, engine);
    RIG_AWAIT(bus.good[0] >= 20);
    assert_int_equal(lost.good[0], 0);
    rig_leave(&lost, engine);
    rig_leave(&bus, engine);
    stop();
}

/* On its first connection it has lost a byte, so that nothing that it says is meant for anybody. */
static void answer_out_of_step(struct rig_server *of, int fd, const uint8_t *request)
{
    uint8_t reply[RIG_REPLY_MAX];
    size_t size = rig_reply(request, reply);

    if (atomic_load(&of->connections) == 1) {
        reply[0] = request[1];
        reply[1] = 0;
        reply[6] = UNIT + 1;
    }
    rig_send(fd, reply, size);
}

/* Only a new connection helps. */
static void hangs_up_on_a_server_that_is_out_of_step(void **state)
{
    (void)state;
    start(answer_out_of_step, NULL);
    bus.options.timeout_ns = 100 * NS_PER_MS;
    rig_join(&bus, engine);
    RIG_AWAIT(bus.good[0] >= 5);
    assert_int_equal(server.connections, 2);
    assert_int_equal(bus.stats[0].reconnects, 1);
    rig_leave(&bus, engine);
    stop();
}

/* Answers when the manner lets it. */
static void answer_when_allowed(struct rig_server *of, int fd, const uint8_t *request)
{
    while (atomic_load(&of->manner) == 0)
        poll(NULL, 0, 2);
    rig_answer(of, fd, request);
}

static void *leave(void *context)
{
    rig_leave(context, engine);
    return NULL;
}

/* What is asked is taken before it leaves, and nothing is asked any more. */
static void a_bus_that_ends_waits_for_the_reply_that_is_under_way(void **state)
{
    pthread_t leaving;

    (void)state;
    start(answer_when_allowed, NULL);
    rig_join(&bus, engine);
    RIG_AWAIT(server.requests == 1);
    bus.host.ends_ns = clock_mono(&clock_system) + RIG_PATIENCE_NS;
    assert_int_equal(pthread_create(&leaving, NULL, leave, &bus), 0);
    poll(NULL, 0, 50);
    assert_int_equal(bus.good[0], 0);
    server.manner = 1;
    pthread_join(leaving, NULL);
    assert_true(clock_mono(&clock_system) < bus.host.ends_ns); /* and not until its time was over */
    assert_int_equal(bus.good[0], 1);
    assert_int_equal(server.requests, 1);
    stop();
}

static void a_bus_that_ends_waits_no_longer_than_it_may(void **state)
{
    int64_t ends_ns;

    (void)state;
    start(answer_when_allowed, NULL);
    rig_join(&bus, engine);
    RIG_AWAIT(server.requests == 1);
    ends_ns = clock_mono(&clock_system) + 100 * NS_PER_MS;
    bus.host.ends_ns = ends_ns;
    rig_leave(&bus, engine);
    assert_true(clock_mono(&clock_system) >= ends_ns);
    assert_int_equal(bus.good[0], 0);
    server.manner = 1;
    stop();
}

static void hang_up_now_and_then(struct rig_server *of, int fd, const uint8_t *request)
{
    if (atomic_load(&of->requests) % 10 == 0)
        shutdown(fd, SHUT_RDWR);
    else
        rig_answer(of, fd, request);
}

/* A read that broke off is made up for at once: rounds are neither lost nor shifted. */
static void keeps_its_schedule_across_connections(void **state)
{
    static struct rig_bus calm;
    static struct rig_server other;

    (void)state;
    other = (struct rig_server){0};
    rig_start(&other, rig_answer);
    start(hang_up_now_and_then, NULL);
    rig_bus(&calm, other.port);
    rig_device(&calm, UNIT, 3, EVERY_NS);
    rig_join(&bus, engine);
    rig_join(&calm, engine);
    RIG_AWAIT(calm.good[0] >= 100);
    assert_in_range(bus.good[0], 90, 110);
    assert_true(bus.stats[0].reconnects >= 5);
    assert_int_equal(bus.stats[0].reconnects + 1, server.connections);
    rig_leave(&bus, engine);
    rig_leave(&calm, engine);
    stop();
    rig_stop(&other);
}

/* How many requests had come when the second connection was made. */
static _Atomic unsigned on_the_first;

static void note_the_second(struct rig_server *of, int fd)
{
    (void)fd;
    if (atomic_load(&of->connections) == 2)
        atomic_store(&on_the_first, atomic_load(&of->requests));
}

static void say_nothing(struct rig_server *of, int fd, const uint8_t *request)
{
    (void)of;
    (void)fd;
    (void)request;
}

/* The connection may be dead without anybody knowing. */
static void is_made_anew_when_three_requests_have_no_answer(void **state)
{
    (void)state;
    start(say_nothing, note_the_second);
    bus.options.timeout_ns = 50 * NS_PER_MS;
    rig_join(&bus, engine);
    RIG_AWAIT(server.connections >= 2);
    assert_int_equal(on_the_first, 3);
    assert_int_equal(bus.stats[0].status, STATUS_TIMEOUT);
    rig_leave(&bus, engine);
    stop();
}

/* The answer to the request before. */
static void answer_one_behind(struct rig_server *of, int fd, const uint8_t *request)
{
    static uint8_t before[RIG_REQUEST_SIZE];

    if (atomic_load(&of->requests) > 1)
        rig_answer(of, fd, before);
    memcpy(before, request, sizeof before);
}

/* Late answers say that somebody is there, and that what comes is in step. */
static void is_kept_while_late_answers_come(void **state)
{
    (void)state;
    start(answer_one_behind, NULL);
    bus.options.timeout_ns = 50 * NS_PER_MS;
    rig_join(&bus, engine);
    RIG_AWAIT(server.requests >= 5);
    assert_int_equal(server.connections, 1);
    assert_int_equal(bus.wrong, 0);
    rig_leave(&bus, engine);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_replies_that_are_cut_behind_any_byte),
        cmocka_unit_test(finds_its_reply_among_others_that_come_with_it),
        cmocka_unit_test(hangs_up_on_a_server_that_sends_without_being_asked),
        cmocka_unit_test(throws_away_what_nobody_asked_for),
        cmocka_unit_test(a_server_that_hangs_up_behind_each_reply_is_read_all_the_same),
        cmocka_unit_test(a_server_that_accepts_only_to_hang_up_is_told_and_left_in_peace),
        cmocka_unit_test(leaves_at_once_while_it_connects),
        cmocka_unit_test(a_name_that_nobody_knows_holds_up_no_other),
        cmocka_unit_test(hangs_up_on_a_server_that_is_out_of_step),
        cmocka_unit_test(a_bus_that_ends_waits_for_the_reply_that_is_under_way),
        cmocka_unit_test(a_bus_that_ends_waits_no_longer_than_it_may),
        cmocka_unit_test(keeps_its_schedule_across_connections),
        cmocka_unit_test(is_made_anew_when_three_requests_have_no_answer),
        cmocka_unit_test(is_kept_while_late_answers_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
