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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_which_code_stands_for_which_baud),
        cmocka_unit_test(refuses_what_is_no_baud_or_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
