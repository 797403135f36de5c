/*
 * Modbus TCP for tests: a server in a thread, whose manners the test brings, and buses of the
 * engine that read from it. Each device has one holding register, with what belongs to its unit and
 * address. Included by the tests that use it.
 */
#ifndef TESTS_TCP_RIG_H
#define TESTS_TCP_RIG_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/status.h"
#include "modbus/modbus.h"
#include "modbus/options.h"

#define RIG_PATIENCE_NS  (60 * NS_PER_S)
#define RIG_DEVICES      10
#define RIG_REQUEST_SIZE 12
#define RIG_REPLY_MAX    (9 + 2 * 125)

struct rig_server;

/* What it does with a request (12 bytes), and with a connection that was just accepted; in its
 * thread. */
typedef void rig_request_fn(struct rig_server *server, int fd, const uint8_t *request);
typedef void rig_accept_fn(struct rig_server *server, int fd);

struct rig_server {
    pthread_t thread;
    int epoll, listener, stop;
    uint16_t port;
    rig_request_fn *request;
    rig_accept_fn *accepted; /* NULL: nothing */
    _Atomic unsigned connections, requests;
    _Atomic int manner; /* for the test's own functions */
};

static inline uint16_t rig_register(unsigned unit, unsigned address)
{
    return (uint16_t)(unit * 256 + address * 7 + 1);
}

/* The reply that belongs to a request; returns its size. */
static inline size_t rig_reply(const uint8_t *request, uint8_t reply[RIG_REPLY_MAX])
{
    unsigned address = (unsigned)request[8] << 8 | request[9], count = request[11];

    memcpy(reply, request, 8);
    reply[5] = (uint8_t)(3 + 2 * count);
    reply[8] = (uint8_t)(2 * count);
    for (unsigned i = 0; i < count; i++) {
        uint16_t value = rig_register(request[6], address + i);

        reply[9 + 2 * i] = (uint8_t)(value >> 8);
        reply[10 + 2 * i] = (uint8_t)value;
    }
    return 9 + 2 * count;
}

static inline void rig_send(int fd, const void *bytes, size_t size)
{
    ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

    (void)sent; /* whoever has gone is the test's business */
}

static inline void rig_answer(struct rig_server *server, int fd, const uint8_t *request)
{
    uint8_t reply[RIG_REPLY_MAX];

    (void)server;
    rig_send(fd, reply, rig_reply(request, reply));
}

static void rig_watch(struct rig_server *server, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    assert_int_equal(epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event), 0);
}

static void rig_accept(struct rig_server *server)
{
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC), one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    rig_watch(server, fd);
    atomic_fetch_add(&server->connections, 1);
    if (server->accepted)
        server->accepted(server, fd);
}

static void rig_hear(struct rig_server *server, int fd)
{
    uint8_t request[RIG_REQUEST_SIZE];
    ssize_t size = recv(fd, request, sizeof request, MSG_WAITALL);

    if (size != sizeof request) {
        close(fd);
        return;
    }
    atomic_fetch_add(&server->requests, 1);
    server->request(server, fd, request);
}

static void *rig_serve(void *context)
{
    struct rig_server *server = context;
    struct epoll_event events[64];

    for (;;) {
        int count = epoll_wait(server->epoll, events, 64, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == server->stop)
                return NULL;
            if (events[i].data.fd == server->listener)
                rig_accept(server);
            else
                rig_hear(server, events[i].data.fd);
        }
    }
}

static inline void rig_start(struct rig_server *server, rig_request_fn *request)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    server->request = request;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->listener, 4096), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    server->stop = eventfd(0, EFD_CLOEXEC);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    rig_watch(server, server->listener);
    rig_watch(server, server->stop);
    assert_int_equal(pthread_create(&server->thread, NULL, rig_serve, server), 0);
}

/* Connections that are still open stay so: close the engine first. */
static inline void rig_stop(struct rig_server *server)
{
    uint64_t one = 1;

    assert_int_equal(write(server->stop, &one, sizeof one), sizeof one);
    pthread_join(server->thread, NULL);
    close(server->epoll);
    close(server->listener);
    close(server->stop);
}

/* A bus, and what was published of each of its devices. */
struct rig_bus {
    struct driver_host host;
    struct driver_stats stats[RIG_DEVICES];
    struct modbus_bus_options options;
    struct modbus_device_options device_options[RIG_DEVICES];
    struct modbus_point_options point_options[RIG_DEVICES];
    struct site_point points[RIG_DEVICES];
    uint32_t streams[RIG_DEVICES];
    struct site_device devices[RIG_DEVICES];
    struct site_bus bus;
    _Atomic unsigned good[RIG_DEVICES], wrong;
};

static const struct driver_host_ops rig_host_ops; /* nothing was ever learnt */

static size_t rig_put(void *context, const struct event *events, size_t count, bool again)
{
    struct rig_bus *bus = context;

    (void)again;
    for (size_t i = 0; i < count; i++) {
        uint32_t device = events[i].stream / 2 - 1;

        if (events[i].kind != EVENT_READING || events[i].status != STATUS_GOOD)
            continue;
        if (events[i].value.u == rig_register((unsigned)bus->device_options[device].unit,
                                              (unsigned)bus->point_options[device].address))
            atomic_fetch_add(&bus->good[device], 1);
        else
            atomic_fetch_add(&bus->wrong, 1);
    }
    return count;
}

static void rig_tell(struct driver_complaints *complaints, const struct site_device *device,
                     const struct site_point *point, const char *key, const char *sentence)
{
    (void)complaints;
    (void)device;
    (void)point;
    fail_msg("%s: %s", key, sentence);
}

/* One that is empty yet; its options may be changed before rig_join. */
static inline void rig_bus(struct rig_bus *bus, uint16_t port)
{
    *bus = (struct rig_bus){
        .options = {.timeout_ns = 20 * NS_PER_S, .connect_timeout_ns = 20 * NS_PER_S}};
    bus->options.host.port = port;
    strcpy(bus->options.host.name, "127.0.0.1");
    bus->bus = (struct site_bus){.id = "bus",
                                 .driver = &driver_modbus_tcp,
                                 .devices = bus->devices,
                                 .options = &bus->options};
}

/* Reads the register at `address` each `every_ns`. */
static inline void rig_device(struct rig_bus *bus, unsigned unit, unsigned address,
                              int64_t every_ns)
{
    size_t i = bus->bus.device_count++;

    assert_true(i < RIG_DEVICES);
    bus->device_options[i] = (struct modbus_device_options){
        .unit = unit, .numbering = MODBUS_NUMBERING_0, .order = MODBUS_ABCD, .max_block = 125};
    bus->point_options[i] =
        (struct modbus_point_options){.reg = address, .bit = -1, .scale = 1, .scale_reg = -1};
    bus->points[i] =
        (struct site_point){.id = "p", .every_ns = every_ns, .options = &bus->point_options[i]};
    bus->streams[i] = (uint32_t)(2 * i + 2);
    bus->devices[i] = (struct site_device){.id = "device",
                                           .stream = (uint32_t)(2 * i + 1),
                                           .points = &bus->points[i],
                                           .point_count = 1,
                                           .streams = &bus->streams[i],
                                           .options = &bus->device_options[i]};
    bus->bus.fingerprint += unit * 1000003u * (uint64_t)NS_PER_MS;
}

static inline void rig_ready(struct rig_bus *bus)
{
    struct driver_complaints complaints = {.tell = rig_tell};

    assert_int_equal(bus->bus.driver->check(&bus->bus, &complaints), 0);
    bus->host =
        (struct driver_host){.ops = &rig_host_ops, .clock = &clock_system, .stats = bus->stats};
    assert_int_equal(sink_open(&bus->host.sink, &bus->bus, &clock_system, rig_put, bus), 0);
}

static inline void rig_join(struct rig_bus *bus, struct driver_engine *engine)
{
    rig_ready(bus);
    assert_int_equal(driver_modbus_tcp.engine->join(engine, &bus->bus, &bus->host), 0);
}

static inline void rig_leave(struct rig_bus *bus, struct driver_engine *engine)
{
    driver_modbus_tcp.engine->leave(engine, &bus->host);
    sink_close(bus->host.sink);
    assert_int_equal(bus->wrong, 0);
}

static inline struct driver_engine *rig_engine(void)
{
    struct driver_engine *engine;

    assert_int_equal(driver_modbus_tcp.engine->open(&engine, &clock_system), 0);
    return engine;
}

/* Waits until it holds. */
#define RIG_AWAIT(condition)                                                                       \
    do {                                                                                           \
        int64_t until_ns = clock_mono(&clock_system) + RIG_PATIENCE_NS;                            \
                                                                                                   \
        while (!(condition)) {                                                                     \
            assert_true(clock_mono(&clock_system) < until_ns);                                     \
            poll(NULL, 0, 2);                                                                      \
        }                                                                                          \
    } while (0)

#endif
