/* SML files: what a meter pushes becomes text, and whatever is no SML is refused. */
// links: driver_serial
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "serial/checksum.h"
#include "serial/meter.h"

#define TEXT_MAX 4096

/* A file is put together from its elements. */
struct builder {
    uint8_t data[2 * METER_FILE_SIZE_MAX];
    size_t size;
};

static void put(struct builder *builder, const char *bytes, size_t size)
{
    assert_true(size <= sizeof(builder->data) - builder->size);
    memcpy(builder->data + builder->size, bytes, size);
    builder->size += size;
}

#define PUT(builder, text) put(builder, text, sizeof(text) - 1)

static size_t begin_message(struct builder *builder, uint8_t tag)
{
    size_t from = builder->size;

    PUT(builder, "\x76\x05\x00\x00\x00\x01\x62\x00\x62\x00\x72\x63");
    put(builder, (const char[]){(char)(tag >> 4), (char)(tag & 0xF)}, 2);
    return from;
}

static void end_message(struct builder *builder, size_t from)
{
    const struct checksum x25 = {CHECKSUM_CRC16_X25, CHECKSUM_BINARY_LOW_FIRST, 0, ""};
    uint8_t crc[CHECKSUM_TEXT_MAX];

    checksum_write(&x25, builder->data + from, builder->size - from, crc);
    PUT(builder, "\x63");
    put(builder, (const char *)crc, 2);
    PUT(builder, "\x00");
}

#define NAME(c, d, e) "\x07\x01\x00" c d e "\xff"

/* A file whose one list has these entries. */
static void build(struct builder *builder, const char *entries, size_t size, uint8_t count)
{
    size_t from;

    builder->size = 0;
    PUT(builder, METER_START);
    from = begin_message(builder, 0x71);
    PUT(builder, "\x77\x01\x0b\x0a\x01"
                 "EMH\x00\x00\x12\x34\x56\x01\x72\x62\x01\x65\x00\x00\x10\x00");
    put(builder, (const char[]){(char)(0x70 | count)}, 1);
    put(builder, entries, size);
    PUT(builder, "\x01\x01");
    end_message(builder, from);
    PUT(builder, "\x00\x00");
}

#define ENTRIES(text) text, sizeof(text) - 1

static const struct {
    const char *entries;
    size_t size;
    uint8_t count;
    const char *text; /* NULL: it is refused */
} cases[] = {
    {ENTRIES("\x77" NAME("\x01", "\x08",
                         "\x00") "\x01\x01\x62\x1e\x52\xff\x56\x00\x00\x01\xe2\x40\x01"),
     1, "1-0:1.8.0*255(12345.6*Wh)\r\n"},
    {ENTRIES("\x77" NAME("\x10", "\x07", "\x00") "\x01\x01\x62\x1b\x52\x00\x52\xfe\x01"), 1,
     "1-0:16.7.0*255(-2*W)\r\n"},
    /* Three bytes with a sign, and powers of ten up and down. */
    {ENTRIES("\x77" NAME("\x10", "\x07", "\x00") "\x01\x01\x62\x1b\x52\xfe\x54\xff\x9e\x58\x01"), 1,
     "1-0:16.7.0*255(-250.00*W)\r\n"},
    {ENTRIES("\x77" NAME("\x01", "\x08", "\x00") "\x01\x01\x62\x1e\x52\x03\x62\x07\x01"), 1,
     "1-0:1.8.0*255(7000*Wh)\r\n"},
    {ENTRIES("\x77" NAME("\x01", "\x08", "\x00") "\x01\x01\x62\x1e\x52\xfd\x62\x07\x01"), 1,
     "1-0:1.8.0*255(0.007*Wh)\r\n"},
    {ENTRIES(
         "\x77" NAME("\x01", "\x08",
                     "\x00") "\x01\x01\x62\x1e\x52\x00\x59\x80\x00\x00\x00\x00\x00\x00\x00\x01"),
     1, "1-0:1.8.0*255(-9223372036854775808*Wh)\r\n"},
    {ENTRIES(
         "\x77" NAME("\x01", "\x08",
                     "\x00") "\x01\x01\x62\x1e\x52\x00\x69\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     1, "1-0:1.8.0*255(18446744073709551615*Wh)\r\n"},
    /* Texts, bytes, a unit that is not known, a status and a time. */
    {ENTRIES("\x77" NAME("\x60", "\x01", "\x00") "\x01\x01\x01\x01\x05"
                                                 "EMH1"
                                                 "\x01"),
     1, "1-0:96.1.0*255(EMH1)\r\n"},
    {ENTRIES("\x77" NAME("\x60", "\x01", "\x00") "\x01\x01\x01\x01\x04"
                                                 "\x0a(\xff"
                                                 "\x01"),
     1, "1-0:96.1.0*255(0a28ff)\r\n"},
    {ENTRIES("\x77" NAME("\x01", "\x08", "\x00") "\x65\x00\x1c\x01\x04\x72\x62\x01\x65\x00\x00\x10"
                                                 "\x00\x62\x63\x52\x00\x62\x07\x01"),
     1, "1-0:1.8.0*255(7)\r\n"},
    {ENTRIES("\x77" NAME("\x01", "\x08", "\x00") "\x01\x01\x62\x1e\x52\x00\x42\x01\x01"), 1,
     "1-0:1.8.0*255(1*Wh)\r\n"},
    /* No value, a power of ten beyond all sense: left out. */
    {ENTRIES("\x77" NAME("\x01", "\x08", "\x00") "\x01\x01\x62\x1e\x52\x00\x01\x01"), 1, ""},
    {ENTRIES("\x77" NAME("\x01", "\x08", "\x00") "\x01\x01\x62\x1e\x52\x7f\x62\x07\x01"), 1, ""},
    {ENTRIES(""), 0, ""},
    /* Broken: lengths beyond the file, lists too deep or too short, other types. */
    {ENTRIES(
         "\x77" NAME("\x01", "\x08", "\x00") "\x01\x01\x62\x1e\x52\x00\x8f\x8f\x8f\x0f\x07\x01"),
     1, NULL},
    {ENTRIES("\x77" NAME("\x01", "\x08", "\x00") "\x01\x01\x62\x1e\x52\x00\x60\x01"), 1, NULL},
    {ENTRIES("\x77" NAME(
         "\x01", "\x08",
         "\x00") "\x01\x01\x62\x1e\x52\x00\x6a\x01\x02\x03\x04\x05\x06\x07\x08\x09\x01"),
     1, NULL},
    {ENTRIES("\x76" NAME("\x01", "\x08", "\x00") "\x01\x01\x62\x1e\x52\x00\x62\x07"), 1, NULL},
    {ENTRIES("\x77" NAME("\x01", "\x08", "\x00") "\x01\x01\x62\x1e\x52\x00\x72\x01\x01\x01"), 1,
     NULL},
    {ENTRIES("\x77\x62\x01\x01\x01\x62\x1e\x52\x00\x62\x07\x01"), 1, NULL},
    {ENTRIES("\x77" NAME("\x01", "\x08", "\x00") "\x01\x01\x62\x1e\x52\x00\x62\x07\x01"), 2, NULL},
};

static int read_file(const struct builder *builder, char *text, size_t room)
{
    /* Exactly as long as the file: a read behind it is seen. */
    uint8_t *copy = malloc(builder->size ? builder->size : 1);
    int size;

    assert_non_null(copy);
    memcpy(copy, builder->data, builder->size);
    size = meter_read(copy, builder->size, text, room);
    free(copy);
    return size;
}

static void makes_text_of_values_and_refuses_what_is_broken(void **state)
{
    static struct builder builder;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[TEXT_MAX] = "";
        int size;

        build(&builder, cases[i].entries, cases[i].size, cases[i].count);
        size = read_file(&builder, text, sizeof(text));
        if (cases[i].text && (size < 0 || strcmp(text, cases[i].text) != 0))
            fail_msg("case %zu gave %d, \"%s\"", i, size, text);
        if (!cases[i].text && size != ERR_CORRUPT)
            fail_msg("case %zu was taken: \"%s\"", i, text);
    }
}

static void takes_doubled_escapes_for_one_and_no_others(void **state)
{
    static struct builder builder;
    char text[TEXT_MAX];
    static const char start[] = METER_START;

    (void)state;
    builder.size = 0;
    put(&builder, start, 8);
    PUT(&builder, "\x76\x1b\x1b\x1b\x1b\x02\x01\x02\x03");
    assert_int_equal(read_file(&builder, text, sizeof(text)), ERR_CORRUPT);
    builder.size = 0;
    assert_int_equal(read_file(&builder, text, sizeof(text)), ERR_CORRUPT);
    put(&builder, start, 8);
    assert_int_equal(read_file(&builder, text, sizeof(text)), 0);
    PUT(&builder, "\x00\x00\x00");
    assert_int_equal(read_file(&builder, text, sizeof(text)), 0);
    builder.size = METER_FILE_SIZE_MAX + 1;
    assert_int_equal(read_file(&builder, text, sizeof(text)), ERR_CORRUPT);
}

static void says_when_the_text_does_not_fit(void **state)
{
    static struct builder builder;
    char text[20];

    (void)state;
    build(&builder, cases[0].entries, cases[0].size, 1);
    assert_int_equal(read_file(&builder, text, sizeof(text)), ERR_FULL);
}

/* Each file cut at each place, and with each byte changed in many ways: refused or read, and never
 * outside of what it is. */
static void survives_truncated_and_corrupt_files(void **state)
{
    static struct builder good, bad;
    char text[TEXT_MAX];

    (void)state;
    srand(20261126);
    for (size_t i = 0; i < 14; i++) {
        build(&good, cases[i].entries, cases[i].size, cases[i].count);
        for (size_t cut = 0; cut < good.size; cut++) {
            bad = good;
            bad.size = cut;
            assert_true(read_file(&bad, text, sizeof(text)) < TEXT_MAX);
        }
        for (size_t round = 0; round < 3000; round++) {
            bad = good;
            for (int changes = 1 + rand() % 3; changes > 0; changes--)
                bad.data[8 + (size_t)rand() % (bad.size - 8)] = (uint8_t)rand();
            assert_true(read_file(&bad, text, sizeof(text)) < TEXT_MAX);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_text_of_values_and_refuses_what_is_broken),
        cmocka_unit_test(takes_doubled_escapes_for_one_and_no_others),
        cmocka_unit_test(says_when_the_text_does_not_fit),
        cmocka_unit_test(survives_truncated_and_corrupt_files),
    };

    return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
