/* Many Modbus TCP connections in one engine, against a server of the test's own. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/status.h"
#include "modbus/modbus.h"
#include "modbus/options.h"

#define BUSES       (FD_SETSIZE + 100)
#define PATIENCE_NS (60 * NS_PER_S)

#define HANGS_UP 255

/* Answers each request for one holding register with what belongs to unit and address; a unit of 0
 * gets no answer, and at one of HANGS_UP the server hangs up. */
struct server {
    pthread_t thread;
    int epoll, listener, stop;
    uint16_t port;
};

static uint16_t register_of(unsigned unit, unsigned address)
{
    return (uint16_t)(unit * 256 + address * 7 + 1);
}

static void watch(struct server *server, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    assert_int_equal(epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event), 0);
}

static void answer(int fd)
{
    uint8_t frame[12];
    ssize_t size = recv(fd, frame, sizeof frame, MSG_DONTWAIT);
    uint16_t value;

    if (size != sizeof frame) {
        if (size >= 0)
            close(fd);
        return;
    }
    if (frame[6] == HANGS_UP)
        close(fd);
    if (frame[6] == 0 || frame[6] == HANGS_UP)
        return;
    value = register_of(frame[6], (unsigned)frame[8] << 8 | frame[9]);
    frame[5] = 5;
    frame[8] = 2;
    frame[9] = (uint8_t)(value >> 8);
    frame[10] = (uint8_t)value;
    size = send(fd, frame, 11, MSG_NOSIGNAL);
    (void)size;
}

static void *serve(void *context)
{
    struct server *server = context;
    struct epoll_event events[64];

    for (;;) {
        int count = epoll_wait(server->epoll, events, 64, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == server->stop)
                return NULL;
            if (events[i].data.fd == server->listener)
                watch(server, accept4(server->listener, NULL, NULL, SOCK_CLOEXEC));
            else
                answer(events[i].data.fd);
        }
    }
}

static void start_server(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->listener, 4096), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    server->stop = eventfd(0, EFD_CLOEXEC);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(server, server->listener);
    watch(server, server->stop);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop_server(struct server *server)
{
    uint64_t one = 1;

    assert_int_equal(write(server->stop, &one, sizeof one), sizeof one);
    pthread_join(server->thread, NULL);
    close(server->epoll);
    close(server->listener);
    close(server->stop);
}

/* A connection with one unit that has one point. */
struct line {
    struct driver_host host;
    struct driver_stats stats[2];
    struct modbus_bus_options options;
    struct modbus_device_options device_options;
    struct modbus_point_options point_options;
    struct site_point point;
    uint32_t streams[2];
    struct site_device device[2]; /* the second only where a test wants one */
    struct site_bus bus;
    _Atomic unsigned good, wrong;
};

static const struct driver_host_ops host_ops; /* nothing was ever learnt */

static size_t put(void *context, const struct event *events, size_t count, bool again)
{
    struct line *line = context;

    (void)again;
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind != EVENT_READING || events[i].status != STATUS_GOOD)
            continue;
        if (events[i].value.u ==
            register_of((unsigned)line->device_options.unit, (unsigned)line->point_options.address))
            line->good++;
        else
            line->wrong++;
    }
    return count;
}

static void tell(struct driver_complaints *complaints, const struct site_device *device,
                 const struct site_point *point, const char *key, const char *sentence)
{
    (void)complaints;
    (void)device;
    (void)point;
    fail_msg("%s: %s", key, sentence);
}

static void describe(struct line *line, uint16_t port, unsigned unit, unsigned address)
{
    struct driver_complaints complaints = {.tell = tell};

    line->options = (struct modbus_bus_options){
        .timeout_ns = 20 * NS_PER_S, .connect_timeout_ns = 20 * NS_PER_S, .host.port = port};
    strcpy(line->options.host.name, "127.0.0.1");
    line->device_options = (struct modbus_device_options){
        .unit = unit, .numbering = MODBUS_NUMBERING_0, .order = MODBUS_ABCD, .max_block = 125};
    line->point_options =
        (struct modbus_point_options){.reg = address, .bit = -1, .scale = 1, .scale_reg = -1};
    line->point = (struct site_point){
        .id = "p", .every_ns = 200 * NS_PER_MS, .options = &line->point_options};
    line->device[0] = (struct site_device){.id = "device",
                                           .stream = 1,
                                           .points = &line->point,
                                           .streams = line->streams,
                                           .point_count = 1,
                                           .options = &line->device_options};
    line->streams[0] = 2;
    line->bus = (struct site_bus){.id = "bus",
                                  .driver = &driver_modbus_tcp,
                                  .devices = line->device,
                                  .device_count = 1,
                                  .options = &line->options,
                                  .fingerprint = unit * 1000003u * (uint64_t)NS_PER_MS};
    assert_int_equal(line->bus.driver->check(&line->bus, &complaints), 0);
    line->host =
        (struct driver_host){.ops = &host_ops, .clock = &clock_system, .stats = line->stats};
    assert_int_equal(sink_open(&line->host.sink, &line->bus, &clock_system, put, line), 0);
}

static void await_good(const struct line *line, unsigned at_least)
{
    int64_t until = clock_mono(&clock_system) + PATIENCE_NS;

    while (line->good < at_least) {
        assert_true(clock_mono(&clock_system) < until);
        poll(NULL, 0, 5);
    }
}

/* Both ends of each connection are in this process. */
static bool may_have_descriptors(rlim_t wanted)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur >= wanted;
}

static void serves_more_connections_than_select_could(void **state)
{
    const struct driver_engine_ops *ops = driver_modbus_tcp.engine;
    struct line *lines = calloc(BUSES, sizeof *lines);
    struct driver_engine *engine;
    struct server server;

    (void)state;
    if (!may_have_descriptors(3 * BUSES)) {
        free(lines);
        skip();
    }
    start_server(&server);
    assert_int_equal(ops->open(&engine, &clock_system), 0);
    for (unsigned i = 0; i < BUSES; i++) {
        describe(&lines[i], server.port, 1 + i % 200, i / 200);
        assert_int_equal(ops->join(engine, &lines[i].bus, &lines[i].host), 0);
    }
    for (unsigned i = 0; i < BUSES; i++) {
        await_good(&lines[i], 2);
        assert_int_equal(lines[i].wrong, 0);
    }
    /* Those that leave are not missed by the others. */
    for (unsigned i = 0; i < BUSES; i += 2)
        ops->leave(engine, &lines[i].host);
    await_good(&lines[1], lines[1].good + 2);
    for (unsigned i = 1; i < BUSES; i += 2)
        await_good(&lines[i], 3);
    for (unsigned i = 1; i < BUSES; i += 2)
        ops->leave(engine, &lines[i].host);
    ops->close(engine);
    for (unsigned i = 0; i < BUSES; i++)
        sink_close(lines[i].host.sink);
    free(lines);
    stop_server(&server);
}

static void goes_on_with_the_others_while_one_is_silent_and_one_cannot_be_reached(void **state)
{
    const struct driver_engine_ops *ops = driver_modbus_tcp.engine;
    struct line lines[3] = {0};
    struct driver_engine *engine;
    struct server server;

    (void)state;
    start_server(&server);
    describe(&lines[0], server.port, 7, 3);
    describe(&lines[1], server.port, 0, 3);
    lines[1].options.timeout_ns = 50 * NS_PER_MS;
    describe(&lines[2], 1, 7, 3); /* where nobody listens */
    assert_int_equal(ops->open(&engine, &clock_system), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ops->join(engine, &lines[i].bus, &lines[i].host), 0);
    await_good(&lines[0], 10);
    assert_int_equal(lines[1].stats[0].status, STATUS_TIMEOUT);
    assert_int_equal(lines[2].stats[0].status, STATUS_REFUSED);
    assert_int_equal(lines[0].stats[0].timeouts, 0);
    for (int i = 0; i < 3; i++)
        ops->leave(engine, &lines[i].host);
    ops->close(engine);
    for (int i = 0; i < 3; i++)
        sink_close(lines[i].host.sink);
    stop_server(&server);
}

static void a_unit_for_which_the_server_hangs_up_takes_no_other_down(void **state)
{
    const struct driver_engine_ops *ops = driver_modbus_tcp.engine;
    struct line line = {0};
    struct modbus_device_options options;
    struct modbus_point_options point_options;
    struct site_point point;
    struct driver_engine *engine;
    struct server server;

    (void)state;
    start_server(&server);
    describe(&line, server.port, 7, 3);
    sink_close(line.host.sink);
    options = line.device_options;
    options.unit = HANGS_UP;
    point_options = line.point_options;
    point = line.point;
    point.options = &point_options;
    line.streams[1] = 4;
    line.device[1] = line.device[0];
    line.device[1].id = "other";
    line.device[1].stream = 3;
    line.device[1].options = &options;
    line.device[1].points = &point;
    line.device[1].streams = &line.streams[1];
    line.bus.device_count = 2;
    assert_int_equal(sink_open(&line.host.sink, &line.bus, &clock_system, put, &line), 0);
    assert_int_equal(ops->open(&engine, &clock_system), 0);
    assert_int_equal(ops->join(engine, &line.bus, &line.host), 0);
    while (atomic_load(&line.stats[1].reconnects) < 5) {
        poll(NULL, 0, 5);
        if (atomic_load(&line.stats[0].last_reply_ns))
            assert_true(atomic_load(&line.stats[0].up));
    }
    await_good(&line, 5);
    assert_true(atomic_load(&line.stats[0].up));
    assert_false(atomic_load(&line.stats[1].up));
    ops->leave(engine, &line.host);
    ops->close(engine);
    sink_close(line.host.sink);
    stop_server(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_more_connections_than_select_could),
        cmocka_unit_test(goes_on_with_the_others_while_one_is_silent_and_one_cannot_be_reached),
        cmocka_unit_test(a_unit_for_which_the_server_hangs_up_takes_no_other_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
