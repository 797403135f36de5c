/* Registers to values: every type in every order. */
// links: driver_modbus
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/status.h"
#include "modbus/check.h"
#include "modbus/decode.h"

static uint16_t decode(struct modbus_point_options *point, int device_order, const uint8_t *data,
                       unsigned index, char *text, struct value *value)
{
    enum value_type type;
    int8_t decimals;
    uint16_t status;

    if (!point->function)
        point->function = MODBUS_HOLDING_REGISTERS;
    if (point->scale == 0)
        point->scale = 1;
    modbus_decode_prepare(point, device_order, &type, &decimals);
    status = modbus_decode(point, data, index, text, value);
    if (status == STATUS_GOOD)
        assert_int_equal(value->type, type);
    if (status == STATUS_GOOD && type == VALUE_F64)
        assert_int_equal(value->decimals, decimals);
    return status;
}

/* Letters say which bytes of the pattern 0x81 0x82 ... arrive in which order; the value must come
 * out the same. */
static void decodes_integers_in_every_order(void **state)
{
    static const struct {
        int order, type;
        const char *arrives;
    } cases[] = {
        {MODBUS_ORDER_UNSAID, MODBUS_U16, "AB"},
        {MODBUS_AB, MODBUS_U16, "AB"},
        {MODBUS_BA, MODBUS_U16, "BA"},
        {MODBUS_AB, MODBUS_I16, "AB"},
        {MODBUS_BA, MODBUS_I16, "BA"},
        {MODBUS_ABCD, MODBUS_U32, "ABCD"},
        {MODBUS_CDAB, MODBUS_U32, "CDAB"},
        {MODBUS_BADC, MODBUS_U32, "BADC"},
        {MODBUS_DCBA, MODBUS_U32, "DCBA"},
        {MODBUS_ABCD, MODBUS_I32, "ABCD"},
        {MODBUS_CDAB, MODBUS_I32, "CDAB"},
        {MODBUS_BADC, MODBUS_I32, "BADC"},
        {MODBUS_DCBA, MODBUS_I32, "DCBA"},
        {MODBUS_ABCDEFGH, MODBUS_U64, "ABCDEFGH"},
        {MODBUS_GHEFCDAB, MODBUS_U64, "GHEFCDAB"},
        {MODBUS_BADCFEHG, MODBUS_U64, "BADCFEHG"},
        {MODBUS_HGFEDCBA, MODBUS_U64, "HGFEDCBA"},
        {MODBUS_EFGHABCD, MODBUS_I64, "EFGHABCD"},
        {MODBUS_CDABGHEF, MODBUS_I64, "CDABGHEF"},
        {MODBUS_FEHGBADC, MODBUS_I64, "FEHGBADC"},
        {MODBUS_DCBAHGFE, MODBUS_I64, "DCBAHGFE"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_point_options point = {
            .type = cases[i].type, .order = cases[i].order, .bit = -1};
        size_t size = strlen(cases[i].arrives);
        uint64_t wanted = 0;
        uint8_t data[12] = {0};
        struct value value;

        for (size_t b = 0; b < size; b++) {
            data[2 + b] = (uint8_t)(0x81 + cases[i].arrives[b] - 'A');
            wanted = wanted << 8 | (0x81 + b);
        }
        assert_int_equal(decode(&point, MODBUS_ABCD, data, 1, NULL, &value), STATUS_GOOD);
        if (value.type == VALUE_I64)
            assert_int_equal(value.i, (int64_t)(wanted << (64 - 8 * size)) >> (64 - 8 * size));
        else
            assert_int_equal(value.u, wanted);
    }
}

static void takes_the_devices_order_for_32_and_64_bits_alike(void **state)
{
    static const struct {
        int device_order, type;
        const char *arrives;
    } cases[] = {
        {MODBUS_CDAB, MODBUS_U16, "AB"},       {MODBUS_CDAB, MODBUS_U32, "CDAB"},
        {MODBUS_CDAB, MODBUS_U64, "GHEFCDAB"}, {MODBUS_BADC, MODBUS_U16, "AB"},
        {MODBUS_BADC, MODBUS_U32, "BADC"},     {MODBUS_BADC, MODBUS_U64, "BADCFEHG"},
        {MODBUS_DCBA, MODBUS_U32, "DCBA"},     {MODBUS_DCBA, MODBUS_U64, "HGFEDCBA"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_point_options point = {.type = cases[i].type, .bit = -1};
        uint64_t wanted = 0;
        uint8_t data[8];
        struct value value;

        for (size_t b = 0; cases[i].arrives[b]; b++) {
            data[b] = (uint8_t)(cases[i].arrives[b] - 'A' + 1);
            wanted = wanted << 8 | (b + 1);
        }
        decode(&point, cases[i].device_order, data, 0, NULL, &value);
        assert_int_equal(value.u, wanted);
    }
}

static void decodes_floats_in_every_order(void **state)
{
    static const struct {
        int order, type;
        uint8_t data[8];
        double wanted;
    } cases[] = {
        {MODBUS_ABCD, MODBUS_F32, {0x43, 0x66, 0x19, 0x9A}, 230.1F},
        {MODBUS_CDAB, MODBUS_F32, {0x19, 0x9A, 0x43, 0x66}, 230.1F},
        {MODBUS_BADC, MODBUS_F32, {0x66, 0x43, 0x9A, 0x19}, 230.1F},
        {MODBUS_DCBA, MODBUS_F32, {0x9A, 0x19, 0x66, 0x43}, 230.1F},
        {MODBUS_ABCDEFGH, MODBUS_F64, {0x40, 0x6C, 0xC3, 0x33, 0x33, 0x33, 0x33, 0x33}, 230.1},
        {MODBUS_GHEFCDAB, MODBUS_F64, {0x33, 0x33, 0x33, 0x33, 0xC3, 0x33, 0x40, 0x6C}, 230.1},
        {MODBUS_BADCFEHG, MODBUS_F64, {0x6C, 0x40, 0x33, 0xC3, 0x33, 0x33, 0x33, 0x33}, 230.1},
        {MODBUS_HGFEDCBA, MODBUS_F64, {0x33, 0x33, 0x33, 0x33, 0x33, 0xC3, 0x6C, 0x40}, 230.1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_point_options point = {
            .type = cases[i].type, .order = cases[i].order, .bit = -1};
        struct value value;

        assert_int_equal(decode(&point, MODBUS_ABCD, cases[i].data, 0, NULL, &value), STATUS_GOOD);
        assert_true(value.f == cases[i].wanted);
        assert_int_equal(value.decimals,
                         cases[i].type == MODBUS_F32 ? DECIMALS_SHORTEST_F32 : DECIMALS_SHORTEST);
    }
}

static void scales_to_the_double_nearest_to_the_decimal_number(void **state)
{
    static const struct {
        int type;
        uint16_t raw;
        double scale, offset, wanted;
        int decimals;
    } cases[] = {
        {MODBUS_U16, 2301, 0.1, 0, 230.1, 1},
        {MODBUS_I16, 0xFFF9, 0.1, 0, -0.7, 1},
        {MODBUS_U16, 3, 0.1, 0, 0.3, 1},
        {MODBUS_U16, 12345, 0.001, 0, 12.345, 3},
        {MODBUS_U16, 7, 0.25, 0, 1.75, 2},
        {MODBUS_U16, 100, 1, -273.15, -173.15, 2},
        {MODBUS_U16, 55, 0.5, -40, -12.5, 1},
        {MODBUS_U16, 3, 10, 0, 30, 0},
        {MODBUS_U16, 3, 1.0 / 3, 0, 1, DECIMALS_SHORTEST},
        {MODBUS_U16, 0, -0.1, 0, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_point_options point = {
            .type = cases[i].type, .bit = -1, .scale = cases[i].scale, .offset = cases[i].offset};
        uint8_t data[2] = {(uint8_t)(cases[i].raw >> 8), (uint8_t)cases[i].raw};
        struct value value;

        assert_int_equal(decode(&point, MODBUS_ABCD, data, 0, NULL, &value), STATUS_GOOD);
        assert_int_equal(value.type, VALUE_F64);
        assert_true(value.f == cases[i].wanted);
        assert_false(signbit(value.f) && value.f == 0);
        assert_int_equal(value.decimals, cases[i].decimals);
    }
}

static void tells_sentinels_with_and_without_sign(void **state)
{
    static const double no_value[] = {-32768, 65535}, no_float[] = {-9999.9};
    static const struct {
        int type;
        uint8_t data[4];
        uint16_t status;
    } cases[] = {
        {MODBUS_I16, {0x80, 0x00}, STATUS_NOT_AVAILABLE},
        {MODBUS_I16, {0xFF, 0xFF}, STATUS_NOT_AVAILABLE},
        {MODBUS_U16, {0x80, 0x00}, STATUS_NOT_AVAILABLE},
        {MODBUS_U16, {0xFF, 0xFF}, STATUS_NOT_AVAILABLE},
        {MODBUS_U16, {0x7F, 0xFF}, STATUS_GOOD},
        {MODBUS_U32, {0x00, 0x00, 0xFF, 0xFF}, STATUS_NOT_AVAILABLE},
        {MODBUS_I32, {0xFF, 0xFF, 0x80, 0x00}, STATUS_NOT_AVAILABLE},
        {MODBUS_I32, {0xFF, 0xFF, 0xFF, 0xFF}, STATUS_GOOD},
        {MODBUS_F32, {0xC6, 0x1C, 0x3F, 0x9A}, STATUS_NOT_AVAILABLE},
        {MODBUS_F32, {0xC6, 0x1C, 0x3F, 0x99}, STATUS_GOOD},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_point_options point = {.type = cases[i].type, .bit = -1, .na = {no_value, 2}};
        struct value value;

        if (cases[i].type == MODBUS_F32)
            point.na = (struct option_numbers){no_float, 1};
        assert_int_equal(decode(&point, MODBUS_ABCD, cases[i].data, 0, NULL, &value),
                         cases[i].status);
    }
}

static void gives_nan_and_infinity_a_status_of_their_own(void **state)
{
    static const struct {
        int type;
        uint8_t data[8];
    } cases[] = {
        {MODBUS_F32, {0x7F, 0xC0, 0, 0}}, {MODBUS_F32, {0x7F, 0x80, 0, 0}},
        {MODBUS_F32, {0xFF, 0x80, 0, 0}}, {MODBUS_F64, {0x7F, 0xF8}},
        {MODBUS_F64, {0xFF, 0xF0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_point_options point = {.type = cases[i].type, .bit = -1};
        struct value value;

        assert_int_equal(decode(&point, MODBUS_ABCD, cases[i].data, 0, NULL, &value),
                         STATUS_NOT_A_NUMBER);
    }
}

static void picks_bits_of_registers_and_of_bit_tables(void **state)
{
    static const uint8_t data[] = {0x80, 0x01, 0x00, 0x00};
    static const struct {
        uint8_t function;
        int bit;
        unsigned index;
        bool wanted;
    } cases[] = {
        {3, 0, 0, true},  {3, 15, 0, true},   {3, 1, 0, false}, {3, 7, 0, false},
        {3, -1, 0, true}, {3, -1, 1, false},  {1, -1, 7, true}, {1, -1, 0, false},
        {2, -1, 8, true}, {2, -1, 15, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_point_options point = {
            .type = MODBUS_BOOL, .bit = cases[i].bit, .function = cases[i].function};
        struct value value;

        assert_int_equal(decode(&point, MODBUS_DCBA, data, cases[i].index, NULL, &value),
                         STATUS_GOOD);
        assert_int_equal(value.b, cases[i].wanted);
    }
}

static void reads_strings_trimmed_and_as_utf8(void **state)
{
    static const struct {
        const char *data;
        int order;
        const char *wanted;
    } cases[] = {
        {"Pump 1\0\0", MODBUS_ORDER_UNSAID, "Pump 1"},
        {"Pump 12 ", MODBUS_AB, "Pump 12"},
        {"uPpm1  2", MODBUS_BA, "Pump 12"},
        {"  K\xC3\xA4se\0", MODBUS_AB, "K\xC3\xA4se"},
        {"K\xE4se    ", MODBUS_AB, "K\xC3\xA4se"},
        {"A\xC3\0\0\0\0\0\0", MODBUS_AB, "A\xC3\x83"},
        {"A\xED\xA0\x80\0\0\0\0", MODBUS_AB, "A\xC3\xAD\xC2\xA0\xC2\x80"},
        {"\0\0\0\0\0\0\0\0", MODBUS_AB, ""},
        {"        ", MODBUS_AB, ""},
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", MODBUS_AB,
         "\xC3\xBF\xC3\xBF\xC3\xBF\xC3\xBF\xC3\xBF\xC3\xBF\xC3\xBF\xC3\xBF"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_point_options point = {
            .type = MODBUS_STRING, .order = cases[i].order, .length = 4, .bit = -1};
        char text[MODBUS_TEXT_SIZE_MAX];
        struct value value;

        assert_int_equal(
            decode(&point, MODBUS_DCBA, (const uint8_t *)cases[i].data, 0, text, &value),
            STATUS_GOOD);
        assert_int_equal(value.size, strlen(cases[i].wanted));
        assert_memory_equal(value.data, cases[i].wanted, value.size);
    }
}

static void picks_fields_of_bits_and_single_bytes(void **state)
{
    static const struct {
        int type, order, bit, bits;
        uint64_t wanted; /* of 0xB6 0x93 */
    } cases[] = {
        {MODBUS_U16, MODBUS_ORDER_UNSAID, 0, 4, 0x3},
        {MODBUS_U16, MODBUS_ORDER_UNSAID, 4, 8, 0x69},
        {MODBUS_U16, MODBUS_ORDER_UNSAID, 8, 8, 0xB6},
        {MODBUS_U16, MODBUS_ORDER_UNSAID, 15, 1, 1},
        {MODBUS_U16, MODBUS_BA, 0, 4, 0x6},
        {MODBUS_I16, MODBUS_ORDER_UNSAID, 12, 4, (uint64_t)-5},
        {MODBUS_U8, MODBUS_ORDER_UNSAID, -1, 0, 0x93},
        {MODBUS_U8, MODBUS_BA, -1, 0, 0xB6},
        {MODBUS_I8, MODBUS_ORDER_UNSAID, -1, 0, (uint64_t)-109},
        {MODBUS_I8, MODBUS_BA, -1, 0, (uint64_t)-74},
        {MODBUS_U8, MODBUS_ORDER_UNSAID, 4, 4, 0x9},
    };
    const uint8_t data[] = {0xB6, 0x93};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_point_options point = {.type = cases[i].type,
                                             .order = cases[i].order,
                                             .bit = cases[i].bit,
                                             .bits = cases[i].bits};
        struct value value;

        assert_int_equal(decode(&point, MODBUS_ABCD, data, 0, NULL, &value), STATUS_GOOD);
        assert_int_equal(value.type == VALUE_I64 ? (uint64_t)value.i : value.u, cases[i].wanted);
    }
}

/* The value is the register of the case; the one that scales it stands before or behind it. */
static void scales_by_another_register(void **state)
{
    static const struct {
        int scale_by;
        uint16_t value_address, scale_address, registers[3];
        double scale, offset, wanted;
        uint16_t status;
        int decimals;
    } cases[] = {
        {MODBUS_SCALE_POWER, 100, 101, {2301, 0xFFFF}, 1, 0, 230.1, STATUS_GOOD, 1},
        {MODBUS_SCALE_POWER, 100, 102, {2301, 7, 2}, 1, 0, 230100, STATUS_GOOD, 0},
        {MODBUS_SCALE_POWER, 101, 100, {0, 0xFF9C}, 1, 0, -100, STATUS_GOOD, 0},
        {MODBUS_SCALE_POWER, 102, 100, {0xFFFE, 7, 12345}, 0.1, 0, 12.345, STATUS_GOOD, 3},
        {MODBUS_SCALE_POWER, 100, 101, {2301, 0x8000}, 1, 0, 0, STATUS_NOT_AVAILABLE, 0},
        {MODBUS_SCALE_POWER, 100, 101, {2301, 10}, 1, 0, 0, STATUS_NOT_AVAILABLE, 0},
        {MODBUS_SCALE_DECIMALS, 100, 101, {742, 2}, 1, 0, 7.42, STATUS_GOOD, 2},
        {MODBUS_SCALE_DECIMALS, 101, 100, {1, 742}, 1, 5, 79.2, STATUS_GOOD, 1},
        {MODBUS_SCALE_DECIMALS, 100, 101, {742, 10}, 1, 0, 0, STATUS_NOT_AVAILABLE, 0},
        {MODBUS_SCALE_DECIMALS_LOW, 100, 101, {742, 0x0902}, 1, 0, 7.42, STATUS_GOOD, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_point_options point = {.type = MODBUS_I16,
                                             .function = MODBUS_HOLDING_REGISTERS,
                                             .bit = -1,
                                             .address = cases[i].value_address,
                                             .scale_address = cases[i].scale_address,
                                             .scale_by = cases[i].scale_by,
                                             .scale = cases[i].scale,
                                             .offset = cases[i].offset};
        uint8_t data[8] = {0};
        enum value_type type;
        int8_t decimals;
        struct value value;

        for (unsigned r = 0; r < 3; r++) {
            data[2 + 2 * r] = (uint8_t)(cases[i].registers[r] >> 8);
            data[3 + 2 * r] = (uint8_t)cases[i].registers[r];
        }
        modbus_decode_prepare(&point, MODBUS_ABCD, &type, &decimals);
        assert_int_equal(type, VALUE_F64);
        assert_int_equal(decimals, DECIMALS_SHORTEST);
        assert_int_equal(point.address, 100);
        assert_int_equal(modbus_decode(&point, data, 1, NULL, &value), cases[i].status);
        if (cases[i].status != STATUS_GOOD)
            continue;
        assert_true(value.f == cases[i].wanted);
        assert_int_equal(value.decimals, cases[i].decimals);
    }
}

static void reads_strings_of_one_character_a_register(void **state)
{
    struct modbus_point_options point = {.type = MODBUS_WIDE_STRING, .length = 4, .bit = -1};
    const uint8_t data[] = {0, '2', 0, '.', 0, '9', 0, 0};
    char text[MODBUS_TEXT_SIZE_MAX];
    struct value value;

    (void)state;
    assert_int_equal(decode(&point, MODBUS_ABCD, data, 0, text, &value), STATUS_GOOD);
    assert_int_equal(value.size, 3);
    assert_memory_equal(value.data, "2.9", 3);
}

static void floats_that_no_device_measures_are_implausible_and_keep_their_value(void **state)
{
    const struct {
        uint8_t data[4];
        uint16_t status;
    } cases[] = {
        {{0x43, 0x66, 0x19, 0x9A}, STATUS_GOOD},        /* 230.1 */
        {{0, 0, 0, 0}, STATUS_GOOD},                    /* nothing flows */
        {{0, 0, 0x02, 0x70}, STATUS_IMPLAUSIBLE},       /* 624 in the second of two registers */
        {{0x7F, 0x7F, 0xFF, 0xFF}, STATUS_IMPLAUSIBLE}, /* 3.4e38 */
        {{0x7F, 0xC0, 0, 0}, STATUS_NOT_A_NUMBER},
        /* 2 to the power of -66 and -67, of 66 and 67: about 1e-20 and 1e20. */
        {{0x1E, 0x80, 0, 0}, STATUS_GOOD},
        {{0x1E, 0x00, 0, 0}, STATUS_IMPLAUSIBLE},
        {{0xE0, 0x80, 0, 0}, STATUS_GOOD},
        {{0xE1, 0x00, 0, 0}, STATUS_IMPLAUSIBLE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_point_options point = {.function = 3, .type = MODBUS_F32, .scale = 10};
        enum value_type type;
        int8_t decimals;
        struct value value, plain;

        modbus_decode_prepare(&point, MODBUS_ABCD, &type, &decimals);
        assert_int_equal(modbus_decode_reading(&point, cases[i].data, 0, NULL, &value),
                         cases[i].status);
        modbus_decode(&point, cases[i].data, 0, NULL, &plain);
        assert_true(value.f == plain.f || cases[i].status == STATUS_NOT_A_NUMBER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_integers_in_every_order),
        cmocka_unit_test(takes_the_devices_order_for_32_and_64_bits_alike),
        cmocka_unit_test(decodes_floats_in_every_order),
        cmocka_unit_test(floats_that_no_device_measures_are_implausible_and_keep_their_value),
        cmocka_unit_test(scales_to_the_double_nearest_to_the_decimal_number),
        cmocka_unit_test(tells_sentinels_with_and_without_sign),
        cmocka_unit_test(gives_nan_and_infinity_a_status_of_their_own),
        cmocka_unit_test(picks_bits_of_registers_and_of_bit_tables),
        cmocka_unit_test(reads_strings_trimmed_and_as_utf8),
        cmocka_unit_test(picks_fields_of_bits_and_single_bytes),
        cmocka_unit_test(scales_by_another_register),
        cmocka_unit_test(reads_strings_of_one_character_a_register),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
