/* Values out of lines. */
// links: driver_serial
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/status.h"
#include "serial/extract.h"
#include "serial/pattern.h"

#define NOT_ITS_LINE 1 /* no status has this value */
#define RMC          "$GPRMC,123519,A,4807.038,S,01131.500,E,022.4,084.4,230394,003.1,W"
#define WEIGHT       "^S [SD] +(-? *[0-9.]+) (g|kg)$"

static const char *const a_text[] = {"A"}, *const v_text[] = {"V"},
                         *const dashes[] = {"---", "9999"};

#define COLUMN(n)   .group = -1, .column = n, .at = -1, .delimiter = ","
#define GROUP(n)    .group = n, .column = -1, .at = -1, .delimiter = ","
#define PLACE(a, l) .group = -1, .column = -1, .at = a, .length = l, .delimiter = ","
#define KEY(k)      .group = -1, .column = -1, .at = -1, .delimiter = ",", .key = k
#define TOLEDO                                                                                     \
    .group = -1, .column = -1, .at = 4, .length = 6, .delimiter = ",", .hemisphere = -1,           \
    .scale = 1, .decimals = -1, .decimals_at = 1, .decimals_less = 2,                              \
    .negative_when = "byte 2 & 0x02",                                                              \
    .when = {[EXTRACT_WHEN_FAILED] = "byte 2 & 0x10 = 0",                                          \
             [EXTRACT_WHEN_OUT_OF_RANGE] = "byte 2 & 0x04",                                        \
             [EXTRACT_WHEN_UNSTABLE] = "byte 2 & 0x08"}
#define METER                                                                                      \
    "\x02"                                                                                         \
    "0.0.0(1EMH00)\r\n1.8.0(000123.4*kWh)\r\n1-0:2.8.0*255(7*kWh)\r\n32.7.0(x*V)\r\n!\r\n"
#define PLAIN .hemisphere = -1, .date = -1, .decimals_at = -1, .scale = 1, .decimals = -1

static const struct {
    struct extract_options options;
    const char *line;
    uint16_t status;
    double number; /* also of integers and booleans */
    const char *text;
    size_t size; /* of a line with zero bytes; 0: as long as its text */
} cases[] = {
    {{COLUMN(7), PLAIN, .match = "^\\$..RMC,"}, RMC, STATUS_GOOD, 22.4, NULL, 0},
    {{COLUMN(7), PLAIN, .match = "^\\$..GGA,"}, RMC, NOT_ITS_LINE, 0, NULL, 0},
    {{COLUMN(7), PLAIN}, "a,b", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(1), PLAIN}, "a,,c", STATUS_NOT_AVAILABLE, 0, NULL, 0},
    {{COLUMN(1), PLAIN}, "a,   ,c", STATUS_NOT_AVAILABLE, 0, NULL, 0},
    {{COLUMN(0), PLAIN, .type = EXTRACT_TEXT}, RMC, STATUS_GOOD, 0, "$GPRMC", 0},
    {{COLUMN(11), PLAIN, .type = EXTRACT_TEXT}, RMC, STATUS_GOOD, 0, "W", 0},
    {{COLUMN(2), PLAIN, .type = EXTRACT_BOOLEAN, .true_texts = {a_text, 1},
      .false_texts = {v_text, 1}},
     RMC,
     STATUS_GOOD,
     1,
     NULL,
     0},
    {{COLUMN(1), PLAIN, .type = EXTRACT_BOOLEAN, .true_texts = {a_text, 1},
      .false_texts = {v_text, 1}},
     "x,V",
     STATUS_GOOD,
     0,
     NULL,
     0},
    {{COLUMN(1), PLAIN, .type = EXTRACT_BOOLEAN, .true_texts = {a_text, 1},
      .false_texts = {v_text, 1}},
     "x,N",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), PLAIN, .type = EXTRACT_BOOLEAN}, "0", STATUS_GOOD, 0, NULL, 0},
    {{COLUMN(3), .hemisphere = 4, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_DEGREES},
     RMC,
     STATUS_GOOD,
     -48.1173,
     NULL,
     0},
    {{COLUMN(5), .hemisphere = 6, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_DEGREES},
     RMC,
     STATUS_GOOD,
     11.525,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = -1, .date = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_TIME},
     "123519.25,230324",
     STATUS_GOOD,
     1711197319.25,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = -1, .date = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_TIME},
     "235959,311299",
     STATUS_GOOD,
     946684799,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = -1, .date = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_TIME},
     "235960.00,311226",
     STATUS_GOOD,
     1798761599,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = -1, .date = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_TIME},
     ",230326",
     STATUS_NOT_AVAILABLE,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = -1, .date = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_TIME},
     "123519,",
     STATUS_NOT_AVAILABLE,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = -1, .date = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_TIME},
     "246000,230326",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = -1, .date = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_TIME},
     "123519,310226",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = -1, .date = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_TIME},
     "1235,230326",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = -1, .date = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_TIME},
     "12351x,230326",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = -1, .date = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_TIME},
     "123561,230326",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = -1, .date = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_TIME},
     "123519,2303260",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_DEGREES},
     "4860.000,N",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_DEGREES},
     "9100.000,N",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_DEGREES},
     "4807.038,X",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_DEGREES},
     "4807.038,",
     STATUS_NOT_AVAILABLE,
     0,
     NULL,
     0},
    {{COLUMN(0), .hemisphere = 1, .decimals_at = -1, .scale = 1, .decimals = -1,
      .format = NUMBER_NMEA_DEGREES},
     "48,N",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{GROUP(1), PLAIN, .match = WEIGHT}, "S S      100.25 g", STATUS_GOOD, 100.25, NULL, 0},
    {{GROUP(1), PLAIN, .match = WEIGHT}, "S D       -0.50 kg", STATUS_GOOD, -0.5, NULL, 0},
    {{GROUP(1), PLAIN, .match = WEIGHT}, "S S  -   12.50 g", STATUS_GOOD, -12.5, NULL, 0},
    {{GROUP(2), PLAIN, .match = WEIGHT, .type = EXTRACT_TEXT},
     "S S      100.25 g",
     STATUS_GOOD,
     0,
     "g",
     0},
    {{GROUP(1), PLAIN, .match = WEIGHT}, "S I", NOT_ITS_LINE, 0, NULL, 0},
    {{GROUP(1), PLAIN, .match = "^a(b)?"}, "ac", STATUS_NOT_AVAILABLE, 0, NULL, 0},
    {{GROUP(0), PLAIN, .match = "[0-9]+"}, "x12y", STATUS_GOOD, 12, NULL, 0},
    {{PLACE(2, 5), PLAIN}, "T= 21.5C", STATUS_GOOD, 21.5, NULL, 0},
    {{PLACE(2, 7), PLAIN}, "T= 21.5C", STATUS_FORMAT, 0, NULL, 0},
    {{.group = -1, .column = 2, .at = -1, .delimiter = " ", PLAIN},
     "  a   b  3.5 ",
     STATUS_GOOD,
     3.5,
     NULL,
     0},
    {{.group = -1, .column = 3, .at = -1, .delimiter = " ", PLAIN},
     "  a   b  3.5 ",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{.group = -1, .column = 1, .at = -1, .delimiter = "::", PLAIN},
     "a::7::b",
     STATUS_GOOD,
     7,
     NULL,
     0},
    {{COLUMN(0), PLAIN}, "+ 3", STATUS_GOOD, 3, NULL, 0},
    {{COLUMN(0), PLAIN}, "1e-3", STATUS_GOOD, 0.001, NULL, 0},
    {{COLUMN(0), PLAIN}, ".5", STATUS_GOOD, 0.5, NULL, 0},
    {{COLUMN(0), PLAIN}, "5.", STATUS_GOOD, 5, NULL, 0},
    {{COLUMN(0), PLAIN}, "nan", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), PLAIN}, "inf", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), PLAIN}, "0x10", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), PLAIN}, "1.2.3", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), PLAIN}, "12V", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), PLAIN}, "1e", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), PLAIN}, "-", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), PLAIN}, ".", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), PLAIN}, "--1", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), PLAIN}, "1e999", STATUS_NOT_A_NUMBER, 0, NULL, 0},
    {{COLUMN(0), PLAIN},
     "00000000000000000000000000000000000000000000000000000000000000000000001",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), PLAIN, .format = NUMBER_DECIMAL_COMMA}, "12", STATUS_GOOD, 12, NULL, 0},
    {{GROUP(0), PLAIN, .match = ".*", .format = NUMBER_DECIMAL_COMMA},
     "12,5",
     STATUS_GOOD,
     12.5,
     NULL,
     0},
    {{GROUP(0), PLAIN, .match = ".*", .format = NUMBER_DECIMAL_COMMA},
     "12.5",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), PLAIN, .format = NUMBER_HEX, .type = EXTRACT_INTEGER},
     "00fF",
     STATUS_GOOD,
     255,
     NULL,
     0},
    {{COLUMN(0), PLAIN, .format = NUMBER_HEX}, "-1", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), PLAIN, .format = NUMBER_HEX, .type = EXTRACT_INTEGER},
     "ffffffffffffffff",
     STATUS_FORMAT,
     0,
     NULL,
     0},
    {{COLUMN(0), PLAIN, .type = EXTRACT_INTEGER}, "-42", STATUS_GOOD, -42, NULL, 0},
    {{COLUMN(0), PLAIN, .type = EXTRACT_INTEGER}, "4.2", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), PLAIN, .type = EXTRACT_INTEGER}, "9223372036854775808", STATUS_FORMAT, 0, NULL, 0},
    {{COLUMN(0), .hemisphere = -1, .decimals_at = -1, .scale = 0.1, .offset = -40, .decimals = -1},
     "615",
     STATUS_GOOD,
     21.5,
     NULL,
     0},
    {{COLUMN(1), PLAIN, .not_available = {dashes, 2}}, "x,---", STATUS_NOT_AVAILABLE, 0, NULL, 0},
    {{COLUMN(1), PLAIN, .not_available = {dashes, 2}},
     "x, 9999 ",
     STATUS_NOT_AVAILABLE,
     0,
     NULL,
     0},
    {{COLUMN(0), PLAIN, .type = EXTRACT_TEXT}, "caf\xe9", STATUS_FORMAT, 0, NULL, 0},
    /* Keys: meters' codes, and name=value. */
    {{KEY("1.8.0"), PLAIN}, METER, STATUS_GOOD, 123.4, NULL, 0},
    {{KEY("1.8.0"), PLAIN, .unit_text = "kWh"}, METER, STATUS_GOOD, 123.4, NULL, 0},
    {{KEY("1.8.0"), PLAIN, .unit_text = "MWh"}, METER, STATUS_FORMAT, 0, NULL, 0},
    {{KEY("2.8.0"), PLAIN}, METER, STATUS_GOOD, 7, NULL, 0},
    {{KEY("1-0:2.8.0"), PLAIN}, METER, STATUS_GOOD, 7, NULL, 0},
    {{KEY("1-0:2.8.0*255"), PLAIN}, METER, STATUS_GOOD, 7, NULL, 0},
    {{KEY("0.0.0"), PLAIN, .type = EXTRACT_TEXT}, METER, STATUS_GOOD, 0, "1EMH00", 0},
    {{KEY("1.8"), PLAIN}, METER, NOT_ITS_LINE, 0, NULL, 0},
    {{KEY("8.0"), PLAIN}, METER, NOT_ITS_LINE, 0, NULL, 0},
    {{KEY("32.7.0"), PLAIN}, METER, STATUS_FORMAT, 0, NULL, 0},
    {{KEY("1.8.0"), PLAIN}, "11.8.0(5*kWh)1.8.0*01(6*kWh)", NOT_ITS_LINE, 0, NULL, 0},
    {{KEY("1.8.0"), PLAIN}, "1-:1.8.0(5*kWh)-0:1.8.0(6*kWh)", NOT_ITS_LINE, 0, NULL, 0},
    {{KEY("1.8.0"), PLAIN}, "1.8.0*01(6*kWh)\r\n1.8.0(7*kWh)", STATUS_GOOD, 7, NULL, 0},
    {{KEY("1.8.0"), PLAIN}, "1.8.0(7*kWh", NOT_ITS_LINE, 0, NULL, 0},
    {{KEY("1.8.0"), PLAIN}, "1.8.0()", STATUS_NOT_AVAILABLE, 0, NULL, 0},
    {{KEY("T"), PLAIN}, "RT=1,T=21.5,RH=40", STATUS_GOOD, 21.5, NULL, 0},
    {{KEY("RH"), PLAIN}, "RT=1,T=21.5,RH=40", STATUS_GOOD, 40, NULL, 0},
    {{KEY("T"), PLAIN}, "RT=1,T1=21.5", NOT_ITS_LINE, 0, NULL, 0},
    {{KEY("temp"), PLAIN}, "temp : 21.5\r\nhum: 40", STATUS_GOOD, 21.5, NULL, 0},
    {{KEY("hum"), PLAIN}, "temp : 21.5\r\nhum: 40", STATUS_GOOD, 40, NULL, 0},
    {{KEY("a"), PLAIN}, "a=", STATUS_NOT_AVAILABLE, 0, NULL, 0},
    /* Bytes. */
    {{PLACE(0, 0), PLAIN, .format = NUMBER_U8}, "\xFE", STATUS_GOOD, 254, NULL, 0},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_I8}, "\xFE", STATUS_GOOD, -2, NULL, 0},
    {{PLACE(1, 0), PLAIN, .format = NUMBER_U16}, "\0\x12\x34", STATUS_GOOD, 0x1234, NULL, 3},
    {{PLACE(1, 0), PLAIN, .format = NUMBER_U16, .order = NUMBER_LITTLE},
     "\0\x12\x34",
     STATUS_GOOD,
     0x3412,
     NULL,
     3},
    {{PLACE(1, 0), PLAIN, .format = NUMBER_I16, .type = EXTRACT_INTEGER},
     "\0\xFF\xFE",
     STATUS_GOOD,
     -2,
     NULL,
     3},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_U32}, "\x00\x01\x00\x00", STATUS_GOOD, 65536, NULL, 4},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_I32, .order = NUMBER_LITTLE},
     "\xFF\xFF\xFF\xFF",
     STATUS_GOOD,
     -1,
     NULL,
     4},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_U64},
     "\xFF\xFF\xFF\xFF\xFF\xFF\xF8\x00",
     STATUS_GOOD,
     18446744073709549568.0,
     NULL,
     8},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_U64, .type = EXTRACT_INTEGER},
     "\xFF\xFF\xFF\xFF\xFF\xFF\xF8\x00",
     STATUS_FORMAT,
     0,
     NULL,
     8},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_I64, .type = EXTRACT_INTEGER},
     "\xFF\xFF\xFF\xFF\xFF\xFF\xF8\x00",
     STATUS_GOOD,
     -2048,
     NULL,
     8},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_F32}, "\x42\x48\x00\x00", STATUS_GOOD, 50, NULL, 4},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_F32, .order = NUMBER_LITTLE},
     "\x00\x00\x48\x42",
     STATUS_GOOD,
     50,
     NULL,
     4},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_F32},
     "\x7F\xC0\x00\x00",
     STATUS_NOT_A_NUMBER,
     0,
     NULL,
     4},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_F64},
     "\x40\x49\x00\x00\x00\x00\x00\x00",
     STATUS_GOOD,
     50,
     NULL,
     8},
    {{PLACE(2, 0), PLAIN, .format = NUMBER_U16}, "\0\x12\x34", STATUS_FORMAT, 0, NULL, 3},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_U8, .type = EXTRACT_BOOLEAN, .mask = 8},
     "\x38",
     STATUS_GOOD,
     1,
     NULL,
     0},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_U8, .type = EXTRACT_BOOLEAN, .mask = 8},
     "\x30",
     STATUS_GOOD,
     0,
     NULL,
     0},
    {{PLACE(0, 0), PLAIN, .format = NUMBER_U8, .type = EXTRACT_INTEGER, .mask = 0x30},
     "\x2F",
     STATUS_GOOD,
     2,
     NULL,
     0},
    {{COLUMN(0), PLAIN, .format = NUMBER_HEX, .type = EXTRACT_INTEGER, .mask = 0xF0},
     "A5",
     STATUS_GOOD,
     10,
     NULL,
     0},
    /* Toledo continuous: the low bits of the second byte place the point, those of the third say
       sign, range and motion. */
    {{TOLEDO}, "\x02\x2A\x30\x20  1234     0", STATUS_GOOD, 1234, NULL, 0},
    {{TOLEDO}, "\x02\x2C\x30\x20  1234     0", STATUS_GOOD, 12.34, NULL, 0},
    {{TOLEDO}, "\x02\x2F\x30\x20  1234     0", STATUS_GOOD, 0.01234, NULL, 0},
    {{TOLEDO}, "\x02\x28\x30\x20  1234     0", STATUS_GOOD, 123400, NULL, 0},
    {{TOLEDO}, "\x02\x29\x30\x20  1234     0", STATUS_GOOD, 12340, NULL, 0},
    {{TOLEDO}, "\x02\x2C\x32\x20  1234     0", STATUS_GOOD, -12.34, NULL, 0},
    {{TOLEDO}, "\x02\x2C\x38\x20  1234     0", STATUS_UNSTABLE, 12.34, NULL, 0},
    {{TOLEDO}, "\x02\x2C\x34\x20  1234     0", STATUS_OVERRANGE, 0, NULL, 0},
    {{TOLEDO}, "\x02\x2C\x3C\x20  1234     0", STATUS_OVERRANGE, 0, NULL, 0},
    {{TOLEDO}, "\x02\x2C\x20\x20  1234     0", STATUS_SENSOR, 0, NULL, 0},
    {{TOLEDO}, "\x02\x2C\x30", STATUS_FORMAT, 0, NULL, 0},
    {{TOLEDO}, "\x02", STATUS_FORMAT, 0, NULL, 0},
    /* Quality from other fields. */
    {{COLUMN(9), PLAIN, .match = "^\\$..GGA,",
      .when = {[EXTRACT_WHEN_NOT_AVAILABLE] = "^\\$..GGA,([^,]*,){5}0,"}},
     "$GPGGA,123519,4807.038,N,01131.000,E,0,00,,545.4,M,46.9,M,,",
     STATUS_NOT_AVAILABLE,
     0,
     NULL,
     0},
    {{COLUMN(9), PLAIN, .match = "^\\$..GGA,",
      .when = {[EXTRACT_WHEN_NOT_AVAILABLE] = "^\\$..GGA,([^,]*,){5}0,"}},
     "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,",
     STATUS_GOOD,
     545.4,
     NULL,
     0},
    {{GROUP(1), PLAIN, .match = WEIGHT, .when = {[EXTRACT_WHEN_UNSTABLE] = "^S D"}},
     "S D      100.25 g",
     STATUS_UNSTABLE,
     100.25,
     NULL,
     0},
    {{GROUP(1), PLAIN, .match = WEIGHT, .when = {[EXTRACT_WHEN_UNSTABLE] = "^S D"}},
     "S S      100.25 g",
     STATUS_GOOD,
     100.25,
     NULL,
     0},
    /* The first condition that holds, the gravest first, decides. */
    {{COLUMN(0), PLAIN, .when = {[EXTRACT_WHEN_UNSTABLE] = "1", [EXTRACT_WHEN_FAILED] = "2"}},
     "12",
     STATUS_SENSOR,
     0,
     NULL,
     0},
    {{COLUMN(0), PLAIN, .when = {[EXTRACT_WHEN_UNSTABLE] = "x"}}, "x", STATUS_FORMAT, 0, NULL, 0},
};

static void check_value(size_t i, const struct value *value)
{
    switch (value->type) {
    case VALUE_BOOL:
        assert_int_equal(value->b, (int64_t)cases[i].number);
        break;
    case VALUE_I64:
        assert_int_equal(value->i, (int64_t)cases[i].number);
        break;
    case VALUE_TEXT:
        assert_int_equal(value->size, strlen(cases[i].text));
        assert_memory_equal(value->data, cases[i].text, value->size);
        break;
    default:
        assert_int_equal(value->type, VALUE_F64);
        if (!(value->f >= cases[i].number - 1e-9 && value->f <= cases[i].number + 1e-9))
            fail_msg("case %zu gave %.17g", i, value->f);
    }
}

static void takes_what_the_options_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct extract *extract;
        struct value value;
        uint16_t status = NOT_ITS_LINE;
        char why[100];

        assert_int_equal(extract_open(&extract, &cases[i].options, NULL, why, sizeof(why)), 0);
        extract_value(extract, cases[i].line, cases[i].size ? cases[i].size : strlen(cases[i].line),
                      &value, &status);
        if (status != cases[i].status)
            fail_msg("case %zu: \"%s\" gave status 0x%04x", i, cases[i].line, status);
        if (status == STATUS_GOOD || status == STATUS_UNSTABLE) {
            assert_int_equal(value.type, extract_value_type(&cases[i].options));
            check_value(i, &value);
        }
        extract_free(extract);
    }
}

static void tells_why_an_expression_is_none(void **state)
{
    struct pattern *pattern;
    char why[100] = "";

    (void)state;
    assert_int_equal(pattern_compile(&pattern, "a(b", NULL, why, sizeof(why)), ERR_INVALID);
    assert_true(why[0] != 0);
    assert_null(pattern);
}

static void takes_conditions_on_bytes_that_mean_something(void **state)
{
    static const struct {
        const char *text;
        int result;
        bool holds; /* for the bytes 00 08 FF */
    } patterns[] = {
        {"byte 1 & 8", 0, true},
        {"byte 1 & 0x0C", 0, true},
        {"byte 1 & 0xF0", 0, false},
        {"byte 1 & 0x0C = 0x08", 0, true},
        {"byte 1 & 0x0C = 0x0C", 0, false},
        {"byte 0 & 0xFF = 0", 0, true},
        {"byte 3 & 0xFF = 0", 0, false},
        {"byte 1 & 0", ERR_INVALID, false},
        {"byte 1 & 256", ERR_INVALID, false},
        {"byte 1 & 1 = 2", ERR_INVALID, false},
        {"byte 1", ERR_INVALID, false},
        {"byte 1 & 1 ", ERR_INVALID, false},
        {"byte 99999 & 1", ERR_INVALID, false},
        {"^byte 1", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct pattern *pattern;
        char why[200] = "";

        if (pattern_compile(&pattern, patterns[i].text, NULL, why, sizeof(why)) !=
            patterns[i].result)
            fail_msg("%s", patterns[i].text);
        if (patterns[i].result != 0)
            assert_true(why[0] != 0);
        else if (pattern_matches(pattern, "\0\x08\xFF", 3) != patterns[i].holds)
            fail_msg("%s", patterns[i].text);
        pattern_free(pattern);
    }
}

static void puts_the_address_into_patterns_and_sees_zero_bytes(void **state)
{
    struct pattern *pattern;
    char why[100];

    (void)state;
    assert_int_equal(pattern_compile(&pattern, "^{address}[+-][^x]{2}\xff$", "7", why, sizeof(why)),
                     0);
    assert_true(pattern_matches(pattern, "7+\0a\xff", 5));
    assert_false(pattern_matches(pattern, "8+\0a\xff", 5));
    pattern_free(pattern);
}

/* Any bytes give a value that is whole, or a reason why there is none. */
static void survives_hostile_lines(void **state)
{
    static const char alphabet[] = "0123456789.,-+eE $*ASNW\r\t\xff\x80";

    (void)state;
    srand(4711);
    for (int round = 0; round < 20000; round++) {
        const struct extract_options *options =
            &cases[(size_t)rand() % (sizeof(cases) / sizeof(cases[0]))].options;
        size_t size = (size_t)(rand() % 80);
        char *line = malloc(size + 1), why[100];
        struct extract *extract;
        struct value value;
        uint16_t status = STATUS_BAD;

        for (size_t i = 0; i < size; i++)
            line[i] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
        line[size] = 0;
        assert_int_equal(extract_open(&extract, options, NULL, why, sizeof(why)), 0);
        if (extract_value(extract, line, size, &value, &status) == 1 && status == STATUS_GOOD &&
            value.type == VALUE_TEXT)
            assert_true((const char *)value.data >= line &&
                        (const char *)value.data + value.size <= line + size);
        extract_free(extract);
        free(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_the_options_say),
        cmocka_unit_test(tells_why_an_expression_is_none),
        cmocka_unit_test(takes_conditions_on_bytes_that_mean_something),
        cmocka_unit_test(puts_the_address_into_patterns_and_sees_zero_bytes),
        cmocka_unit_test(survives_hostile_lines),
    };

    return cmocka_run_group_tests_name("extract", tests, NULL, NULL);
}
