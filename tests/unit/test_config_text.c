/* The small helpers of the configuration: durations and sizes, what was probably meant, kept texts,
 * UTF-8. */
// links: sluice_config sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/quantity.h"
#include "config/textmap.h"
#include "config/ucum.h"
#include "config/utf8.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/nearest.h"

static void reads_durations_and_sizes_with_their_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ns, bytes; /* negative: refused */
    } cases[] = {
        {"250ms", 250 * NS_PER_MS, -1},
        {"1.5s", 1500 * NS_PER_MS, -1},
        {"0s", 0, -1},
        {"90d", INT64_C(7776000) * NS_PER_S, -1},
        {"5 m", 300 * NS_PER_S, -1},
        {"7us", 7 * NS_PER_US, -1},
        {"106751d", INT64_C(106751) * 86400 * NS_PER_S, -1},
        {"106752d", -1, -1},
        {"64KiB", -1, 65536},
        {"0.5GiB", -1, INT64_C(1) << 29},
        {"500MB", -1, 500000000},
        {"9223372036854775807B", -1, INT64_MAX},
        {"9223372036854775808B", -1, -1},
        {"5", -1, -1},
        {"s", -1, -1},
        {"", -1, -1},
        {"-5s", -1, -1},
        {"5.s", -1, -1},
        {".5s", -1, -1},
        {"5  s", -1, -1},
        {"5sec", -1, -1},
        {"5S", -1, -1},
        {"1e3s", -1, -1},
        {"8gib", -1, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ns = -1, bytes = -1;
        char why[128] = "";
        int error = quantity_duration(cases[i].text, &ns, why, sizeof(why));
        assert_int_equal(error, cases[i].ns < 0 ? ERR_INVALID : 0);
        assert_int_equal(*why != 0, error != 0);
        assert_int_equal(error ? -1 : ns, cases[i].ns);
        error = quantity_size(cases[i].text, &bytes, why, sizeof(why));
        assert_int_equal(error, cases[i].bytes < 0 ? ERR_INVALID : 0);
        assert_int_equal(error ? -1 : bytes, cases[i].bytes);
    }
}

static void writes_quantities_in_their_largest_round_unit(void **state)
{
    static const struct {
        double ns;
        const char *text;
    } cases[] = {{0, "0s"},    {1e6, "1ms"},     {1.5e9, "1.5s"},
                 {60e9, "1m"}, {7776e12, "90d"}, {17, "17ns"}};
    (void)state;
    char text[QUANTITY_TEXT_SIZE];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        quantity_duration_text(cases[i].ns, text);
        assert_string_equal(text, cases[i].text);
    }
    quantity_size_text(8.0 * (1 << 30), text);
    assert_string_equal(text, "8GiB");
    quantity_size_text(500e6, text);
    assert_string_equal(text, "500MB");
}

static void finds_what_was_probably_meant(void **state)
{
    static const struct {
        const char *found, *meant; /* NULL: nothing */
    } cases[] = {
        {"evrey", "every"},    {"Every", "every"},       {"unti", "unit"}, {"uint", "unit"},
        {"unit_id", "unit"},   {"at-least", "at_least"}, {"x", NULL},      {"", NULL},
        {"temperature", NULL}, {"reprot", "report"},     {"cafile", "ca"}, {"foo", NULL},
        {"frogte", "forget"},  {"forge", "forget"},      {"cb", "ca"},     {"ever", "every"},
        {"unity", "unit"},
    };
    static const char *const words[] = {"every", "unit", "at_least", "report", "ca", "forget"};
    (void)state;
    assert_int_equal(nearest_distance("", "abc"), 3);
    assert_int_equal(nearest_distance("ab", "ba"), 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nearest nearest;
        nearest_init(&nearest, cases[i].found);
        for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
            nearest_offer(&nearest, words[j]);
        if (cases[i].meant)
            assert_string_equal(nearest.best, cases[i].meant);
        else
            assert_null(nearest.best);
    }
}

static void finds_names_by_a_part_of_them(void **state)
{
    static const struct {
        const char *found, *meant; /* NULL: nothing */
    } cases[] = {
        {"sdm630", "eastron-sdm630"},
        {"SDM 630", "eastron-sdm630"},
        {"sdm360", "eastron-sdm630"},
        {"eastron-sdm72", "eastron-sdm72"},
        {"eastron_sdm63", "eastron-sdm630"},
        {"sdm72v2", "eastron-sdm72-v2"},
        {"umg604", "janitza-umg-604-pro"},
        {"easton-sdm630", "eastron-sdm630"},
        {"sdm", "eastron-sdm72"}, /* the shortest of those that are as near */
        {"rtu", "modbus-rtu"},
        {"xy", NULL},
        {"profinet", NULL},
        {"sdn", NULL}, /* one letter of three says too little of a part */
    };
    static const char *const words[] = {"eastron-sdm72-v2", "eastron-sdm630", "eastron-sdm72",
                                        "modbus-rtu", "janitza-umg-604-pro"};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nearest nearest;
        nearest_init(&nearest, cases[i].found);
        for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
            nearest_offer_part(&nearest, words[j]);
        if (!cases[i].meant != !nearest.best ||
            (nearest.best && strcmp(nearest.best, cases[i].meant) != 0))
            fail_msg("%s: %s", cases[i].found, nearest.best ? nearest.best : "nothing");
    }
}

static void keeps_thousands_of_texts_apart(void **state)
{
    (void)state;
    static char texts[3000][16];
    struct textmap map = {0};
    assert_null(textmap_find(&map, "0"));
    for (size_t i = 0; i < 3000; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%zu", i);
        assert_null(textmap_find(&map, texts[i]));
        assert_int_equal(textmap_put(&map, texts[i], texts[i]), 0);
    }
    for (size_t i = 0; i < 3000; i++)
        assert_ptr_equal(textmap_find(&map, texts[i]), texts[i]);
    textmap_clear(&map);
    assert_null(textmap_find(&map, "0"));
}

static void knows_the_codes_of_common_units(void **state)
{
    (void)state;
    assert_string_equal(ucum_of_unit("°C"), "Cel");
    assert_string_equal(ucum_of_unit("kWh"), "kW.h");
    assert_string_equal(ucum_of_unit("m³/h"), "m3/h");
    assert_null(ucum_of_unit("cubits"));
}

static void never_leaves_half_a_character(void **state)
{
    (void)state;
    char text[] = "a\xc3\xbc\xe2\x82\xac";
    static const size_t kept[] = {6, 3, 3, 3, 1, 1, 0};
    for (size_t cut = 0; cut <= 6; cut++) {
        char copy[sizeof(text)];
        memcpy(copy, text, sizeof(text));
        copy[6 - cut] = '\0';
        utf8_cut(copy);
        assert_int_equal(strlen(copy), kept[cut]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_durations_and_sizes_with_their_units),
        cmocka_unit_test(writes_quantities_in_their_largest_round_unit),
        cmocka_unit_test(finds_what_was_probably_meant),
        cmocka_unit_test(finds_names_by_a_part_of_them),
        cmocka_unit_test(keeps_thousands_of_texts_apart),
        cmocka_unit_test(knows_the_codes_of_common_units),
        cmocka_unit_test(never_leaves_half_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
