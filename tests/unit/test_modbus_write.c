/* Values to registers, and the requests that write them: what decode.h makes of what was written is
 * what was to be written, or nothing is sent. */
// links: driver_modbus
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/status.h"
#include "modbus/write.h"

struct rig {
    struct modbus_point_options options;
    struct modbus_device_options device_options;
    struct site_point point;
    struct site_device device;
    struct modbus_write write;
    struct modbus_request request;
};

static void prepare(struct rig *rig, const struct modbus_point_options *options)
{
    enum value_type type;

    *rig = (struct rig){.options = *options};
    if (!rig->options.function)
        rig->options.function = MODBUS_HOLDING_REGISTERS;
    if (rig->options.scale == 0)
        rig->options.scale = 1;
    rig->options.address = 100;
    modbus_decode_prepare(&rig->options, MODBUS_ABCD, &type, &rig->point.decimals);
    rig->point.type = (uint8_t)type;
    rig->point.options = &rig->options;
    rig->point.write = (struct site_write){.allowed = true, .verify = true};
    rig->device.options = &rig->device_options;
    rig->device.points = &rig->point;
    rig->device.point_count = 1;
}

static void comes_back(struct rig *rig, const struct value *value)
{
    uint8_t registers[ENCODE_SIZE_MAX];
    char text[MODBUS_TEXT_SIZE_MAX], why[240] = "";
    struct value read;

    if (!modbus_encode(&rig->options, value, registers, why, sizeof why))
        fail_msg("type %d order %d: %s", rig->options.type, rig->options.order, why);
    assert_int_equal(modbus_decode(&rig->options, registers, 0, text, &read), STATUS_GOOD);
    if (!value_equal(&read, value))
        fail_msg("type %d order %d: another value came back", rig->options.type,
                 rig->options.order);
}

static void what_is_written_is_what_is_read_in_every_type_and_order(void **state)
{
    static const int orders[][15] = {
        [2] = {MODBUS_AB, MODBUS_BA},
        [4] = {MODBUS_ABCD, MODBUS_CDAB, MODBUS_BADC, MODBUS_DCBA},
        [8] = {MODBUS_ABCDEFGH, MODBUS_GHEFCDAB, MODBUS_BADCFEHG, MODBUS_HGFEDCBA, MODBUS_EFGHABCD,
               MODBUS_CDABGHEF, MODBUS_FEHGBADC, MODBUS_DCBAHGFE},
    };
    static const struct {
        int type, size, bits; /* of the number; negative: with sign */
    } types[] = {
        {MODBUS_U8, 2, 8},   {MODBUS_I8, 2, -8},   {MODBUS_U16, 2, 16}, {MODBUS_I16, 2, -16},
        {MODBUS_U32, 4, 32}, {MODBUS_I32, 4, -32}, {MODBUS_U64, 8, 64}, {MODBUS_I64, 8, -64},
    };
    uint64_t random = 88172645463325252u;

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        for (const int *order = orders[types[i].size]; *order; order++) {
            struct rig rig;

            prepare(&rig, &(struct modbus_point_options){
                              .type = types[i].type, .order = *order, .bit = -1});
            for (int round = 0; round < 200; round++) {
                unsigned unused = 64u - (unsigned)abs(types[i].bits);
                struct value value = {.type = rig.point.type};

                random ^= random << 13, random ^= random >> 7, random ^= random << 17;
                if (types[i].bits < 0)
                    value.i = (int64_t)(random << unused) >> unused;
                else
                    value.u = random << unused >> unused;
                comes_back(&rig, &value);
            }
        }
    }
}

static void singles_and_doubles_come_back_in_every_order(void **state)
{
    static const double numbers[] = {0, 1.25, -1.25, 230.125, 1e-30, -1e30, 16777216};
    static const int orders[] = {MODBUS_ABCD, MODBUS_CDAB, MODBUS_BADC, MODBUS_DCBA};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        for (size_t j = 0; j < 4; j++) {
            struct rig rig;
            struct value value = {.type = VALUE_F64, .f = (double)(float)numbers[i]};

            prepare(&rig, &(struct modbus_point_options){
                              .type = MODBUS_F32, .order = orders[j], .bit = -1});
            comes_back(&rig, &value);
            prepare(&rig, &(struct modbus_point_options){
                              .type = MODBUS_F64, .order = MODBUS_GHEFCDAB, .bit = -1});
            comes_back(&rig, &value);
        }
    }
}

/* Each raw number of 16 bits, by each of these scales: its value writes it again. */
static void every_value_that_was_read_can_be_written(void **state)
{
    static const struct {
        double scale, offset;
    } scales[] = {{0.1, 0}, {0.01, -40}, {-0.5, 12.5}, {3, 1}, {1.0 / 3, 0}, {0.0625, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        struct rig rig;

        prepare(&rig, &(struct modbus_point_options){.type = MODBUS_I16,
                                                     .bit = -1,
                                                     .scale = scales[i].scale,
                                                     .offset = scales[i].offset});
        for (int raw = INT16_MIN; raw <= INT16_MAX; raw++) {
            uint8_t registers[2] = {(uint8_t)(raw >> 8), (uint8_t)raw};
            char text[MODBUS_TEXT_SIZE_MAX];
            struct value value;

            modbus_decode(&rig.options, registers, 0, text, &value);
            comes_back(&rig, &value);
        }
    }
}

static void texts_come_back(void **state)
{
    static const char *const texts[] = {"", "a", "Kessel 1", "\xC3\xA4\xC3\xB6"};
    static const int types[] = {MODBUS_STRING, MODBUS_WIDE_STRING};
    static const int orders[] = {MODBUS_AB, MODBUS_BA};

    (void)state;
    for (size_t i = 0; i < 16; i++) {
        struct rig rig;
        struct value value = {.type = VALUE_TEXT, .data = texts[i / 4]};

        value.size = (uint16_t)strlen(texts[i / 4]);
        prepare(&rig,
                &(struct modbus_point_options){
                    .type = types[i % 2], .order = orders[i / 2 % 2], .bit = -1, .length = 8});
        comes_back(&rig, &value);
    }
}

static void refuses_what_the_registers_cannot_hold(void **state)
{
    static const double na[] = {-32768};
    static const struct {
        struct modbus_point_options point;
        struct value value;
        const char *words;
    } cases[] = {
        {{.type = MODBUS_U16, .bit = -1}, {.type = VALUE_U64, .u = 65536}, "0 to 65535"},
        {{.type = MODBUS_I16, .bit = -1}, {.type = VALUE_I64, .i = -32769}, "-32768 to 32767"},
        {{.type = MODBUS_I8, .bit = -1}, {.type = VALUE_I64, .i = 128}, "-128 to 127"},
        {{.type = MODBUS_U16, .bit = 4, .bits = 3}, {.type = VALUE_U64, .u = 8}, "0 to 7"},
        {{.type = MODBUS_I16, .bit = -1, .scale = 0.1},
         {.type = VALUE_F64, .f = 21.55},
         "21.5 and 21.6"},
        {{.type = MODBUS_I16, .bit = -1, .scale = 0.1},
         {.type = VALUE_F64, .f = 3276.8},
         "-3276.8 to 3276.7"},
        {{.type = MODBUS_U16, .bit = -1, .scale = -1}, {.type = VALUE_F64, .f = 1}, "-65535 to 0"},
        {{.type = MODBUS_F32, .bit = -1}, {.type = VALUE_F64, .f = 1e39}, "so large"},
        {{.type = MODBUS_I16, .bit = -1, .na = {na, 1}},
         {.type = VALUE_I64, .i = -32768},
         "not available"},
        {{.type = MODBUS_STRING, .bit = -1, .length = 1},
         {.type = VALUE_TEXT, .data = "abc", .size = 3},
         "at most 2 bytes"},
        {{.type = MODBUS_STRING, .bit = -1, .length = 2},
         {.type = VALUE_TEXT, .data = "a\0c", .size = 3},
         "zero byte"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t registers[ENCODE_SIZE_MAX];
        char why[240] = "";
        struct rig rig;

        prepare(&rig, &cases[i].point);
        assert_false(modbus_encode(&rig.options, &cases[i].value, registers, why, sizeof why));
        if (!strstr(why, cases[i].words))
            fail_msg("case %zu: %s", i, why);
    }
}

/* What people compute is a little off: 0.1 + 0.2 is meant to be 0.3. */
static void takes_what_arithmetic_makes_of_a_step(void **state)
{
    struct value value = {.type = VALUE_F64, .f = 0.1 + 0.2};
    uint8_t registers[ENCODE_SIZE_MAX];
    struct rig rig;
    char why[240];

    (void)state;
    prepare(&rig, &(struct modbus_point_options){.type = MODBUS_I16, .bit = -1, .scale = 0.1});
    assert_true(modbus_encode(&rig.options, &value, registers, why, sizeof why));
    assert_int_equal(registers[1], 3);
}

static void begin(struct rig *rig, struct value value)
{
    value.type = rig->point.type;
    modbus_write_begin(&rig->write, &rig->device, &rig->point, &value);
}

static void expects(struct rig *rig, unsigned function, const char *data)
{
    char found[64] = "";

    assert_true(modbus_write_next(&rig->write, &rig->request));
    for (unsigned i = 0; i < rig->request.data_size; i++)
        snprintf(found + 2 * i, 3, "%02x", rig->request.data[i]);
    assert_int_equal(rig->request.function, function);
    assert_int_equal(rig->request.address, 100);
    assert_string_equal(found, data);
}

static void answers(struct rig *rig, const char *data)
{
    uint8_t bytes[8] = {0};
    struct link_reply reply = {.data = bytes, .requests = 1, .mono_ns = 77};

    for (; data[2 * reply.size]; reply.size++) {
        unsigned byte;

        sscanf(data + 2 * reply.size, "%2x", &byte);
        bytes[reply.size] = (uint8_t)byte;
    }
    modbus_write_take(&rig->write, 0, &reply);
}

static void fails(struct rig *rig, int result, uint8_t exception)
{
    const struct link_reply reply = {.requests = 1, .exception = exception};

    modbus_write_take(&rig->write, result, &reply);
}

static void ends(struct rig *rig, uint16_t status, bool has_value)
{
    assert_false(modbus_write_next(&rig->write, &rig->request));
    assert_int_equal(rig->write.status, status);
    assert_int_equal(rig->write.have_value, has_value);
}

static void a_write_uses_the_function_that_fits(void **state)
{
    static const struct {
        struct modbus_point_options point;
        int write_function;
        struct value value;
        unsigned function;
        const char *data, *read;
    } cases[] = {
        {{.function = MODBUS_COILS, .type = MODBUS_BOOL, .bit = -1},
         MODBUS_WRITE_AUTO,
         {.b = true},
         5,
         "ff00",
         "01"},
        {{.function = MODBUS_COILS, .type = MODBUS_BOOL, .bit = -1},
         MODBUS_WRITE_AUTO,
         {.b = false},
         5,
         "0000",
         "00"},
        {{.function = MODBUS_COILS, .type = MODBUS_BOOL, .bit = -1},
         MODBUS_WRITE_MULTIPLE,
         {.b = true},
         15,
         "01",
         "ff"},
        {{.type = MODBUS_U16, .bit = -1}, MODBUS_WRITE_AUTO, {.u = 0x1234}, 6, "1234", "1234"},
        {{.type = MODBUS_U16, .bit = -1}, MODBUS_WRITE_MULTIPLE, {.u = 1}, 16, "0001", "0001"},
        {{.type = MODBUS_U32, .bit = -1, .order = MODBUS_CDAB},
         MODBUS_WRITE_AUTO,
         {.u = 0x12345678},
         16,
         "56781234",
         "56781234"},
        {{.type = MODBUS_BOOL, .bit = 4}, MODBUS_WRITE_AUTO, {.b = true}, 22, "ffef0010", "abff"},
        {{.type = MODBUS_BOOL, .bit = 4}, MODBUS_WRITE_AUTO, {.b = false}, 22, "ffef0000", "ab0f"},
        {{.type = MODBUS_BOOL, .bit = 4, .order = MODBUS_BA},
         MODBUS_WRITE_AUTO,
         {.b = true},
         22,
         "efff1000",
         "ffab"},
        {{.type = MODBUS_U16, .bit = 4, .bits = 3},
         MODBUS_WRITE_AUTO,
         {.u = 5},
         22,
         "ff8f0050",
         "ffdf"},
        {{.type = MODBUS_U8, .bit = -1}, MODBUS_WRITE_AUTO, {.u = 0x21}, 22, "ff000021", "9921"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;

        prepare(&rig, &cases[i].point);
        rig.device_options.write_function = cases[i].write_function;
        begin(&rig, cases[i].value);
        expects(&rig, cases[i].function, cases[i].data);
        fails(&rig, 0, 0); /* acknowledged */
        expects(&rig, rig.options.function, "");
        answers(&rig, cases[i].read);
        ends(&rig, STATUS_GOOD, true);
        assert_int_equal(rig.write.mono_ns, 77);
    }
}

static const struct modbus_point_options a_register = {.type = MODBUS_U16, .bit = -1};

static void a_bit_is_rewritten_where_the_device_cannot_mask(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, &(struct modbus_point_options){.type = MODBUS_BOOL, .bit = 4});
    rig.device_options.bit_write = MODBUS_BIT_REWRITE;
    begin(&rig, (struct value){.b = false});
    expects(&rig, 3, "");
    answers(&rig, "abff");
    expects(&rig, 6, "abef");
    fails(&rig, 0, 0);
    expects(&rig, 3, "");
    answers(&rig, "abef");
    ends(&rig, STATUS_GOOD, true);

    begin(&rig, (struct value){.b = true});
    expects(&rig, 3, "");
    fails(&rig, ERR_TIMEOUT, 0); /* what is not known is not written back */
    ends(&rig, STATUS_TIMEOUT, false);
}

static void what_is_read_back_decides(void **state)
{
    static const struct {
        int written;
        uint8_t exception;
        const char *read; /* NULL: nothing is read back; "": that fails */
        uint16_t status;
        bool has_value;
    } cases[] = {
        {0, 0, "0007", STATUS_GOOD, true},
        {0, 0, "0008", STATUS_DIFFERS, true},
        {0, 0, "", STATUS_NOT_VERIFIED, false},
        {ERR_EXCEPTION, 2, NULL, STATUS_ILLEGAL_ADDRESS, false},
        {ERR_EXCEPTION, 6, NULL, STATUS_DEVICE_BUSY, false},
        /* The answer is lost: the device may have acted or not. */
        {ERR_TIMEOUT, 0, "0007", STATUS_GOOD, true},
        {ERR_TIMEOUT, 0, "0008", STATUS_TIMEOUT, true},
        {ERR_TIMEOUT, 0, "", STATUS_TIMEOUT, false},
        {ERR_CHECKSUM, 0, "0007", STATUS_GOOD, true},
        {ERR_IO, 0, "0007", STATUS_GOOD, true},
        {ERR_IO, 0, "", STATUS_COMMUNICATION, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;

        prepare(&rig, &a_register);
        begin(&rig, (struct value){.u = 7});
        expects(&rig, 6, "0007");
        fails(&rig, cases[i].written, cases[i].exception);
        if (cases[i].read) {
            expects(&rig, 3, "");
            if (*cases[i].read)
                answers(&rig, cases[i].read);
            else
                fails(&rig, ERR_TIMEOUT, 0);
        }
        ends(&rig, cases[i].status, cases[i].has_value);
    }
}

/* Of its register only the bit counts, in either byte. */
static void a_bit_is_as_it_was_written_or_not(void **state)
{
    static const struct {
        int bit;
        const char *written, *read;
        uint16_t status;
    } cases[] = {
        {4, "ffef0010", "0010", STATUS_GOOD},
        {4, "ffef0010", "ffef", STATUS_DIFFERS},
        {12, "efff1000", "1000", STATUS_GOOD},
        {12, "efff1000", "efff", STATUS_DIFFERS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig rig;

        prepare(&rig, &(struct modbus_point_options){.type = MODBUS_BOOL, .bit = cases[i].bit});
        begin(&rig, (struct value){.b = true});
        expects(&rig, 22, cases[i].written);
        fails(&rig, 0, 0);
        expects(&rig, 3, "");
        answers(&rig, cases[i].read);
        ends(&rig, cases[i].status, true);
    }
}

static void nothing_is_read_back_that_need_not_be(void **state)
{
    const struct link_reply unsent = {.requests = 0};
    struct rig rig;

    (void)state;
    prepare(&rig, &a_register);
    rig.point.write.verify = false;
    begin(&rig, (struct value){.u = 7});
    expects(&rig, 6, "0007");
    fails(&rig, 0, 0);
    ends(&rig, STATUS_GOOD, false);
    begin(&rig, (struct value){.u = 7});
    expects(&rig, 6, "0007");
    fails(&rig, ERR_TIMEOUT, 0);
    ends(&rig, STATUS_TIMEOUT, false);
    /* What never left cannot have been done. */
    rig.point.write.verify = true;
    begin(&rig, (struct value){.u = 7});
    expects(&rig, 6, "0007");
    modbus_write_take(&rig.write, ERR_TIMEOUT, &unsent);
    ends(&rig, STATUS_TIMEOUT, false);
}

/* Panels fill texts up with blanks. */
static void a_text_may_come_back_filled_up(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, &(struct modbus_point_options){.type = MODBUS_STRING, .bit = -1, .length = 2});
    begin(&rig, (struct value){.data = "ab", .size = 2});
    expects(&rig, 16, "61620000");
    fails(&rig, 0, 0);
    expects(&rig, 3, "");
    answers(&rig, "61622020");
    ends(&rig, STATUS_GOOD, true);
}

static void says_which_points_cannot_be_written(void **state)
{
    static const struct modbus_point_options points[] = {
        {.function = MODBUS_INPUT_REGISTERS, .type = MODBUS_U16, .bit = -1},
        {.function = MODBUS_DISCRETE_INPUTS, .type = MODBUS_BOOL, .bit = -1},
        {.type = MODBUS_I16, .bit = -1, .scale_by = MODBUS_SCALE_POWER},
        {.type = MODBUS_U32, .bit = 4, .bits = 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct rig rig;

        prepare(&rig, &points[i]);
        assert_non_null(modbus_write_refusal(&rig.options));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_what_is_read_in_every_type_and_order),
        cmocka_unit_test(singles_and_doubles_come_back_in_every_order),
        cmocka_unit_test(every_value_that_was_read_can_be_written),
        cmocka_unit_test(texts_come_back),
        cmocka_unit_test(refuses_what_the_registers_cannot_hold),
        cmocka_unit_test(takes_what_arithmetic_makes_of_a_step),
        cmocka_unit_test(a_write_uses_the_function_that_fits),
        cmocka_unit_test(a_bit_is_rewritten_where_the_device_cannot_mask),
        cmocka_unit_test(what_is_read_back_decides),
        cmocka_unit_test(a_bit_is_as_it_was_written_or_not),
        cmocka_unit_test(nothing_is_read_back_that_need_not_be),
        cmocka_unit_test(a_text_may_come_back_filled_up),
        cmocka_unit_test(says_which_points_cannot_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
