/* Requests and the steps of exchanges: what their texts mean, and which are refused. */
// links: driver_serial
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "serial/request.h"
#include "serial/script.h"

static const struct {
    const char *text, *bytes;
    int size; /* ERR_INVALID: it is refused */
} requests[] = {
    {"SI\r\n", "SI\r\n", 4},
    {"SI\\r\\n\\t\\\\", "SI\r\n\t\\", 6},
    {"\\x06\\x00\\xfF", "\x06\0\xff", 3},
    {"{address}M!", "7M!", 3},
    {"\\x060{2}0",
     "\x06"
     "0"
     "50",
     4},
    {"{{x}", "{x}", 3},
    {"123456789{xor}", "12345678931", 11},
    {"123456789{sum8}", "123456789DD", 11},
    {"#123456789{xor hex 1}", "#12345678931", 12},
    {"123456789{crc16-modbus binary-low-first}", "123456789\x37\x4B", 11},
    {"123456789{crc16-x25}\\r", "123456789906E\r", 14},
    {"0+3.14{sdi-12}", "0+3.14OqZ", 9},
    {"a{", NULL, ERR_INVALID},
    {"a{nothing}", NULL, ERR_INVALID},
    {"a{none}", NULL, ERR_INVALID},
    {"a{}", NULL, ERR_INVALID},
    {"a{xor octal}", NULL, ERR_INVALID},
    {"a{xor hex 2}", NULL, ERR_INVALID},
    {"a{xor hex x}", NULL, ERR_INVALID},
    {"a{xor hex 0 0}", NULL, ERR_INVALID},
    {"{3}", NULL, ERR_INVALID},
    {"\\q", NULL, ERR_INVALID},
    {"\\x0", NULL, ERR_INVALID},
    {"\\", NULL, ERR_INVALID},
};

static void builds_what_the_text_means(void **state)
{
    static const struct request_values values = {
        .address = "7", .group_count = 3, .groups = {"all", "first", "5"}};

    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        uint8_t out[REQUEST_SIZE_MAX];
        char why[200] = "";
        int size = request_build(requests[i].text, &values, out, why, sizeof(why));

        if (size != requests[i].size)
            fail_msg("\"%s\" gave %d: %s", requests[i].text, size, why);
        if (size >= 0)
            assert_memory_equal(out, requests[i].bytes, (size_t)size);
        else
            assert_true(strlen(why) > 5);
    }
}

static void refuses_a_request_that_is_too_long(void **state)
{
    static const struct request_values values = {.address = NULL};
    char text[REQUEST_SIZE_MAX + 2], why[200] = "";
    uint8_t out[REQUEST_SIZE_MAX];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[REQUEST_SIZE_MAX] = 0;
    assert_int_equal(request_build(text, &values, out, why, sizeof(why)), REQUEST_SIZE_MAX);
    text[REQUEST_SIZE_MAX] = 'a';
    text[REQUEST_SIZE_MAX + 1] = 0;
    assert_int_equal(request_build(text, &values, out, why, sizeof(why)), ERR_INVALID);
    assert_int_equal(request_build("{address}", &values, out, why, sizeof(why)), ERR_INVALID);
}

static int compile(struct script *script, const char *const *steps, size_t count, size_t *wrong,
                   char why[256])
{
    struct serial_device_options options = {.address = "7", .exchange = {steps, count}};

    return script_compile(script, &options, wrong, why, 256);
}

static void compiles_an_exchange(void **state)
{
    static const char *const steps[] = {
        "break 12ms",
        "pause 9ms",
        "send {address}M!\r\n",
        "expect-line ^{address}([0-9]{3})",
        "await-line {1}s ^{address}$",
        "line 300 7E1",
        "baud {1}",
        "timeout 5s",
        "send {1}",
        "read",
    };
    static const enum step_verb verbs[] = {
        STEP_BREAK, STEP_PAUSE, STEP_SEND,    STEP_EXPECT_LINE, STEP_AWAIT_LINE,
        STEP_LINE,  STEP_BAUD,  STEP_TIMEOUT, STEP_SEND,        STEP_READ_ALL,
    };
    struct script script;
    char why[256] = "";
    size_t wrong;

    (void)state;
    if (compile(&script, steps, 10, &wrong, why) != 0)
        fail_msg("step %zu: %s", wrong, why);
    assert_int_equal(script.count, 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(script.steps[i].verb, verbs[i]);
    assert_int_equal(script.steps[0].ns, 12 * NS_PER_MS);
    assert_int_equal(script.steps[4].group, 1);
    assert_int_equal(script.steps[5].line.baud, 300);
    assert_int_equal(script.steps[7].ns, 5 * NS_PER_S);
    assert_true(pattern_matches(script.steps[3].pattern, "70121", 5));
    script_free(&script);
}

static void says_which_step_is_wrong(void **state)
{
    static const char *const bad[] = {
        "",           "sned x",      "send",          "send {1}",
        "pause",      "pause 12",    "pause 12h",     "pause 12ms ",
        "pause {1}s", "pause 1000s", "line 300",      "baud {1}",
        "baud 300",   "expect (",    "await-line 1s", "await-line ^a",
        "read all",   "timeout x",   "expect byte 1", "break 99999999999999999999s",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *steps[] = {"send ?", bad[i]};
        struct script script;
        char why[256] = "";
        size_t wrong = 9;

        if (compile(&script, steps, 2, &wrong, why) != ERR_INVALID)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(wrong, 1);
        assert_true(strlen(why) > 5);
        script_free(&script);
    }
}

static void wants_an_exchange_to_ask_something_and_to_end(void **state)
{
    const char *steps[SERIAL_STEPS_MAX + 1] = {"read"};
    struct script script;
    char why[256];
    size_t wrong;

    (void)state;
    assert_int_equal(compile(&script, steps, 1, &wrong, why), ERR_INVALID);
    script_free(&script);
    for (size_t i = 0; i <= SERIAL_STEPS_MAX; i++)
        steps[i] = "send ?";
    assert_int_equal(compile(&script, steps, SERIAL_STEPS_MAX + 1, &wrong, why), ERR_INVALID);
    script_free(&script);
    assert_int_equal(compile(&script, steps, SERIAL_STEPS_MAX, &wrong, why), 0);
    script_free(&script);
}

static void knows_the_speeds_of_meters(void **state)
{
    (void)state;
    assert_int_equal(script_iec_baud('0'), 300);
    assert_int_equal(script_iec_baud('5'), 9600);
    assert_int_equal(script_iec_baud('6'), 19200);
    assert_int_equal(script_iec_baud('7'), 0);
    assert_int_equal(script_iec_baud('A'), 0);
    assert_int_equal(script_iec_baud(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_what_the_text_means),
        cmocka_unit_test(refuses_a_request_that_is_too_long),
        cmocka_unit_test(compiles_an_exchange),
        cmocka_unit_test(says_which_step_is_wrong),
        cmocka_unit_test(wants_an_exchange_to_ask_something_and_to_end),
        cmocka_unit_test(knows_the_speeds_of_meters),
    };

    return cmocka_run_group_tests_name("serial_script", tests, NULL, NULL);
}
