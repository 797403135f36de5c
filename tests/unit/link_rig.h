/* A link to a device that can be told to misbehave. What comes out of it is checked at each read.
 * Included by the tests that use it. */
#ifndef TESTS_LINK_RIG_H
#define TESTS_LINK_RIG_H

#include <string.h>

#include "core/error.h"
#include "field/wait.h"
#include "modbus/link.h"
#include "unit/hostile_slave.h"

#define TIMEOUT_MS 80
#define LATE_MS    240 /* so much later that a busy machine does not wake the reader behind it */
#define UNIT       7
#define COUNT      6

struct fixture {
    struct driver_host base; /* first */
    struct modbus_bus_options options;
    struct hostile_slave *slave;
    struct link *link;
    char port[64];
    int64_t timeout_ns;
    int stop_fd;
    struct link_reply reply;
};

static inline int wait_or_stop(struct driver_host *base, int fd, int64_t until_mono_ns)
{
    return wait_readable(fd, ((struct fixture *)base)->stop_fd, base->clock, until_mono_ns);
}

static const struct driver_host_ops ops = {.wait = wait_or_stop};

static inline void set_up_as(struct fixture *fixture, enum hostile_frames frames, bool network)
{
    *fixture = (struct fixture){.base = {.ops = &ops, .clock = &clock_system}};
    fixture->slave = hostile_start_as(frames, network, LATE_MS);
    fixture->stop_fd = eventfd(0, EFD_CLOEXEC);
    fixture->timeout_ns = 600 * NS_PER_MS; /* nobody else's load makes a reply late */
    fixture->options.connect_timeout_ns = NS_PER_S;
    fixture->options.host.port = fixture->slave->tcp_port;
    strcpy(fixture->options.host.name, "127.0.0.1");
    strcpy(fixture->port, fixture->slave->port);
    fixture->options.port = network ? NULL : fixture->port;
    fixture->options.ascii = frames == HOSTILE_ASCII;
    fixture->options.line =
        (struct port_settings){.baud = 115200, .data_bits = 8, .stop_bits = 1, .parity = 'N'};
    assert_int_equal((frames == HOSTILE_TCP ? link_new_tcp : link_new_line)(
                         &fixture->link, &fixture->options, &fixture->base),
                     0);
    assert_int_equal(fixture->link->ops->open(fixture->link), 0);
}

/* As Modbus TCP, or as RTU on a port. */
static inline void set_up(struct fixture *fixture, bool tcp)
{
    set_up_as(fixture, tcp ? HOSTILE_TCP : HOSTILE_RTU, tcp);
}

static inline void tear_down(struct fixture *fixture)
{
    link_free(fixture->link);
    hostile_stop(fixture->slave);
    close(fixture->stop_fd);
}

/* To a rate at which this device cannot be so quick as it is. */
static inline void slow_down(struct fixture *fixture)
{
    fixture->link->ops->close(fixture->link);
    fixture->options.line.baud = 1200;
    assert_int_equal(fixture->link->ops->open(fixture->link), 0);
}

/* Reads and checks that what comes out, if anything, is what the registers hold. */
static inline int read_registers(struct fixture *fixture, unsigned unit, unsigned address,
                                 unsigned count)
{
    struct modbus_request request = {
        .unit = (uint8_t)unit,
        .function = MODBUS_HOLDING_REGISTERS,
        .address = (uint16_t)address,
        .count = (uint16_t)count,
        .timeout_ns = fixture->timeout_ns,
    };
    int result;

    if (!fixture->link->open)
        assert_int_equal(fixture->link->ops->open(fixture->link), 0);
    result = fixture->link->ops->transact(fixture->link, &request, &fixture->reply);
    for (unsigned i = 0; result == 0 && i < count; i++) {
        const uint8_t *data = fixture->reply.data + 2 * i;

        assert_int_equal(data[0] << 8 | data[1], hostile_register(unit, address + i));
    }
    return result;
}

#endif
