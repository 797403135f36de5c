#include "modbus/write.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/status.h"

static const struct modbus_point_options *options_of(const struct modbus_write *write)
{
    return write->point->options;
}

static const struct modbus_device_options *device_of(const struct modbus_write *write)
{
    return write->device->options;
}

static bool is_coil(const struct modbus_point_options *point)
{
    return point->function == MODBUS_COILS;
}

/* Only a bit, some bits or a byte of its register. */
static bool is_part(const struct modbus_write *write)
{
    return write->mask[0] != 0 || write->mask[1] != 0;
}

const char *modbus_write_refusal(const struct modbus_point_options *point)
{
    if (point->function != MODBUS_COILS && point->function != MODBUS_HOLDING_REGISTERS)
        return "only coils and holding registers can be written";
    if (point->scale_by != MODBUS_SCALE_FIXED)
        return "a point that another register scales cannot be written";
    if (point->bits > 0 && point->size > 2)
        return "bits of a number of more than one register cannot be written";
    return NULL;
}

bool modbus_can_write(const struct site_device *device, const struct site_point *point,
                      const struct value *value, char *why, size_t why_size)
{
    const struct modbus_point_options *options = point->options;
    uint8_t registers[ENCODE_SIZE_MAX];

    const char *refusal = modbus_write_refusal(options);

    (void)device;
    if (refusal) {
        snprintf(why, why_size, "%s", refusal);
        return false;
    }
    return modbus_encode(options, value, registers, why, why_size);
}

void modbus_write_begin(struct modbus_write *write, const struct site_device *device,
                        const struct site_point *point, const struct value *value)
{
    const struct modbus_point_options *options = point->options;
    char why[8];

    *write = (struct modbus_write){.device = device, .point = point, .stage = WRITE_WRITES};
    if (!modbus_encode(options, value, write->registers, why, sizeof why)) {
        write->status = STATUS_VALUE_REFUSED;
        write->stage = WRITE_DONE;
        return;
    }
    if (modbus_encode_part(options, write->mask) &&
        device_of(write)->bit_write == MODBUS_BIT_REWRITE)
        write->stage = WRITE_READS_FIRST;
}

static void ask_to_read(const struct modbus_write *write, struct modbus_request *request)
{
    const struct modbus_point_options *point = options_of(write);

    request->function = point->function;
    request->address = point->address;
    request->count = point->count;
}

static void ask_to_write_coil(struct modbus_write *write, struct modbus_request *request)
{
    bool many = device_of(write)->write_function == MODBUS_WRITE_MULTIPLE;

    request->function = many ? PDU_WRITE_COILS : PDU_WRITE_COIL;
    write->data[0] = many ? write->registers[0] : write->registers[0] ? 0xFF : 0;
    write->data[1] = 0;
    request->data_size = many ? 1 : 2;
}

/* Modbus application protocol 1.1b3, 6.16: register = (register AND and) OR (or AND NOT and). */
static void ask_to_mask(struct modbus_write *write, struct modbus_request *request)
{
    request->function = PDU_MASK_REGISTER;
    request->data_size = 4;
    for (int i = 0; i < 2; i++) {
        write->data[i] = (uint8_t)~write->mask[i];
        write->data[2 + i] = write->registers[i];
    }
}

static void ask_to_write_registers(struct modbus_write *write, struct modbus_request *request)
{
    bool many = request->count > 1 || device_of(write)->write_function == MODBUS_WRITE_MULTIPLE;

    request->function = many ? PDU_WRITE_REGISTERS : PDU_WRITE_REGISTER;
    request->data_size = (uint8_t)(2 * request->count);
    memcpy(write->data, write->registers, request->data_size);
}

static void ask_to_write(struct modbus_write *write, struct modbus_request *request)
{
    const struct modbus_point_options *point = options_of(write);

    request->address = point->address;
    request->count = point->count;
    request->data = write->data;
    if (is_coil(point))
        ask_to_write_coil(write, request);
    else if (is_part(write) && device_of(write)->bit_write == MODBUS_BIT_MASK)
        ask_to_mask(write, request);
    else
        ask_to_write_registers(write, request);
}

bool modbus_write_next(struct modbus_write *write, struct modbus_request *request)
{
    *request = (struct modbus_request){0};
    if (write->stage == WRITE_DONE)
        return false;
    if (write->stage == WRITE_WRITES)
        ask_to_write(write, request);
    else
        ask_to_read(write, request);
    return true;
}

/* The other bits of the register stay as they were read. */
static void take_register_before(struct modbus_write *write, int result,
                                 const struct link_reply *reply)
{
    write->status = link_read_status(result, reply->exception);
    write->stage = result == 0 ? WRITE_WRITES : WRITE_DONE;
    for (int i = 0; result == 0 && i < 2; i++)
        write->registers[i] |= (uint8_t)(reply->data[i] & ~write->mask[i]);
}

static void take_acknowledgement(struct modbus_write *write, int result,
                                 const struct link_reply *reply)
{
    /* An exception says that nothing was written; a lost answer or connection says nothing. */
    bool unclear = result != ERR_EXCEPTION && reply->requests > 0;

    write->acknowledged = result == 0;
    write->status = link_read_status(result, reply->exception);
    write->stage =
        (result == 0 || unclear) && write->point->write.verify ? WRITE_READS_BACK : WRITE_DONE;
}

/* Whether the registers hold what was written; of a bit: whether it does. */
static bool holds_what_was_written(const struct modbus_write *write, const uint8_t *data)
{
    const struct modbus_point_options *point = options_of(write);
    struct value wanted;
    char text[MODBUS_TEXT_SIZE_MAX];

    if (is_coil(point))
        return (data[0] & 1) == write->registers[0];
    if (is_part(write))
        return ((data[0] ^ write->registers[0]) & write->mask[0]) == 0 &&
               ((data[1] ^ write->registers[1]) & write->mask[1]) == 0;
    if (memcmp(data, write->registers, 2u * point->count) == 0)
        return true;
    /* The same in another form: minus zero, a text filled up with blanks. */
    return write->have_value &&
           modbus_decode(point, write->registers, 0, text, &wanted) == STATUS_GOOD &&
           (value_equal(&wanted, &write->value) ||
            (wanted.type == VALUE_F64 && wanted.f == write->value.f));
}

static void take_read_back(struct modbus_write *write, int result, const struct link_reply *reply)
{
    write->stage = WRITE_DONE;
    if (result != 0) {
        /* Unacknowledged, the write's own status stays: nobody knows. */
        if (write->acknowledged)
            write->status = STATUS_NOT_VERIFIED;
        return;
    }
    write->mono_ns = reply->mono_ns;
    write->have_value =
        modbus_decode(options_of(write), reply->data, 0, write->text, &write->value) == STATUS_GOOD;
    if (holds_what_was_written(write, reply->data))
        write->status = STATUS_GOOD;
    else if (write->acknowledged)
        write->status = STATUS_DIFFERS;
}

void modbus_write_take(struct modbus_write *write, int result, const struct link_reply *reply)
{
    switch (write->stage) {
    case WRITE_READS_FIRST:
        take_register_before(write, result, reply);
        break;
    case WRITE_WRITES:
        take_acknowledgement(write, result, reply);
        break;
    case WRITE_READS_BACK:
        take_read_back(write, result, reply);
        break;
    case WRITE_DONE:
        break;
    }
}
