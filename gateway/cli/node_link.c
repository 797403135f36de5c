#include "cli/node_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/find_config.h"
#include "core/error.h"
#include "daemon/gateway.h"
#include "field/wait.h"
#include "modbus/modbus.h"

#define SLICE_MS  400
#define PAUSE_MS  600
#define LEASE_MS  1500 /* the gateway calls no device down for so short a time */
#define REPLY_NS  (500 * NS_PER_MS)
#define AGAIN_NS  (600 * NS_PER_MS)
#define BYTES_MAX 512 /* a request and its reply */

/* Of the line behind a device server, where nobody says which it is: the slowest that is usual. */
static const struct port_settings behind_host = {
    .baud = 9600, .data_bits = 8, .parity = 'E', .stop_bits = 1};

/* A device of the configuration. */
static int load_device(struct node_link *link, const char *id, const struct node_flags *flags)
{
    const struct site_device *device;
    const struct site_bus *bus;
    int code;

    if (flags->unit || flags->line || flags->frames) {
        fprintf(stderr,
                "%s: --unit, --line and --frames go with a port (/dev/ttyUSB0) or a host "
                "(10.0.7.20:502); of a device of the configuration they stand there\n",
                link->command);
        return EXIT_CODE_USAGE;
    }
    code = find_config(&link->config, &link->parts, flags->config, flags->socket, link->command);

    if (code != EXIT_CODE_OK)
        return code;
    if (!find_device(link->config, id, link->command, &bus, &device)) {
        fprintf(stderr, "A node that is not configured is named by its port (/dev/ttyUSB0) or its "
                        "device server (10.0.7.20:502) and --unit\n");
        return EXIT_CODE_USAGE;
    }
    if (strncmp(bus->driver->name, "modbus", 6) != 0) {
        fprintf(stderr, "%s: device %s does not speak Modbus\n", link->command, id);
        return EXIT_CODE_USAGE;
    }
    link->device = device->id;
    link->driver = bus->driver;
    link->options = bus->options;
    link->unit = (uint8_t)((const struct modbus_device_options *)device->options)->unit;
    return EXIT_CODE_OK;
}

static int name_place(struct node_link *link, const char *operand, const struct node_flags *flags)
{
    bool is_port = bench_is_port(operand);
    const struct modbus_read read = {.port = is_port ? operand : NULL,
                                     .host = is_port ? NULL : operand,
                                     .frames = flags->frames,
                                     .line = flags->line ? flags->line
                                             : is_port   ? "9600 8E1"
                                                         : NULL};
    int64_t unit = 1;

    if (!bench_number(flags->unit, link->command, "unit", 1, 247, &unit))
        return EXIT_CODE_USAGE;
    link->unit = (uint8_t)unit;
    if (ask_line(&read, &link->own, &link->driver, link->why, sizeof link->why) != 0) {
        fprintf(stderr, "%s: %s\n", link->command, link->why);
        return EXIT_CODE_USAGE;
    }
    link->options = &link->own;
    return EXIT_CODE_OK;
}

/* A device's id has neither a dot nor a colon, a host one of them at least: localhost:502. */
static bool is_place(const char *operand)
{
    return bench_is_port(operand) || strpbrk(operand, ".:");
}

int node_link_open(struct node_link *link, const char *operand, const struct node_flags *flags,
                   const char *command)
{
    int64_t slice_ms = SLICE_MS, pause_ms = PAUSE_MS;
    int code;

    *link = (struct node_link){.command = command, .bench = {.stop_fd = -1}};
    if (!bench_number(flags->slice, command, "slice", 50, 1000, &slice_ms) ||
        !bench_number(flags->pause, command, "pause", 0, 60000, &pause_ms))
        return EXIT_CODE_USAGE;
    link->slice_ns = slice_ms * NS_PER_MS;
    link->pause_ns = pause_ms * NS_PER_MS;
    code = is_place(operand) ? name_place(link, operand, flags) : load_device(link, operand, flags);
    if (code)
        return code;
    if (link->options->port)
        snprintf(link->place, sizeof link->place, "%s", link->options->port);
    else
        snprintf(link->place, sizeof link->place, "%s:%u", link->options->host.name,
                 (unsigned)link->options->host.port);
    link->borrow = (struct borrow){.socket = flags->socket,
                                   .port = link->place,
                                   .by = command,
                                   .for_ms = LEASE_MS,
                                   .quiet = true};
    link->told = (struct told){.socket = flags->socket, .of = link->device, .by = command};
    if (bench_open(&link->bench) != 0)
        return EXIT_CODE_SYSTEM;
    return EXIT_CODE_OK;
}

void node_link_close(struct node_link *link)
{
    node_link_release(link);
    bench_close(&link->bench);
    config_free(link->config);
    link->config = NULL;
}

void node_link_release(struct node_link *link)
{
    ask_close(link->ask);
    link->ask = NULL;
    link->bench.borrow = NULL;
    borrow_return(&link->borrow);
}

int node_link_pause(struct node_link *link, int64_t for_ns)
{
    node_link_release(link);
    if (!told_keep(&link->told))
        return ERR_CLOSED;
    return wait_readable(-1, link->bench.stop_fd, &clock_system,
                         clock_mono(&clock_system) + for_ns);
}

/* The line is ours for the next frame: as it is, or after the gateway had its time. */
static int take_line(struct node_link *link)
{
    bool borrowed = link->borrow.bus[0] != '\0';
    int error = 0;

    link->why[0] = '\0';
    if (link->ask && borrowed && clock_mono(&clock_system) > link->slice_end_ns)
        error = node_link_pause(link, link->pause_ns);
    if (link->ask || error == ERR_CLOSED)
        return error;
    if (borrow_port(&link->borrow) != EXIT_CODE_OK) {
        snprintf(link->why, sizeof link->why, "the gateway keeps the line");
        return ERR_BUSY;
    }
    link->slice_end_ns = clock_mono(&clock_system) + link->slice_ns;
    link->bench.borrow = &link->borrow;
    error = ask_open(&link->ask, link->driver, link->options, &link->bench.host, link->why,
                     sizeof link->why);
    if (error)
        node_link_release(link);
    return error;
}

/* 6, 10 and 11 are a device server's: it is busy, or nobody behind it answers. Of the node they say
 * no more than silence does. */
static bool is_servers(uint8_t exception)
{
    return exception == 6 || exception == 10 || exception == 11;
}

static int transact(struct node_link *link, const struct modbus_request *request,
                    struct link_reply *reply)
{
    int error = take_line(link);

    if (error)
        return error;
    error = ask_read(link->ask, request, reply);
    link->exception = error == ERR_EXCEPTION ? reply->exception : 0;
    if (is_servers(link->exception))
        error = ERR_TIMEOUT;
    if (error == ERR_IO && !link->options->port) {
        /* A device server that has one connection at a time may not have noticed that the last one
         * is over, and hangs up: it is asked again, as where a reply was lost. */
        error = node_link_pause(link, AGAIN_NS);
        return error == ERR_CLOSED ? error : ERR_TIMEOUT;
    }
    if (error && *ask_why(link->ask))
        snprintf(link->why, sizeof link->why, "%s", ask_why(link->ask));
    return error;
}

static int64_t patience_ns(const struct node_link *link, int64_t more_ns)
{
    const struct modbus_bus_options *bus = link->options;
    int64_t reply_ns = bus->timeout_ns < REPLY_NS ? REPLY_NS : bus->timeout_ns;

    return reply_ns + more_ns +
           BYTES_MAX * port_byte_ns(bus->line.baud ? &bus->line : &behind_host);
}

int node_link_ask(struct node_link *link, uint8_t function, uint16_t address, unsigned count,
                  uint16_t *values, int tries)
{
    const struct modbus_request request = {.unit = link->unit,
                                           .function = function,
                                           .address = address,
                                           .count = (uint16_t)count,
                                           .timeout_ns = patience_ns(link, 0)};
    struct link_reply reply;
    int error = ERR_TIMEOUT;

    while (tries-- > 0 && error && error != ERR_EXCEPTION && error != ERR_CLOSED && !link->why[0])
        error = transact(link, &request, &reply);
    for (unsigned i = 0; i < count && !error; i++)
        values[i] = (uint16_t)(reply.data[2 * i] << 8 | reply.data[2 * i + 1]);
    return error;
}

int node_link_read(struct node_link *link, unsigned index, unsigned count, uint16_t *values,
                   int tries)
{
    link->why[0] = '\0';
    return node_link_ask(link, MODBUS_HOLDING_REGISTERS, (uint16_t)(UPDATE_FIRST + index), count,
                         values, tries);
}

int node_link_write(struct node_link *link, unsigned index, const uint8_t *data, size_t size,
                    int64_t timeout_ms)
{
    const struct modbus_request request = {.unit = link->unit,
                                           .function = PDU_WRITE_REGISTERS,
                                           .address = (uint16_t)(UPDATE_FIRST + index),
                                           .count = (uint16_t)(size / 2),
                                           .data = data,
                                           .data_size = (uint8_t)size,
                                           .timeout_ns = patience_ns(link, timeout_ms * NS_PER_MS)};
    struct link_reply reply;

    return transact(link, &request, &reply);
}

int node_link_tell(const struct node_link *link, int error)
{
    if (error == ERR_CLOSED)
        fprintf(stderr, "%s: stopped; say it again to go on\n", link->command);
    else if (link->why[0])
        fprintf(stderr, "%s: %s\n", link->command, link->why);
    else if (error == ERR_EXCEPTION && link->exception == 2)
        fprintf(stderr,
                "%s: this device has no window for updates: it is no node of ours, or its firmware "
                "stands alone, without a boot loader\n",
                link->command);
    else if (error == ERR_EXCEPTION)
        fprintf(stderr, "%s: the node answers with exception %u\n", link->command,
                (unsigned)link->exception);
    else if (link->exception)
        fprintf(stderr,
                "%s: unit %u does not answer: the device server at %s says so (exception %u)\n",
                link->command, (unsigned)link->unit, link->place, (unsigned)link->exception);
    else
        fprintf(stderr, "%s: unit %u at %s does not answer (%s). sluice scan %s shows who does\n",
                link->command, (unsigned)link->unit, link->place, error_text(error), link->place);
    return bench_exit_code(error);
}
