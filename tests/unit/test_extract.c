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

#define NOT_ITS_LINE 1 /* no status has this value */
#define RMC          "$GPRMC,123519,A,4807.038,S,01131.500,E,022.4,084.4,230394,003.1,W"
#define WEIGHT       "^S [SD] +(-? *[0-9.]+) (g|kg)$"

static const char *const a_text[] = {"A"}, *const v_text[] = {"V"},
                         *const dashes[] = {"---", "9999"};

#define COLUMN(n)   .group = -1, .column = n, .at = -1, .delimiter = ","
#define GROUP(n)    .group = n, .column = -1, .at = -1, .delimiter = ","
#define PLACE(a, l) .group = -1, .column = -1, .at = a, .length = l, .delimiter = ","
#define PLAIN       .hemisphere = -1, .scale = 1, .decimals = -1

static const struct {
    struct extract_options options;
    const char *line;
    uint16_t status;
    double number; /* also of integers and booleans */
    const char *text;
} cases[] = {
    {{COLUMN(7), PLAIN, .match = "^\\$..RMC,"}, RMC, STATUS_GOOD, 22.4, NULL},
    {{COLUMN(7), PLAIN, .match = "^\\$..GGA,"}, RMC, NOT_ITS_LINE, 0, NULL},
    {{COLUMN(7), PLAIN}, "a,b", STATUS_FORMAT, 0, NULL},
    {{COLUMN(1), PLAIN}, "a,,c", STATUS_NOT_AVAILABLE, 0, NULL},
    {{COLUMN(1), PLAIN}, "a,   ,c", STATUS_NOT_AVAILABLE, 0, NULL},
    {{COLUMN(0), PLAIN, .type = EXTRACT_TEXT}, RMC, STATUS_GOOD, 0, "$GPRMC"},
    {{COLUMN(11), PLAIN, .type = EXTRACT_TEXT}, RMC, STATUS_GOOD, 0, "W"},
    {{COLUMN(2), PLAIN, .type = EXTRACT_BOOLEAN, .true_texts = {a_text, 1},
      .false_texts = {v_text, 1}},
     RMC,
     STATUS_GOOD,
     1,
     NULL},
    {{COLUMN(1), PLAIN, .type = EXTRACT_BOOLEAN, .true_texts = {a_text, 1},
      .false_texts = {v_text, 1}},
     "x,V",
     STATUS_GOOD,
     0,
     NULL},
    {{COLUMN(1), PLAIN, .type = EXTRACT_BOOLEAN, .true_texts = {a_text, 1},
      .false_texts = {v_text, 1}},
     "x,N",
     STATUS_FORMAT,
     0,
     NULL},
    {{COLUMN(0), PLAIN, .type = EXTRACT_BOOLEAN}, "0", STATUS_GOOD, 0, NULL},
    {{COLUMN(3), .hemisphere = 4, .scale = 1, .decimals = -1, .format = EXTRACT_NMEA_DEGREES},
     RMC,
     STATUS_GOOD,
     -48.1173,
     NULL},
    {{COLUMN(5), .hemisphere = 6, .scale = 1, .decimals = -1, .format = EXTRACT_NMEA_DEGREES},
     RMC,
     STATUS_GOOD,
     11.525,
     NULL},
    {{COLUMN(0), .hemisphere = 1, .scale = 1, .decimals = -1, .format = EXTRACT_NMEA_DEGREES},
     "4860.000,N",
     STATUS_FORMAT,
     0,
     NULL},
    {{COLUMN(0), .hemisphere = 1, .scale = 1, .decimals = -1, .format = EXTRACT_NMEA_DEGREES},
     "9100.000,N",
     STATUS_FORMAT,
     0,
     NULL},
    {{COLUMN(0), .hemisphere = 1, .scale = 1, .decimals = -1, .format = EXTRACT_NMEA_DEGREES},
     "4807.038,X",
     STATUS_FORMAT,
     0,
     NULL},
    {{COLUMN(0), .hemisphere = 1, .scale = 1, .decimals = -1, .format = EXTRACT_NMEA_DEGREES},
     "4807.038,",
     STATUS_NOT_AVAILABLE,
     0,
     NULL},
    {{COLUMN(0), .hemisphere = 1, .scale = 1, .decimals = -1, .format = EXTRACT_NMEA_DEGREES},
     "48,N",
     STATUS_FORMAT,
     0,
     NULL},
    {{GROUP(1), PLAIN, .match = WEIGHT}, "S S      100.25 g", STATUS_GOOD, 100.25, NULL},
    {{GROUP(1), PLAIN, .match = WEIGHT}, "S D       -0.50 kg", STATUS_GOOD, -0.5, NULL},
    {{GROUP(1), PLAIN, .match = WEIGHT}, "S S  -   12.50 g", STATUS_GOOD, -12.5, NULL},
    {{GROUP(2), PLAIN, .match = WEIGHT, .type = EXTRACT_TEXT},
     "S S      100.25 g",
     STATUS_GOOD,
     0,
     "g"},
    {{GROUP(1), PLAIN, .match = WEIGHT}, "S I", NOT_ITS_LINE, 0, NULL},
    {{GROUP(1), PLAIN, .match = "^a(b)?"}, "ac", STATUS_NOT_AVAILABLE, 0, NULL},
    {{GROUP(0), PLAIN, .match = "[0-9]+"}, "x12y", STATUS_GOOD, 12, NULL},
    {{PLACE(2, 5), PLAIN}, "T= 21.5C", STATUS_GOOD, 21.5, NULL},
    {{PLACE(2, 7), PLAIN}, "T= 21.5C", STATUS_FORMAT, 0, NULL},
    {{.group = -1, .column = 2, .at = -1, .delimiter = " ", PLAIN},
     "  a   b  3.5 ",
     STATUS_GOOD,
     3.5,
     NULL},
    {{.group = -1, .column = 3, .at = -1, .delimiter = " ", PLAIN},
     "  a   b  3.5 ",
     STATUS_FORMAT,
     0,
     NULL},
    {{.group = -1, .column = 1, .at = -1, .delimiter = "::", PLAIN},
     "a::7::b",
     STATUS_GOOD,
     7,
     NULL},
    {{COLUMN(0), PLAIN}, "+ 3", STATUS_GOOD, 3, NULL},
    {{COLUMN(0), PLAIN}, "1e-3", STATUS_GOOD, 0.001, NULL},
    {{COLUMN(0), PLAIN}, ".5", STATUS_GOOD, 0.5, NULL},
    {{COLUMN(0), PLAIN}, "5.", STATUS_GOOD, 5, NULL},
    {{COLUMN(0), PLAIN}, "nan", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), PLAIN}, "inf", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), PLAIN}, "0x10", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), PLAIN}, "1.2.3", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), PLAIN}, "12V", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), PLAIN}, "1e", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), PLAIN}, "-", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), PLAIN}, ".", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), PLAIN}, "--1", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), PLAIN}, "1e999", STATUS_NOT_A_NUMBER, 0, NULL},
    {{COLUMN(0), PLAIN},
     "00000000000000000000000000000000000000000000000000000000000000000000001",
     STATUS_FORMAT,
     0,
     NULL},
    {{COLUMN(0), PLAIN, .format = EXTRACT_DECIMAL_COMMA}, "12", STATUS_GOOD, 12, NULL},
    {{GROUP(0), PLAIN, .match = ".*", .format = EXTRACT_DECIMAL_COMMA},
     "12,5",
     STATUS_GOOD,
     12.5,
     NULL},
    {{GROUP(0), PLAIN, .match = ".*", .format = EXTRACT_DECIMAL_COMMA},
     "12.5",
     STATUS_FORMAT,
     0,
     NULL},
    {{COLUMN(0), PLAIN, .format = EXTRACT_HEX, .type = EXTRACT_INTEGER},
     "00fF",
     STATUS_GOOD,
     255,
     NULL},
    {{COLUMN(0), PLAIN, .format = EXTRACT_HEX}, "-1", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), PLAIN, .format = EXTRACT_HEX, .type = EXTRACT_INTEGER},
     "ffffffffffffffff",
     STATUS_FORMAT,
     0,
     NULL},
    {{COLUMN(0), PLAIN, .type = EXTRACT_INTEGER}, "-42", STATUS_GOOD, -42, NULL},
    {{COLUMN(0), PLAIN, .type = EXTRACT_INTEGER}, "4.2", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), PLAIN, .type = EXTRACT_INTEGER}, "9223372036854775808", STATUS_FORMAT, 0, NULL},
    {{COLUMN(0), .hemisphere = -1, .scale = 0.1, .offset = -40, .decimals = -1},
     "615",
     STATUS_GOOD,
     21.5,
     NULL},
    {{COLUMN(1), PLAIN, .not_available = {dashes, 2}}, "x,---", STATUS_NOT_AVAILABLE, 0, NULL},
    {{COLUMN(1), PLAIN, .not_available = {dashes, 2}}, "x, 9999 ", STATUS_NOT_AVAILABLE, 0, NULL},
    {{COLUMN(0), PLAIN, .type = EXTRACT_TEXT}, "caf\xe9", STATUS_FORMAT, 0, NULL},
};

static void check_value(size_t i, const struct value *value)
{
    switch (value->type) {
    case VALUE_BOOL:
        assert_int_equal(value->b, cases[i].number);
        break;
    case VALUE_I64:
        assert_int_equal(value->i, cases[i].number);
        break;
    case VALUE_TEXT:
        assert_int_equal(value->size, strlen(cases[i].text));
        assert_memory_equal(value->data, cases[i].text, value->size);
        break;
    default:
        assert_int_equal(value->type, VALUE_F64);
        assert_true(value->f > cases[i].number - 1e-9 && value->f < cases[i].number + 1e-9);
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

        assert_int_equal(extract_open(&extract, &cases[i].options, why, sizeof(why)), 0);
        extract_value(extract, cases[i].line, strlen(cases[i].line), &value, &status);
        if (status != cases[i].status)
            fail_msg("case %zu: \"%s\" gave status 0x%04x", i, cases[i].line, status);
        if (status == STATUS_GOOD) {
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
    assert_int_equal(pattern_compile(&pattern, "a(b", why, sizeof(why)), ERR_INVALID);
    assert_true(why[0] != 0);
    assert_null(pattern);
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
        assert_int_equal(extract_open(&extract, options, why, sizeof(why)), 0);
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
        cmocka_unit_test(survives_hostile_lines),
    };

    return cmocka_run_group_tests_name("extract", tests, NULL, NULL);
}
