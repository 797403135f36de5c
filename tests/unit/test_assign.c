/* What a profile says of the registers that set unit and baud. */
// links: sluice_config
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "config/assign.h"

static void reads_which_code_stands_for_which_baud(void **state)
{
    static const struct {
        const char *text;
        int32_t baud;
        uint16_t code;
    } cases[] = {{"9600=2", 9600, 2},
                 {"2400=0", 2400, 0},
                 {"115200=1152", 115200, 1152},
                 {"300=65535", 300, 65535}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t baud;
        uint16_t code;

        assert_true(config_assign_baud(cases[i].text, &baud, &code));
        assert_int_equal(baud, cases[i].baud);
        assert_int_equal(code, cases[i].code);
    }
}

static void refuses_what_is_no_baud_or_code(void **state)
{
    static const char *const texts[] = {"",         "9600",    "9600=",   "=2",        "9600=x",
                                        "9600 = 2", "0=1",     "9600=-1", "1200000=1", "9600=65536",
                                        "9600=2=3", "96=00=1", "9600=2 "};
    int32_t baud;
    uint16_t code;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (config_assign_baud(texts[i], &baud, &code))
            fail_msg("\"%s\" is taken", texts[i]);
    }
}

static void reads_which_codes_stand_for_which_format(void **state)
{
    static const struct {
        const char *text;
        struct assign_format format;
    } cases[] = {{"8N1=0", {8, 1, 'N', 0, -1}},
                 {"8E1=1", {8, 1, 'E', 1, -1}},
                 {"7O2=65535", {7, 2, 'O', 65535, -1}},
                 {"8N2=0/2", {8, 2, 'N', 0, 2}}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct assign_format format;

        assert_true(config_assign_format(cases[i].text, &format));
        assert_int_equal(format.data_bits, cases[i].format.data_bits);
        assert_int_equal(format.stop_bits, cases[i].format.stop_bits);
        assert_int_equal(format.parity, cases[i].format.parity);
        assert_int_equal(format.code, cases[i].format.code);
        assert_int_equal(format.stop_code, cases[i].format.stop_code);
    }
}

static void refuses_what_is_no_format_or_code(void **state)
{
    static const char *const texts[] = {"",          "8N1",         "8N1=",         "8N1=x",
                                        "8n1=0",     "9N1=0",       "8N3=0",        "8N1=-1",
                                        "8N1=65536", "8N1=0/",      "8N1=/1",       "8N1=0/1/2",
                                        "8N1 =0",    "8N1=0/65536", "8N1=00000123", "N=0"};
    struct assign_format format;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (config_assign_format(texts[i], &format))
            fail_msg("\"%s\" is taken", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_which_code_stands_for_which_baud),
        cmocka_unit_test(refuses_what_is_no_baud_or_code),
        cmocka_unit_test(reads_which_codes_stand_for_which_format),
        cmocka_unit_test(refuses_what_is_no_format_or_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
