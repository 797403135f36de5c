/* Declarations of streams, packed and read back. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/error.h"
#include "core/stream.h"
#include "unit/random.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct stream boiler = {.number = 300,
                                     .version = 2,
                                     .type = VALUE_F64,
                                     .decimals = 1,
                                     .device = "boiler",
                                     .point = "supply_temp",
                                     .name = "Vorlauf",
                                     .unit = "°C"};

static void assert_same_stream(const struct stream *a, const struct stream *b)
{
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->decimals, b->decimals);
    assert_string_equal(a->device, b->device);
    assert_string_equal(a->point, b->point);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->unit, b->unit);
}

/* Unpacks from memory of just this size, so that the sanitizer sees a read beyond it. */
static int unpack_tightly(struct stream *stream, const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size);
    if (size > 0)
        memcpy(exact, data, size);
    int result = stream_unpack(stream, exact, size);
    free(exact);
    return result;
}

static void writes_the_bytes_of_the_specification(void **state)
{
    (void)state;
    static const uint8_t expected[] = "\xac\x02\x02\x04\x01\x06"
                                      "boiler\x0bsupply_temp\x07Vorlauf\x03\xc2\xb0"
                                      "C";
    uint8_t packed[STREAM_PACKED_SIZE_MAX];
    assert_int_equal(stream_pack(&boiler, packed), sizeof(expected) - 1);
    assert_memory_equal(packed, expected, sizeof(expected) - 1);
}

static void brings_back_what_was_packed(void **state)
{
    (void)state;
    struct stream longest = {.number = UINT32_MAX,
                             .version = UINT16_MAX,
                             .type = VALUE_BYTES,
                             .decimals = DECIMALS_SHORTEST_F32};
    memset(longest.device, 'd', sizeof(longest.device) - 1);
    memset(longest.point, 'p', sizeof(longest.point) - 1);
    memset(longest.name, 'n', sizeof(longest.name) - 1);
    memset(longest.unit, 'u', sizeof(longest.unit) - 1);
    const struct stream streams[] = {boiler, longest, {.number = 1, .version = 1}};
    for (size_t i = 0; i < COUNT(streams); i++) {
        uint8_t packed[STREAM_PACKED_SIZE_MAX + 3] = {0};
        struct stream back;
        size_t size = stream_pack(&streams[i], packed);
        assert_true(size <= STREAM_PACKED_SIZE_MAX);
        assert_int_equal(unpack_tightly(&back, packed, size), 0);
        assert_same_stream(&streams[i], &back);
        assert_int_equal(unpack_tightly(&back, packed, size + 3), 0); /* of a later version */
        assert_same_stream(&streams[i], &back);
    }
}

static void rejects_a_declaration_that_is_cut_off(void **state)
{
    (void)state;
    uint8_t packed[STREAM_PACKED_SIZE_MAX];
    struct stream back;
    size_t size = stream_pack(&boiler, packed);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(unpack_tightly(&back, packed, cut), ERR_CORRUPT);
}

static void rejects_what_is_no_declaration(void **state)
{
    (void)state;
    const struct {
        const char *why;
        const char *bytes;
        size_t size;
    } cases[] = {
        {"a number above 32 bits", "\x80\x80\x80\x80\x10\x01\x04\x01\0\0\0\0", 12},
        {"a version above 16 bits", "\x01\x80\x80\x04\x04\x01\0\0\0\0", 10},
        {"an unknown type", "\x01\x01\x08\x01\0\0\0\0", 8},
        {"too many decimals", "\x01\x01\x04\x0a\0\0\0\0", 8},
        {"unknown decimals", "\x01\x01\x04\xfd\0\0\0\0", 8},
        {"a zero in a string",
         "\x01\x01\x04\x01\x02"
         "a\0"
         "\0\0\0",
         10},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stream back;
        if (unpack_tightly(&back, (const uint8_t *)cases[i].bytes, cases[i].size) != ERR_CORRUPT)
            fail_msg("took %s for a declaration", cases[i].why);
    }
    uint8_t packed[5 + 64 + 3] = {1, 1, VALUE_F64, 1, 64}; /* a device's id of 64 bytes */
    memset(packed + 5, 'd', 64);
    struct stream back;
    assert_int_equal(unpack_tightly(&back, packed, sizeof(packed)), ERR_CORRUPT);
}

static void stays_within_any_bytes(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 50000; i++) {
        uint8_t bytes[STREAM_PACKED_SIZE_MAX];
        struct stream back;
        size_t size = stream_pack(&boiler, bytes);
        bytes[random_below(&seed, size)] = (uint8_t)random_next(&seed);
        bytes[random_below(&seed, size)] = (uint8_t)random_next(&seed);
        if (unpack_tightly(&back, bytes, size) == 0) {
            assert_true(strlen(back.device) < sizeof(back.device));
            assert_true(strlen(back.point) < sizeof(back.point));
            assert_true(strlen(back.name) < sizeof(back.name));
            assert_true(strlen(back.unit) < sizeof(back.unit));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_bytes_of_the_specification),
        cmocka_unit_test(brings_back_what_was_packed),
        cmocka_unit_test(rejects_a_declaration_that_is_cut_off),
        cmocka_unit_test(rejects_what_is_no_declaration),
        cmocka_unit_test(stays_within_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
