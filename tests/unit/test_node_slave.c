/* What a node answers, byte by byte; and which exception comes first. */
// links: sluice_node
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/core/slave.h"

#define REGISTERS 130
#define BITS      20

struct memory {
    uint16_t registers[REGISTERS];
    uint8_t bits[BITS];
    uint8_t refuse; /* what a write is refused with */
    unsigned writes;
};

static uint16_t read_register(void *context, uint16_t index)
{
    return ((struct memory *)context)->registers[index];
}

static uint16_t read_bit(void *context, uint16_t index)
{
    return ((struct memory *)context)->bits[index];
}

static uint8_t write_registers(void *context, uint16_t index, uint16_t count, const uint8_t *data)
{
    struct memory *memory = context;

    memory->writes++;
    for (unsigned i = 0; i < count && !memory->refuse; i++)
        memory->registers[index + i] = pdu_u16(data + 2 * i);
    return memory->refuse;
}

static uint8_t write_bits(void *context, uint16_t index, uint16_t count, const uint8_t *data)
{
    struct memory *memory = context;

    memory->writes++;
    for (unsigned i = 0; i < count && !memory->refuse; i++)
        memory->bits[index + i] = data[i / 8] >> i % 8 & 1;
    return memory->refuse;
}

struct device {
    struct memory memory;
    struct area areas[5];
    struct slave slave;
};

static void build(struct device *device)
{
    memset(device, 0, sizeof *device);
    for (unsigned i = 0; i < REGISTERS; i++)
        device->memory.registers[i] = (uint16_t)(0x0100 * i + 0x10 + i);
    for (unsigned i = 0; i < BITS; i++)
        device->memory.bits[i] = i % 3 == 0;
    device->areas[0] = (struct area){SLAVE_HOLDING,  100, REGISTERS, read_register, write_registers,
                                     &device->memory};
    device->areas[1] = (struct area){SLAVE_INPUT, 0, 8, read_register, NULL, &device->memory};
    device->areas[2] = (struct area){SLAVE_COILS, 0, BITS, read_bit, write_bits, &device->memory};
    device->areas[3] = (struct area){SLAVE_DISCRETE, 5, 3, read_bit, NULL, &device->memory};
    device->areas[4] = (struct area){SLAVE_HOLDING, 65535, 1, read_register, NULL, &device->memory};
    device->slave = (struct slave){.areas = device->areas,
                                   .area_count = 5,
                                   .objects = {"Sluice", "node", "1.2", NULL, NULL, "board"}};
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

struct talk {
    const char *name;
    const uint8_t *request;
    size_t request_size;
    const uint8_t *reply;
    size_t reply_size;
};

static const struct talk talks[] = {
    {"coils", BYTES(1, 0, 0, 0, 10), BYTES(1, 2, 0x49, 0x02)},
    {"discrete inputs", BYTES(2, 0, 5, 0, 3), BYTES(2, 1, 1)},
    {"holding registers", BYTES(3, 0, 101, 0, 2), BYTES(3, 4, 0x01, 0x11, 0x02, 0x12)},
    {"input registers", BYTES(4, 0, 7, 0, 1), BYTES(4, 2, 0x07, 0x17)},
    {"a coil on", BYTES(5, 0, 1, 0xFF, 0), BYTES(5, 0, 1, 0xFF, 0)},
    {"a coil off", BYTES(5, 0, 0, 0, 0), BYTES(5, 0, 0, 0, 0)},
    {"a register", BYTES(6, 0, 100, 0xAB, 0xCD), BYTES(6, 0, 100, 0xAB, 0xCD)},
    {"several coils", BYTES(15, 0, 0, 0, 9, 2, 0xFF, 1), BYTES(15, 0, 0, 0, 9)},
    {"several registers", BYTES(16, 0, 100, 0, 2, 4, 1, 2, 3, 4), BYTES(16, 0, 100, 0, 2)},
    {"the basic identification", BYTES(43, 14, 1, 0),
     BYTES(43, 14, 1, 0x82, 0, 0, 3, 0, 6, 'S', 'l', 'u', 'i', 'c', 'e', 1, 4, 'n', 'o', 'd', 'e',
           2, 3, '1', '.', '2')},
    {"the regular one from an object on that is not there", BYTES(43, 14, 2, 3),
     BYTES(43, 14, 2, 0x82, 0, 0, 1, 5, 5, 'b', 'o', 'a', 'r', 'd')},
    {"one object", BYTES(43, 14, 4, 5),
     BYTES(43, 14, 4, 0x82, 0, 0, 1, 5, 5, 'b', 'o', 'a', 'r', 'd')},
    {"a stream from behind the last object begins at the first", BYTES(43, 14, 1, 99),
     BYTES(43, 14, 1, 0x82, 0, 0, 3, 0, 6, 'S', 'l', 'u', 'i', 'c', 'e', 1, 4, 'n', 'o', 'd', 'e',
           2, 3, '1', '.', '2')},
    {"who it is, for older masters", BYTES(17),
     BYTES(17, 24, 0x53, 0xFF, ' ', 'S', 'l', 'u', 'i', 'c', 'e', ' ', 'n', 'o', 'd', 'e', ' ', '1',
           '.', '2', ' ', 'b', 'o', 'a', 'r', 'd')},
    {"who it is, with more than was asked", BYTES(17, 0), BYTES(0x91, 3)},
    {"an unknown function", BYTES(7), BYTES(0x87, 1)},
    {"another unknown function", BYTES(22, 0, 4, 0, 0xF2, 0, 0x25), BYTES(0x96, 1)},
    {"another kind of identification", BYTES(43, 13, 1, 0), BYTES(0xAB, 1)},
    {"an object that is not there", BYTES(43, 14, 4, 3), BYTES(0xAB, 2)},
    {"an object behind the last", BYTES(43, 14, 4, 7), BYTES(0xAB, 2)},
    {"no code of identification", BYTES(43, 14, 0, 0), BYTES(0xAB, 3)},
    {"a code of identification too far", BYTES(43, 14, 5, 0), BYTES(0xAB, 3)},
    {"no registers", BYTES(3, 0, 100, 0, 0), BYTES(0x83, 3)},
    {"too many registers, before the address is looked at", BYTES(3, 0xFF, 0, 0, 126),
     BYTES(0x83, 3)},
    {"too many bits", BYTES(1, 0, 0, 0x07, 0xD1), BYTES(0x81, 3)},
    {"a register before the first", BYTES(3, 0, 99, 0, 1), BYTES(0x83, 2)},
    {"registers over the end", BYTES(3, 0, 229, 0, 2), BYTES(0x83, 2)},
    {"an address that wraps", BYTES(3, 0xFF, 0xFF, 0, 2), BYTES(0x83, 2)},
    {"the last address there is", BYTES(3, 0xFF, 0xFF, 0, 1), BYTES(3, 2, 0, 0x10)},
    {"a coil that is neither on nor off", BYTES(5, 0, 1, 0xFF, 1), BYTES(0x85, 3)},
    {"a coil that is a little on", BYTES(5, 0, 1, 0, 1), BYTES(0x85, 3)},
    {"a coil that is not there", BYTES(5, 0, BITS, 0xFF, 0), BYTES(0x85, 2)},
    {"a register that cannot be written", BYTES(6, 0xFF, 0xFF, 0, 1), BYTES(0x86, 2)},
    {"a count that is not the bytes'", BYTES(16, 0, 100, 0, 2, 3, 1, 2, 3), BYTES(0x90, 3)},
    {"bytes that are not the count's", BYTES(16, 0, 100, 0, 2, 3, 1, 2, 3, 4), BYTES(0x90, 3)},
    {"fewer bytes than it says", BYTES(16, 0, 100, 0, 2, 4, 1, 2, 3), BYTES(0x90, 3)},
    {"more bytes than it says", BYTES(16, 0, 100, 0, 1, 2, 1, 2, 3), BYTES(0x90, 3)},
    {"no registers to write", BYTES(16, 0, 100, 0, 0, 0), BYTES(0x90, 3)},
    {"no coils to write", BYTES(15, 0, 0, 0, 0, 0), BYTES(0x8F, 3)},
    {"a request that is too short", BYTES(3, 0, 100), BYTES(0x83, 3)},
    {"a request that is too long", BYTES(6, 0, 100, 0, 1, 0), BYTES(0x86, 3)},
    {"a write that says nothing", BYTES(16), BYTES(0x90, 3)},
};

static void requests_are_answered_as_the_standard_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof talks / sizeof talks[0]; i++) {
        uint8_t reply[PDU_SIZE_MAX] = {0};
        struct device device;
        size_t size;

        build(&device);
        size = slave_answer(&device.slave, talks[i].request, talks[i].request_size, reply);
        if (size != talks[i].reply_size || memcmp(reply, talks[i].reply, size) != 0) {
            for (size_t j = 0; j < size; j++)
                print_message("%02x ", reply[j]);
            fail_msg("%s: %zu bytes", talks[i].name, size);
        }
        if (reply[0] & PDU_EXCEPTION)
            assert_int_equal(device.memory.writes, 0);
    }
}

static void what_was_written_is_there(void **state)
{
    uint8_t reply[PDU_SIZE_MAX];
    struct device device;

    (void)state;
    build(&device);
    slave_answer(&device.slave, BYTES(6, 0, 100, 0xAB, 0xCD), reply);
    slave_answer(&device.slave, BYTES(16, 0, 101, 0, 2, 4, 1, 2, 3, 4), reply);
    slave_answer(&device.slave, BYTES(5, 0, 1, 0xFF, 0), reply);
    slave_answer(&device.slave, BYTES(15, 0, 8, 0, 3, 1, 0x05), reply);
    assert_int_equal(device.memory.registers[0], 0xABCD);
    assert_int_equal(device.memory.registers[1], 0x0102);
    assert_int_equal(device.memory.registers[2], 0x0304);
    assert_int_equal(device.memory.bits[1], 1);
    assert_int_equal(device.memory.bits[8], 1);
    assert_int_equal(device.memory.bits[9], 0);
    assert_int_equal(device.memory.bits[10], 1);
}

static void whoever_looks_after_registers_may_refuse(void **state)
{
    uint8_t reply[PDU_SIZE_MAX];
    struct device device;

    (void)state;
    build(&device);
    device.memory.refuse = PDU_DEVICE_FAILURE;
    assert_int_equal(slave_answer(&device.slave, BYTES(6, 0, 100, 0, 1), reply), 2);
    assert_int_equal(reply[0], 0x86);
    assert_int_equal(reply[1], PDU_DEVICE_FAILURE);
}

static void the_most_that_the_protocol_allows_is_read_and_written(void **state)
{
    uint8_t reply[PDU_SIZE_MAX], write[PDU_SIZE_MAX - 1 + 1] = {16, 0, 100, 0, 123, 246};
    struct device device;

    (void)state;
    build(&device);
    assert_int_equal(slave_answer(&device.slave, BYTES(3, 0, 100, 0, 125), reply), 252);
    assert_int_equal(slave_answer(&device.slave, write, 252, reply), 5);
    assert_int_equal(device.memory.registers[122], 0);
    /* One bit more than is allowed would have room, and none of these is there: the count comes
     * first. */
    memcpy(write, (const uint8_t[]){15, 0, 0, 0x07, 0xB1, 247}, 6);
    assert_int_equal(slave_answer(&device.slave, write, 253, reply), 2);
    assert_int_equal(reply[1], PDU_ILLEGAL_VALUE);
    memcpy(write, (const uint8_t[]){15, 0, 0, 0x07, 0xB0, 246}, 6);
    assert_int_equal(slave_answer(&device.slave, write, 252, reply), 2);
    assert_int_equal(reply[1], PDU_ILLEGAL_ADDRESS);
}

/* What does not fit into one reply is asked for from where it broke off. */
static void a_long_identification_comes_in_pieces(void **state)
{
    char text[4][SLAVE_TEXT_MAX + 1];
    uint8_t reply[PDU_SIZE_MAX];
    struct device device;
    uint8_t from = 0, seen = 0;

    (void)state;
    build(&device);
    for (unsigned i = 0; i < 4; i++) {
        memset(text[i], 'a' + (int)i, SLAVE_TEXT_MAX);
        text[i][SLAVE_TEXT_MAX] = '\0';
        device.slave.objects[i < 3 ? i : 6] = text[i];
    }
    for (int i = 0; i < 10; i++) {
        size_t size = slave_answer(&device.slave, (uint8_t[]){43, 14, 2, from}, 4, reply);

        assert_true(size <= PDU_SIZE_MAX);
        seen = (uint8_t)(seen + reply[6]);
        if (reply[4] == 0)
            break;
        from = reply[5];
    }
    assert_int_equal(seen, 5);
    assert_in_range(slave_answer(&device.slave, BYTES(17), reply), 4, PDU_SIZE_MAX);
    assert_int_equal(reply[1], 2 + 1 + SLAVE_TEXT_MAX + 1 + 5); /* the first and the short one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered_as_the_standard_says),
        cmocka_unit_test(what_was_written_is_there),
        cmocka_unit_test(whoever_looks_after_registers_may_refuse),
        cmocka_unit_test(the_most_that_the_protocol_allows_is_read_and_written),
        cmocka_unit_test(a_long_identification_comes_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
