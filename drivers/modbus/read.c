#include "modbus/read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/status.h"
#include "modbus/advice.h"
#include "modbus/ask.h"
#include "modbus/decode.h"

struct reading {
    struct driver_complaints complaints; /* first: what is told gets a pointer to */
    const struct modbus_read *read;
    const struct driver *driver;
    struct modbus_bus_options bus;
    struct modbus_device_options device;
    struct modbus_point_options point;
    struct site_point site_point;
    struct site_device site_device;
    struct site_bus site_bus;
    char *why;
    size_t why_size;
};

static void tell(struct driver_complaints *complaints, const struct site_device *device,
                 const struct site_point *point, const char *key, const char *sentence)
{
    struct reading *reading = (struct reading *)(void *)complaints;

    (void)device;
    (void)point;
    snprintf(reading->why, reading->why_size, "%s: %s", key, sentence);
}

static int parse_choice(struct reading *reading, const char *key, const char *name, int *value)
{
    char why[384];
    int error = name ? modbus_point_choice(key, name, value, why, sizeof why) : 0;

    if (error)
        snprintf(reading->why, reading->why_size, "%s: %s", key, why);
    return error;
}

static int parse_texts(struct reading *reading)
{
    const struct modbus_read *read = reading->read;
    struct modbus_point_options *point = &reading->point;

    if (parse_choice(reading, "table", read->table, &point->table) != 0 ||
        parse_choice(reading, "type", read->type, &point->type) != 0 ||
        parse_choice(reading, "order", read->order, &point->order) != 0)
        return ERR_INVALID;
    return 0;
}

/* The request as a site of one point, so that it is checked by the same rules as a configuration.
 */
static int prepare(struct reading *reading)
{
    const struct modbus_read *read = reading->read;
    int error = ask_line(read, &reading->bus, &reading->driver, reading->why, reading->why_size);

    if (!error)
        error = parse_texts(reading);
    if (error)
        return error;
    if (read->count < 1 || read->count > MODBUS_READ_MAX || read->unit < 0 || read->unit > 255) {
        snprintf(reading->why, reading->why_size, "allowed are 1 to %d values and units 0 to 255",
                 MODBUS_READ_MAX);
        return ERR_INVALID;
    }
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
    reading->site_bus.driver = reading->driver;
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
    char advice[ADVICE_SIZE];

    if (error == ERR_CLOSED)
        snprintf(reading->why, reading->why_size, "stopped");
    else
        snprintf(reading->why, reading->why_size, "unit %" PRId64 ": %s: %s", reading->read->unit,
                 status_why(status), advice_for(&reading->site_bus, status, advice));
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

static int read_all(struct reading *reading, struct ask *ask, modbus_read_fn *each, void *context)
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
        error = ask_read(ask, &request, &reply);
        if (error) {
            explain(reading, error, reply.exception);
            return error;
        }
        hand_over(reading, &reply, first, values, each, context);
    }
    return 0;
}

int modbus_read_check(const struct modbus_read *read, char *why, size_t why_size)
{
    struct reading reading = {.read = read, .why = why, .why_size = why_size};

    return prepare(&reading);
}

int modbus_read_once(const struct modbus_read *read, modbus_read_fn *each, void *context, char *why,
                     size_t why_size)
{
    struct reading reading = {.read = read, .why = why, .why_size = why_size};
    struct ask *ask = NULL;
    int error = prepare(&reading);

    if (!error)
        error = ask_open(&ask, reading.driver, &reading.bus, read->waits, why, why_size);
    if (!error)
        error = read_all(&reading, ask, each, context);
    ask_close(ask);
    return error;
}

/* Even, so that devices which refuse half a value are not halved for that. */
#define REGISTERS_AT_ONCE 64
#define TRIES_MAX         3

struct modbus_registers {
    struct reading reading;
    struct modbus_read read; /* a u16 each */
    struct ask *ask;
};

/* `each` becomes the question for one of them. */
static int prepare_registers(struct reading *reading, struct modbus_read *each, char *why,
                             size_t why_size)
{
    int error;

    each->type = each->order = NULL;
    each->length = 0;
    *reading = (struct reading){.read = each, .why = why, .why_size = why_size};
    error = prepare(reading);
    if (!error && reading->point.function <= MODBUS_DISCRETE_INPUTS) {
        snprintf(why, why_size, "bits mean one thing only: this is for registers");
        error = ERR_INVALID;
    }
    return error;
}

int modbus_registers_check(const struct modbus_read *read, char *why, size_t why_size)
{
    struct modbus_read each = *read;
    struct reading reading;

    return prepare_registers(&reading, &each, why, why_size);
}

int modbus_registers_open(struct modbus_registers **out, const struct modbus_read *read, char *why,
                          size_t why_size)
{
    struct modbus_registers *made = calloc(1, sizeof *made);
    int error;

    snprintf(why, why_size, "%s", error_text(ERR_NOMEM));
    if (!made)
        return ERR_NOMEM;
    made->read = *read;
    error = prepare_registers(&made->reading, &made->read, why, why_size);
    if (!error)
        error = ask_open(&made->ask, made->reading.driver, &made->reading.bus, read->waits, why,
                         why_size);
    if (error) {
        modbus_registers_close(made);
        return error;
    }
    *out = made;
    return 0;
}

void modbus_registers_close(struct modbus_registers *registers)
{
    if (!registers)
        return;
    ask_close(registers->ask);
    free(registers);
}

void modbus_registers_place(const struct modbus_registers *registers, uint8_t *function,
                            uint16_t *address)
{
    *function = registers->reading.point.function;
    *address = registers->reading.point.address;
}

static bool is_refused(int error, uint8_t exception)
{
    return error == ERR_EXCEPTION && (exception == 2 || exception == 3);
}

/* A damaged answer among many questions is no reason to begin anew. */
static int ask_again(struct ask *ask, const struct modbus_request *request,
                     struct link_reply *reply)
{
    int error = ERR_CHECKSUM;

    for (int i = 0; i < TRIES_MAX && (error == ERR_CHECKSUM || error == ERR_PROTOCOL); i++)
        error = ask_read(ask, request, reply);
    return error;
}

/* At most log2(REGISTERS_AT_ONCE) deep. */
static int read_part(struct modbus_registers *registers, unsigned first, unsigned count,
                     uint8_t *data, bool *there)
{
    struct reading *reading = &registers->reading;
    struct link_reply reply;
    struct modbus_request request = {
        .unit = (uint8_t)reading->device.unit,
        .function = reading->point.function,
        .address = (uint16_t)(reading->point.address + first),
        .count = (uint16_t)count,
        .timeout_ns = reading->bus.timeout_ns,
    };
    int error = ask_again(registers->ask, &request, &reply);

    if (error == 0) {
        memcpy(data + 2 * (size_t)first, reply.data, 2 * (size_t)count);
        return 0;
    }
    if (!is_refused(error, reply.exception)) {
        if (*ask_why(registers->ask))
            snprintf(reading->why, reading->why_size, "%s", ask_why(registers->ask));
        else
            explain(reading, error, reply.exception);
        return error;
    }
    if (count == 1) {
        there[first] = false;
        return 0;
    }
    unsigned half = count / 2 + (count > 2 && count / 2 % 2);
    error = read_part(registers, first, half, data, there);
    return error ? error : read_part(registers, first + half, count - half, data, there);
}

int modbus_registers_read(struct modbus_registers *registers, uint8_t *data, bool *there, char *why,
                          size_t why_size)
{
    unsigned total = (unsigned)registers->read.count;
    int error = 0;

    registers->reading.why = why;
    registers->reading.why_size = why_size;
    for (unsigned first = 0, count; first < total && !error; first += count) {
        count = 1;
        if (!there[first])
            continue;
        while (count < REGISTERS_AT_ONCE && first + count < total && there[first + count])
            count++;
        error = read_part(registers, first, count, data, there);
    }
    return error;
}
