/* Where the packets of MQTT begin in a stream, whatever the pieces that it comes in. */
// links: sluice_tls
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls/framing.h"

#define LIMIT 300

struct stream_case {
    bool passes;
    const char *bytes;
    size_t size;
};

#define CASE(passes, bytes)                                                                        \
    {                                                                                              \
        passes, bytes, sizeof(bytes) - 1                                                           \
    }

static const struct stream_case cases[] = {
    CASE(true, "\x20\x03\x00\x00\x00\xd0\x00\x40\x02\x00\x01\xd0\x00"),
    CASE(true, "\x30\xac\x02"), /* 300 bytes */
    CASE(false, "\x30\xad\x02"),
    CASE(false, "\x30\xff\xff\xff\x7f"), /* 256 MB */
    CASE(true, "\x30\x80\x80\x80\x00\xd0\x00"),
    CASE(false, "\x30\x80\x80\x80\x80\x00"), /* a fifth byte of length */
    CASE(false, "\x00\x02"),
    CASE(true, "\x30\x00\x31\x00\x32\x00\x33\x00\x38\x00\x3b\x00"), /* PUBLISH of QoS 0 and 1 */
    CASE(false, "\x34\x00"),
    CASE(false, "\x36\x00"),
    CASE(true, "\x90\x00\xb0\x00\xe0\x00"),
    CASE(false, "\x50\x02\x00\x01"), /* PUBREC, PUBREL, PUBCOMP: of QoS 2 */
    CASE(false, "\x62\x02\x00\x01"),
    CASE(false, "\x70\x02\x00\x01"),
    CASE(false, "\xf0\x00"), /* AUTH, which nobody began */
    CASE(false, "\x10\x00"), /* what a client sends */
    CASE(false, "\x82\x00"),
    CASE(false, "\xa2\x00"),
    CASE(false, "\xc0\x00"),
    CASE(false, "\x41\x02\x00\x01"), /* flags that have no meaning */
    CASE(false, "\xd0\x00\x0f"),
};

static void packets_are_told_from_what_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct framing framing = {0};

        if (framing_pass(&framing, (const uint8_t *)cases[i].bytes, cases[i].size, LIMIT) !=
            cases[i].passes)
            fail_msg("case %zu", i);
    }
}

static void pieces_make_no_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct framing framing = {0};
        bool passes = true;

        for (size_t j = 0; j < cases[i].size && passes; j++)
            passes = framing_pass(&framing, (const uint8_t *)cases[i].bytes + j, 1, LIMIT);
        if (passes != cases[i].passes)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_told_from_what_is_none),
        cmocka_unit_test(pieces_make_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
