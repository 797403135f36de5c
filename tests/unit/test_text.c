/* Numbers and strings as they go out in messages. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/text.h"
#include "unit/random.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *number(double value, int decimals)
{
    static char data[64];
    struct text text;
    text_init(&text, data, sizeof(data));
    text_f64(&text, value, decimals);
    assert_false(text.cut);
    assert_int_equal(text.size, strlen(data));
    return data;
}

static const char *json(struct value value)
{
    static char data[256];
    struct text text;
    text_init(&text, data, sizeof(data));
    text_json_value(&text, &value);
    assert_false(text.cut);
    return data;
}

static void writes_doubles_as_people_read_them(void **state)
{
    (void)state;
    const struct {
        double value;
        int decimals;
        const char *text;
    } cases[] = {
        {230.10000000000002, 1, "230.1"},
        {230.0, 1, "230"},
        {230.04, 1, "230"},
        {230.05, 1, "230.1"},
        {-0.04, 1, "0"},
        {-0.05, 1, "-0.1"},
        {0.999, 2, "1"},
        {-12.5, 0, "-13"},
        {1234567.89, 3, "1234567.89"},
        {0.000000001, 9, "0.000000001"},
        {123456789.5, 9, "123456789.5"},
        {1e15, 9, "1000000000000000"},
        {1e300, 2, "1e300"},
        {-1e300, 0, "-1e300"},
        {5.25, 100, "5.25"},
        {0.0, DECIMALS_SHORTEST, "0"},
        {-0.0, DECIMALS_SHORTEST, "0"},
        {0.1, DECIMALS_SHORTEST, "0.1"},
        {0.1 + 0.2, DECIMALS_SHORTEST, "0.30000000000000004"},
        {1.0 / 3, DECIMALS_SHORTEST, "0.3333333333333333"},
        {100.0, DECIMALS_SHORTEST, "100"},
        {123456789012345.0, DECIMALS_SHORTEST, "123456789012345"},
        {9007199254740993.0, DECIMALS_SHORTEST, "9007199254740992"},
        {1e20, DECIMALS_SHORTEST, "100000000000000000000"},
        {123456789012345678901.0, DECIMALS_SHORTEST, "123456789012345680000"},
        {1e21, DECIMALS_SHORTEST, "1e21"},
        {1.5e-7, DECIMALS_SHORTEST, "0.00000015"},
        {1e-7, DECIMALS_SHORTEST, "0.0000001"},
        {1.5e-8, DECIMALS_SHORTEST, "1.5e-8"},
        {5e-324, DECIMALS_SHORTEST, "5e-324"},
        {-1.7976931348623157e308, DECIMALS_SHORTEST, "-1.7976931348623157e308"},
        {(double)230.1f, DECIMALS_SHORTEST, "230.10000610351562"},
        {(double)230.1f, DECIMALS_SHORTEST_F32, "230.1"},
        {(double)-3.14159274f, DECIMALS_SHORTEST_F32, "-3.1415927"},
        {(double)0.1f, DECIMALS_SHORTEST_F32, "0.1"},
        {(double)16777216.0f, DECIMALS_SHORTEST_F32, "16777216"},
        {(double)1e-10f, DECIMALS_SHORTEST_F32, "1e-10"},
        {(double)1e-45f, DECIMALS_SHORTEST_F32, "1e-45"},
        {1e-50, DECIMALS_SHORTEST_F32, "0"},
        {2.2250738585072014e-308, DECIMALS_SHORTEST, "2.2250738585072014e-308"},
        {(double)3.4028235e38f, DECIMALS_SHORTEST_F32, "3.4028235e38"},
        {1e300, DECIMALS_SHORTEST_F32, "1e300"},
        {NAN, DECIMALS_SHORTEST, "null"},
        {INFINITY, 2, "null"},
        {-INFINITY, DECIMALS_SHORTEST_F32, "null"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(number(cases[i].value, cases[i].decimals), cases[i].text);
}

/* As JSON's grammar has it, which strtod is more generous than. */
static int is_json_number(const char *text)
{
    text += *text == '-';
    if (*text == '0' ? text[1] >= '0' && text[1] <= '9' : *text < '1' || *text > '9')
        return 0;
    text += strspn(text, "0123456789");
    if (*text == '.') {
        size_t digits = strspn(text + 1, "0123456789");
        if (digits == 0 || text[digits] == '0')
            return 0;
        text += 1 + digits;
    }
    if (*text == 'e') {
        text += 1 + (text[1] == '-');
        size_t digits = strspn(text, "0123456789");
        if (digits == 0)
            return 0;
        text += digits;
    }
    return *text == '\0';
}

static void shortest_form_reads_back_as_the_same_double(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = random_next(&seed);
        double value;
        memcpy(&value, &bits, sizeof(value));
        if (i % 2)
            value =
                (double)(int64_t)random_magnitude(&seed) / (double)(1 + random_below(&seed, 1000));
        if (!isfinite(value))
            continue;
        const char *text = number(value, DECIMALS_SHORTEST);
        assert_true(is_json_number(text));
        assert_true(strtod(text, NULL) == value);
        assert_true(strlen(text) <= 28);
    }
}

static void shortest_form_reads_back_as_the_same_float(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int i = 0; i < 50000; i++) {
        uint32_t bits = (uint32_t)random_next(&seed);
        float value;
        memcpy(&value, &bits, sizeof(value));
        if (i % 2)
            value = (float)random_below(&seed, 1 << 24) / 1000.0f;
        if (!isfinite(value))
            continue;
        const char *text = number((double)value, DECIMALS_SHORTEST_F32);
        assert_true(is_json_number(text));
        assert_true(strtof(text, NULL) == value);
        assert_true((float)strtod(text, NULL) == value);
    }
}

static void fixed_decimals_are_the_nearest(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 50000; i++) {
        int decimals = (int)random_below(&seed, DECIMALS_MAX + 1);
        double value =
            (double)(int64_t)random_next(&seed) / 0x1p42; /* up to 2 million: 15 digits in all */
        const char *text = number(value, decimals);
        assert_true(is_json_number(text));
        double error = fabs(strtod(text, NULL) - value);
        assert_true(error <= 0.5 * pow(10, -decimals) + fabs(value) * 0x1p-51);
        const char *point = strchr(text, '.');
        assert_true(!point || strlen(point + 1) <= (size_t)decimals);
    }
}

static void writes_a_point_in_a_country_of_commas(void **state)
{
    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8")) /* it may not be installed */
        skip();
    char printed[64], expected[64];
    snprintf(expected, sizeof(expected), "%.1f", 0.5);
    strcpy(printed, number(1.0 / 3, DECIMALS_SHORTEST));
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(expected, "0,5");
    assert_string_equal(printed, "0.3333333333333333");
}

static void writes_integers(void **state)
{
    (void)state;
    const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},       {7, "7"},         {10, "10"},           {99, "99"},
        {100, "100"},   {-1, "-1"},       {12345, "12345"},     {INT64_MAX, "9223372036854775807"},
        {-100, "-100"}, {-9999, "-9999"}, {1000000, "1000000"}, {INT64_MIN, "-9223372036854775808"},
    };
    char data[32];
    struct text text;
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_init(&text, data, sizeof(data));
        text_i64(&text, cases[i].value);
        assert_string_equal(data, cases[i].text);
    }
    text_init(&text, data, sizeof(data));
    text_u64(&text, UINT64_MAX);
    assert_string_equal(data, "18446744073709551615");
}

#define FFFD "\xEF\xBF\xBD"

static void writes_strings_that_any_reader_takes(void **state)
{
    (void)state;
    const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain ASCII, longer than eight", 30, "\"plain ASCII, longer than eight\""},
        {"a \"quote\" and a \\", 17, "\"a \\\"quote\\\" and a \\\\\""},
        {"12345678\"", 9, "\"12345678\\\"\""},
        {"1234567\\", 8, "\"1234567\\\\\""},
        {"\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\""},
        {"\0\1\x1f ", 4, "\"\\u0000\\u0001\\u001f \""},
        {"1234\0006789", 9, "\"1234\\u00006789\""},
        {"\x7f", 1, "\"\x7f\""},
        {"Kessel \xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\xa5", 18,
         "\"Kessel \xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\xa5\""},
        {"a\xff"
         "b",
         3, "\"a" FFFD "b\""},
        {"\xc3", 1, "\"" FFFD "\""},
        {"\xc0\xaf", 2, "\"" FFFD FFFD "\""},
        {"\xe0\x80\xaf", 3, "\"" FFFD FFFD FFFD "\""},
        {"\xed\xa0\x80", 3, "\"" FFFD FFFD FFFD "\""},
        {"\xf4\x90\x80\x80", 4, "\"" FFFD FFFD FFFD FFFD "\""},
        {"\xf0\x9f\x94"
         "z",
         4, "\"" FFFD "z\""},
        {"\xe2\x82", 2, "\"" FFFD "\""},
    };
    char data[128];
    struct text text;
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_init(&text, data, sizeof(data));
        text_json_string(&text, cases[i].bytes, cases[i].size);
        assert_string_equal(data, cases[i].text);
    }
}

/* Every byte at every place of a word, against what the fast look at eight bytes must find. */
static void finds_what_needs_an_escape_at_any_place(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 0x100; byte++) {
        int escapes = byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80;
        for (size_t place = 0; place < 16; place++) {
            char bytes[16], data[64];
            struct text text;
            memset(bytes, '!', sizeof(bytes));
            bytes[place] = (char)byte;
            text_init(&text, data, sizeof(data));
            text_json_string(&text, bytes, sizeof(bytes));
            assert_int_equal(text.size > sizeof(bytes) + 2, escapes);
        }
    }
}

static void writes_values_as_json(void **state)
{
    (void)state;
    struct gap gap = {.first = 41000, .last = 41999, .count = 1000, .reason = GAP_RETENTION};
    assert_string_equal(json((struct value){.type = VALUE_NONE}), "null");
    assert_string_equal(json((struct value){.type = VALUE_BOOL, .b = true}), "true");
    assert_string_equal(json((struct value){.type = VALUE_BOOL}), "false");
    assert_string_equal(json((struct value){.type = VALUE_I64, .i = -42}), "-42");
    assert_string_equal(json((struct value){.type = VALUE_I64, .i = INT64_C(1) << 53}),
                        "9007199254740992");
    assert_string_equal(json((struct value){.type = VALUE_I64, .i = -(INT64_C(1) << 53) - 1}),
                        "\"-9007199254740993\"");
    assert_string_equal(json((struct value){.type = VALUE_U64, .u = UINT64_MAX}),
                        "\"18446744073709551615\"");
    assert_string_equal(json((struct value){.type = VALUE_F64, .decimals = 2, .f = 18.42}),
                        "18.42");
    assert_string_equal(json((struct value){.type = VALUE_TEXT, .size = 2, .data = "ok"}),
                        "\"ok\"");
    assert_string_equal(json((struct value){.type = VALUE_TEXT}), "\"\"");
    assert_string_equal(
        json((struct value){.type = VALUE_BYTES, .size = 3, .data = "\x00\xab\x1f"}), "\"00ab1f\"");
    assert_string_equal(json((struct value){.type = VALUE_GAP, .gap = &gap}),
                        "{\"first\":41000,\"last\":41999,\"count\":1000}");
}

static void put_piece(struct text *text, size_t piece)
{
    static const struct value bytes = {.type = VALUE_BYTES, .size = 2, .data = "\x12\x34"};
    switch (piece) {
    case 0:
        text_raw(text, "raw", 3);
        break;
    case 1:
        text_printf(text, "%d", 12345);
        break;
    case 2:
        text_json_string(text, "a\nb\xff", 4);
        break;
    case 3:
        text_f64(text, 1.5, 1);
        break;
    default:
        text_json_value(text, &bytes);
    }
}

static void writes_whole_pieces_or_nothing(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 5; piece++) {
        char whole[32];
        struct text text;
        text_init(&text, whole, sizeof(whole));
        put_piece(&text, piece);
        for (size_t room = 0; room <= text.size + 3; room++) {
            char *data = malloc(room);
            struct text tight;
            text_init(&tight, data, room);
            text_raw(&tight, "<", 1);
            put_piece(&tight, piece);
            int fits = room > text.size + 1;
            assert_int_equal(tight.cut, !fits);
            assert_int_equal(tight.size, fits ? text.size + 1 : room > 1);
            if (room > 0)
                assert_int_equal(data[tight.size], '\0');
            text_raw(&tight, "", 0);
            text_raw(&tight, ">", 1);
            if (!fits) /* once cut, nothing more, so that no piece is missing in the middle */
                assert_int_equal(tight.size, room > 1);
            free(data);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_doubles_as_people_read_them),
        cmocka_unit_test(shortest_form_reads_back_as_the_same_double),
        cmocka_unit_test(shortest_form_reads_back_as_the_same_float),
        cmocka_unit_test(fixed_decimals_are_the_nearest),
        cmocka_unit_test(writes_a_point_in_a_country_of_commas),
        cmocka_unit_test(writes_integers),
        cmocka_unit_test(writes_strings_that_any_reader_takes),
        cmocka_unit_test(finds_what_needs_an_escape_at_any_place),
        cmocka_unit_test(writes_values_as_json),
        cmocka_unit_test(writes_whole_pieces_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
