/* What the answers of a unit are taken for, and how long a scan is said to take. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "modbus/scan.h"

static const struct scan_quality clean = {.answering = 4, .silent = 100};
static const struct scan_quality alone = {.silent = 100, .garbled = 1};
static const struct scan_quality numbered = {.answering = 4, .silent = 100, .numbered = true};
static const struct scan_quality noisy = {.answering = 2, .silent = 20, .garbled = 30};

static void tells_devices_from_noise_and_silence(void **state)
{
    static const struct {
        struct scan_tally tally;
        const struct scan_quality *quality;
        enum scan_verdict verdict;
    } cases[] = {
        {{.silent = 1}, &clean, SCAN_ABSENT},
        {{.answers = 3}, &clean, SCAN_PRESENT},
        {{.exceptions = 3, .exception = 2}, &clean, SCAN_PRESENT},
        {{.answers = 2, .silent = 1}, &clean, SCAN_PRESENT},
        /* Two that answer at once: now and then one is heard, mostly both. */
        {{.answers = 2, .garbled = 3}, &clean, SCAN_SHARED},
        {{.garbled = 5}, &clean, SCAN_SHARED},
        {{.garbled = 3, .silent = 2}, &clean, SCAN_SHARED},
        /* One is later than the other. */
        {{.answers = 1, .doubled = 4}, &clean, SCAN_SHARED},
        {{.doubled = 5}, &alone, SCAN_SHARED},
        {{.answers = 4, .doubled = 1}, &clean, SCAN_SHARED},
        /* Nobody shows that the setting is right. */
        {{.garbled = 5}, &alone, SCAN_UNCLEAR},
        /* One damaged answer of five is no second device. */
        {{.answers = 4, .garbled = 1}, &clean, SCAN_NOISY},
        {{.garbled = 1, .silent = 4}, &clean, SCAN_ABSENT},
        /* Where everybody is garbled, also those that are not there, the line is. */
        {{.garbled = 4, .silent = 1}, &noisy, SCAN_ABSENT},
        {{.answers = 2, .garbled = 3}, &noisy, SCAN_NOISY},
        {{.answers = 3}, &noisy, SCAN_PRESENT},
        /* Over TCP no answers fall on each other: a server sends twice, or numbers wrongly. */
        {{.doubled = 5}, &numbered, SCAN_UNCLEAR},
        {{.doubled = 1, .silent = 4}, &numbered, SCAN_ABSENT},
        {{.answers = 1, .doubled = 4}, &numbered, SCAN_NOISY},
        {{.answers = 3}, &numbered, SCAN_PRESENT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum scan_verdict verdict = scan_judge(&cases[i].tally, cases[i].quality);

        if (verdict != cases[i].verdict)
            fail_msg("case %zu is called %s", i, scan_word(verdict));
        assert_int_equal(scan_advice(verdict, cases[i].quality->numbered)[0] == '\0',
                         verdict == SCAN_ABSENT || verdict == SCAN_PRESENT);
    }
}

static void asks_again_only_where_there_is_something(void **state)
{
    static const struct {
        struct scan_tally tally;
        unsigned questions;
    } cases[] = {
        {{0}, 1},
        {{.silent = 1}, 0},
        {{.answers = 1}, 2},
        {{.exceptions = 2, .answers = 1}, 0},
        {{.garbled = 1}, 4},
        {{.answers = 2, .doubled = 1}, 2},
        {{.garbled = 3, .silent = 2}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(scan_questions(&cases[i].tally), cases[i].questions);
}

static struct scan_options lines_of(int32_t first, int32_t second)
{
    struct scan_options options = {
        .bus.port = "/dev/ttyS0", .unit_count = 100, .timeout_ns = 250 * NS_PER_MS};
    const int32_t bauds[] = {first, second};

    for (int i = 0; i < 2 && bauds[i]; i++)
        options.lines[options.line_count++] =
            (struct port_settings){.baud = bauds[i], .data_bits = 8, .stop_bits = 1, .parity = 'E'};
    return options;
}

/* 15 bytes of 11 bits on the wire, a silence of 3.5 of them, and the time-out. */
static void reckons_time_by_baud_and_timeout(void **state)
{
    struct scan_options at_1200 = lines_of(1200, 0), at_9600 = lines_of(9600, 0),
                        both = lines_of(1200, 9600), network = lines_of(9600, 0);
    int64_t ns_1200 = scan_most_ns(&at_1200), ns_9600 = scan_most_ns(&at_9600);

    (void)state;
    assert_in_range(ns_1200 / NS_PER_MS, 100 * (250 + 137 + 32), 100 * (250 + 137 + 32 + 10));
    assert_in_range(ns_9600 / NS_PER_MS, 100 * (250 + 17 + 4), 100 * (250 + 17 + 4 + 10));
    assert_int_equal(scan_most_ns(&both), ns_1200 + ns_9600);
    at_9600.bus.ascii = true;
    assert_true(scan_most_ns(&at_9600) > ns_9600);
    network.bus.port = NULL;
    assert_in_range(scan_most_ns(&network) / NS_PER_MS, 100 * 250, 100 * 260);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_devices_from_noise_and_silence),
        cmocka_unit_test(asks_again_only_where_there_is_something),
        cmocka_unit_test(reckons_time_by_baud_and_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
