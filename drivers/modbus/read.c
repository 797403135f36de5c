#include "modbus/read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "field/wait.h"
#include "modbus/decode.h"
#include "modbus/link.h"
#include "modbus/modbus.h"

struct reading {
    struct driver_complaints complaints; /* first: what is told gets a pointer to */
    const struct modbus_read *read;
    const struct driver *driver; /* NULL: no such frames */
    struct modbus_bus_options bus;
    struct modbus_device_options device;
    struct modbus_point_options point;
    struct site_point site_point;
    struct site_device site_device;
    struct site_bus site_bus;
    char *why;
    size_t why_size;
};

static int wait_alone(struct driver_host *host, int fd, int64_t until_mono_ns)
{
    return wait_readable(fd, -1, host->clock, until_mono_ns);
}

static void tell(struct driver_complaints *complaints, const struct site_device *device,
                 const struct site_point *point, const char *key, const char *sentence)
{
    struct reading *reading = (struct reading *)complaints;

    (void)device;
    (void)point;
    snprintf(reading->why, reading->why_size, "%s: %s", key, sentence);
}

static int invalid(struct reading *reading, const char *key, const char *found)
{
    snprintf(reading->why, reading->why_size, "%s: \"%s\" is unknown", key, found);
    return ERR_INVALID;
}

static int parse_texts(struct reading *reading)
{
    const struct modbus_read *read = reading->read;

    if (read->table) {
        reading->point.table = modbus_table_named(read->table);
        if (reading->point.table < 0)
            return invalid(reading, "table", read->table);
    }
    if (read->type) {
        reading->point.type = modbus_type_named(read->type);
        if (reading->point.type < 0)
            return invalid(reading, "type", read->type);
    }
    if (read->order) {
        reading->point.order = modbus_order_named(read->order);
        if (reading->point.order < 0)
            return invalid(reading, "order", read->order);
    }
    if (read->line &&
        port_parse_settings(read->line, &reading->bus.line, reading->why, reading->why_size) != 0)
        return ERR_INVALID;
    if (read->host)
        return modbus_parse_host(read->host, &reading->bus.host, reading->why, reading->why_size);
    if (!read->port) {
        snprintf(reading->why, reading->why_size, "a host or a serial port is needed");
        return ERR_INVALID;
    }
    return 0;
}

/* Which driver it would be. */
static const struct driver *driver_of(const struct modbus_read *read)
{
    if (!read->frames)
        return read->host ? &driver_modbus_tcp : &driver_modbus_rtu;
    if (strcmp(read->frames, "rtu") == 0)
        return &driver_modbus_rtu;
    if (strcmp(read->frames, "ascii") == 0)
        return &driver_modbus_ascii;
    return strcmp(read->frames, "tcp") == 0 && read->host ? &driver_modbus_tcp : NULL;
}

/* The request as a site of one point, so that it is checked by the same rules as a configuration.
 */
static int prepare(struct reading *reading)
{
    const struct modbus_read *read = reading->read;
    int64_t timeout_ns = read->timeout_ns ? read->timeout_ns : NS_PER_S;
    int error = parse_texts(reading);

    if (error)
        return error;
    if (!reading->driver)
        return invalid(reading, "frames", read->frames);
    if (read->count < 1 || read->count > MODBUS_READ_MAX || read->unit < 0 || read->unit > 255) {
        snprintf(reading->why, reading->why_size, "allowed are 1 to %d values and units 0 to 255",
                 MODBUS_READ_MAX);
        return ERR_INVALID;
    }
    reading->bus.port = read->port;
    reading->bus.echo = read->echo;
    reading->bus.timeout_ns = reading->bus.connect_timeout_ns = timeout_ns;
    reading->device.unit = read->unit;
    reading->device.numbering = read->table ? MODBUS_NUMBERING_0 : MODBUS_NUMBERING_40001;
    reading->device.order = MODBUS_ABCD;
    reading->device.max_block = MODBUS_REGISTERS_MAX;
    reading->point.reg = read->reg;
    reading->point.bit = reading->point.scale_reg = -1;
    reading->point.length = read->length;
    reading->point.scale = 1;
    reading->site_point.options = &reading->point;
    reading->site_device.options = &reading->device;
    reading->site_device.points = &reading->site_point;
    reading->site_device.point_count = 1;
    reading->site_bus.options = &reading->bus;
    reading->site_bus.devices = &reading->site_device;
    reading->site_bus.device_count = 1;
    reading->complaints.tell = tell;
    error = reading->driver->check(&reading->site_bus, &reading->complaints);
    if (!error && reading->point.address + reading->point.count * read->count > 65536) {
        snprintf(reading->why, reading->why_size, "goes beyond the last register");
        error = ERR_INVALID;
    }
    return error ? ERR_INVALID : 0;
}

static void explain(struct reading *reading, int error, uint8_t exception)
{
    uint16_t status = link_read_status(error, exception);

    snprintf(reading->why, reading->why_size, "unit %" PRId64 ": %s: %s", reading->read->unit,
             status_why(status), status_help(status));
}

static void hand_over(const struct reading *reading, const struct link_reply *reply, unsigned first,
                      unsigned values, modbus_read_fn *each, void *context)
{
    const struct modbus_point_options *point = &reading->point;
    char text[MODBUS_TEXT_SIZE_MAX];

    for (unsigned i = 0; i < values; i++) {
        struct value value;
        uint16_t status = modbus_decode(point, reply->data, i * point->count, text, &value);

        if (status != STATUS_GOOD)
            value.type = VALUE_NONE;
        each(context, point->reg + (int64_t)(first + i) * point->count, &value, status);
    }
}

static int read_all(struct reading *reading, struct link *link, modbus_read_fn *each, void *context)
{
    const struct modbus_point_options *point = &reading->point;
    unsigned most =
        point->function <= MODBUS_DISCRETE_INPUTS ? MODBUS_BITS_MAX : MODBUS_REGISTERS_MAX;
    unsigned total = (unsigned)reading->read->count, values = most / point->count;

    for (unsigned first = 0; first < total; first += values) {
        struct link_reply reply;
        struct modbus_request request = {
            .unit = (uint8_t)reading->device.unit,
            .function = point->function,
            .address = (uint16_t)(point->address + first * point->count),
            .timeout_ns = reading->bus.timeout_ns,
        };
        int error;

        if (values > total - first)
            values = total - first;
        request.count = (uint16_t)(values * point->count);
        error = link->ops->transact(link, &request, &reply);
        if (error) {
            explain(reading, error, reply.exception);
            return error;
        }
        hand_over(reading, &reply, first, values, each, context);
    }
    return 0;
}

int modbus_read_once(const struct modbus_read *read, modbus_read_fn *each, void *context, char *why,
                     size_t why_size)
{
    static const struct driver_host_ops ops = {.wait = wait_alone};
    struct driver_host host = {.ops = &ops, .clock = &clock_system};
    struct reading reading = {
        .read = read, .driver = driver_of(read), .why = why, .why_size = why_size};
    struct link *link;
    int error = prepare(&reading);

    if (error)
        return error;
    error = reading.driver == &driver_modbus_tcp ? link_new_tcp(&link, &reading.bus, &host)
                                                 : link_new_line(&link, &reading.bus, &host);
    if (error) {
        snprintf(why, why_size, "%s", error_text(error));
        return error;
    }
    error = link->ops->open(link);
    if (error)
        snprintf(why, why_size, "%s", link->why);
    else
        error = read_all(&reading, link, each, context);
    link_free(link);
    return error;
}
