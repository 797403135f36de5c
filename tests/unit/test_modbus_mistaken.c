/* What looks like a frame or like an answer, and is none. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "modbus/sniff.h"
#include "unit/sniff_rig.h"

static const uint8_t set[] = {6, 0, 9, 1, 0};

/* Of that shape are both; a device that takes five seconds has no master that waits for it. */
static void a_copy_of_a_request_that_comes_late_is_another_request(void **state)
{
    static const struct {
        int64_t later_ns;
        const char *begins;
    } cases[] = {{4 * NS_PER_S, "<- unit 1  write register at 9: 256  after 3991.9 ms\n"},
                 {6 * NS_PER_S, "-> unit 1  write register at 9: 256\n"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct heard heard;
        struct sniff sniff;
        uint8_t bytes[16];
        size_t size = rtu(bytes, 1, set, sizeof set);

        begin(&heard, &sniff, SNIFF_RTU);
        sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, size);
        sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S + cases[i].later_ns, bytes, size);
        const char *second = strchr(heard.lines, '\n');
        assert_non_null(second);
        assert_string_equal(second + 1, cases[i].begins);
    }
}

/* Behind garbage two bytes that fit a checksum prove little; that there is such an exception
 * helps. */
static void an_exception_that_there_is_not_is_garbage_behind_garbage(void **state)
{
    static const struct {
        uint8_t exception;
        bool behind, is_frame;
    } cases[] = {{2, true, true},   {11, true, true},    {0, true, false},
                 {12, true, false}, {0x55, true, false}, {0x55, false, true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t refusal[] = {0x83, cases[i].exception};
        struct heard heard;
        struct sniff sniff;
        uint8_t bytes[16] = {0xFF, 0xFE, 0xFD};
        size_t before = cases[i].behind ? 3 : 0;
        size_t size = before + rtu(bytes + before, 7, refusal, sizeof refusal);

        begin(&heard, &sniff, SNIFF_RTU);
        sniff_feed(&sniff, SNIFF_HEARD, NS_PER_S, bytes, size);
        sniff_flush(&sniff);
        assert_int_equal(strstr(heard.lines, "unit 7  ") != NULL, cases[i].is_frame);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_of_a_request_that_comes_late_is_another_request),
        cmocka_unit_test(an_exception_that_there_is_not_is_garbage_behind_garbage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
