/* Checksums of lines. The sums of the vectors were computed apart from the code under test. */
// links: driver_serial
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

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
};

static void takes_right_sums_and_no_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t content = 0;
        int result = checksum_check(&cases[i].checksum, (const uint8_t *)cases[i].line,
                                    strlen(cases[i].line), &content);

        if (cases[i].content < 0) {
            assert_int_equal(result, ERR_CHECKSUM);
        } else {
            assert_int_equal(result, 0);
            assert_int_equal(content, cases[i].content);
        }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_right_sums_and_no_others),
        cmocka_unit_test(notices_every_single_bit_that_is_wrong),
    };

    return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
