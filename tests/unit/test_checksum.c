/* Checksums of lines. The sums of the vectors were computed apart from the code under test. */
// links: driver_serial
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "core/error.h"
#include "serial/checksum.h"

static const struct {
    struct checksum checksum;
    const char *line;
    int content; /* bytes before the checksum; -1: it is wrong */
} cases[] = {
    {{CHECKSUM_NONE, 0, 0, ""}, "anything", 8},
    {{CHECKSUM_NMEA, 0, 0, ""},
     "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47",
     62},
    {{CHECKSUM_NMEA, 0, 0, ""},
     "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A",
     65},
    {{CHECKSUM_NMEA, 0, 0, ""},
     "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6a",
     65},
    {{CHECKSUM_NMEA, 0, 0, ""},
     "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6B",
     -1},
    {{CHECKSUM_NMEA, 0, 0, ""},
     "$GPRMC,123519,A,4807.039,N,01131.000,E,022.4,084.4,230394,003.1,W*6A",
     -1},
    {{CHECKSUM_NMEA, 0, 0, ""}, "$GPRMC,123519,A*", -1},
    {{CHECKSUM_NMEA, 0, 0, ""}, "$GPRMC,123519", -1},
    {{CHECKSUM_NMEA, 0, 0, ""}, "$*00", 1},
    {{CHECKSUM_NMEA, 0, 0, ""}, "*00", -1},
    {{CHECKSUM_NMEA, 0, 0, ""}, "$*0G", -1},
    {{CHECKSUM_NMEA, 0, 0, ""}, "$", -1},
    {{CHECKSUM_XOR, CHECKSUM_HEX, 0, ""}, "12345678931", 9},
    {{CHECKSUM_SUM8, CHECKSUM_HEX, 0, "#"}, "123456789#DD", 9},
    {{CHECKSUM_SUM8, CHECKSUM_HEX, 0, "#"}, "123456789DD", -1},
    {{CHECKSUM_LRC, CHECKSUM_HEX, 1, ""}, ":12345678923", 10},
    {{CHECKSUM_CRC16_MODBUS, CHECKSUM_HEX, 0, ""}, "1234567894B37", 9},
    {{CHECKSUM_CRC16_MODBUS, CHECKSUM_HEX_LOW_FIRST, 0, ""}, "123456789374B", 9},
    {{CHECKSUM_CRC16_CCITT, CHECKSUM_HEX, 0, ""}, "12345678929B1", 9},
    {{CHECKSUM_CRC16_CCITT, CHECKSUM_BINARY, 0, ""}, "123456789\x29\xB1", 9},
    {{CHECKSUM_CRC16_CCITT, CHECKSUM_BINARY_LOW_FIRST, 0, ""}, "123456789\xB1\x29", 9},
    {{CHECKSUM_CRC16_XMODEM, CHECKSUM_HEX, 0, ""}, "12345678931C3", 9},
    {{CHECKSUM_CRC16_XMODEM, CHECKSUM_HEX, 0, ""}, "12345678931C4", -1},
    {{CHECKSUM_CRC16_X25, CHECKSUM_HEX, 0, ""}, "123456789906E", 9},
    {{CHECKSUM_CRC16_X25, CHECKSUM_BINARY_LOW_FIRST, 0, ""}, "123456789\x6E\x90", 9},
    /* The example of the SDI-12 specification, and one more. */
    {{CHECKSUM_SDI12, 0, 0, ""}, "0+3.14OqZ", 6},
    {{CHECKSUM_SDI12, 0, 0, ""}, "0-3.14+1.23LRW", 11},
    {{CHECKSUM_SDI12, 0, 0, ""}, "0+3.14Oqz", -1},
    {{CHECKSUM_SDI12, 0, 0, ""}, "0+3.15OqZ", -1},
    {{CHECKSUM_SDI12, 0, 0, ""}, "qZ", -1},
    /* Toledo continuous output: the sum of all 18 bytes is 0 in its seven low bits. */
    {{CHECKSUM_SUM7, CHECKSUM_BINARY, 0, ""}, "\x02\x2A\x30\x20  1234     0\r\x1D", 17},
    {{CHECKSUM_SUM7, CHECKSUM_BINARY, 0, ""}, "\x02\x2A\x38\x20  1234     0\r\x1D", -1},
    /* IEC 62056-21: from behind the STX to the ETX. */
    {{CHECKSUM_BCC, 0, 0, ""},
     "\x02"
     "1.8.0(000123.4*kWh)\r\n!\r\n\x03\x7E",
     26},
    {{CHECKSUM_BCC, 0, 0, ""},
     "\x02"
     "1.8.0(000123.5*kWh)\r\n!\r\n\x03\x7E",
     -1},
    {{CHECKSUM_BCC, 0, 0, ""}, "\x02", -1},
    /* What a manual of ultrasonic flow meters shows. */
    {{CHECKSUM_SUM8, CHECKSUM_HEX, 0, "!"}, "+0.000000E+00m3/d!AC", 17},
    {{CHECKSUM_SUM8, CHECKSUM_HEX, 0, "!"}, "+0.000000E+00m/s!88", 16},
    {{CHECKSUM_SUM8, CHECKSUM_HEX, 0, "!"}, "+1234567E+0m3 !F7", 14},
    {{CHECKSUM_SUM8, CHECKSUM_HEX, 0, "!"}, "+0.000000E+0GJ!DA", 14},
    {{CHECKSUM_SUM8, CHECKSUM_HEX, 0, "!"}, "+7.838879E+00mA!59", 15},
    {{CHECKSUM_SUM8, CHECKSUM_HEX, 0, "!"}, "+3.911033E+01!8E", 13},
    {{CHECKSUM_UNSAID, 0, 0, ""}, "anything", 8},
};

static void takes_right_sums_and_no_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t content = 0;
        int result = checksum_check(&cases[i].checksum, (const uint8_t *)cases[i].line,
                                    strlen(cases[i].line), &content);

        if (result != (cases[i].content < 0 ? ERR_CHECKSUM : 0) ||
            (cases[i].content >= 0 && content != (size_t)cases[i].content))
            fail_msg("\"%s\" gave %d, %zu", cases[i].line, result, content);
    }
}

static void notices_every_single_bit_that_is_wrong(void **state)
{
    char line[] = "$GPGLL,4916.45,N,12311.12,W,225444,A*31";
    const struct checksum nmea = {CHECKSUM_NMEA, 0, 0, ""};
    size_t size = strlen(line), content;

    (void)state;
    assert_int_equal(checksum_check(&nmea, (const uint8_t *)line, size, &content), 0);
    for (size_t bit = 8; bit < (size - 2) * 8; bit++) {
        line[bit / 8] = (char)(line[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(checksum_check(&nmea, (const uint8_t *)line, size, &content),
                         ERR_CHECKSUM);
        line[bit / 8] = (char)(line[bit / 8] ^ 1 << bit % 8);
    }
}

/* Each line with a right checksum is what checksum_write makes of what stands before it. */
static void writes_what_it_takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct checksum *checksum = &cases[i].checksum;
        size_t size = strlen(cases[i].line), text_size = checksum_text_size(checksum);
        uint8_t text[CHECKSUM_TEXT_MAX];

        if (cases[i].content < 0)
            continue;
        assert_int_equal(checksum_write(checksum, (const uint8_t *)cases[i].line,
                                        (size_t)cases[i].content, text),
                         text_size);
        assert_int_equal(
            strncasecmp((const char *)text, cases[i].line + size - text_size, text_size), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_it_takes),
        cmocka_unit_test(takes_right_sums_and_no_others),
        cmocka_unit_test(notices_every_single_bit_that_is_wrong),
    };

    return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
