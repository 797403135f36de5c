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

static void a_packet_that_nothing_asked_for_is_named_behind_others(void **state)
{
    static const struct {
        uint8_t first;
        const char *name; /* NULL: it is no MQTT */
    } packets[] = {
        {0x50, "PUBREC for QoS 1"},
        {0x62, "PUBREL"},
        {0x70, "PUBCOMP"},
        {0xf0, "AUTH"},
        {0x34, "PUBLISH of QoS 2"},
        {0x3d, "PUBLISH of QoS 2"},
        {0x36, NULL},
        {0x53, NULL},
        {0x00, NULL},
        {0x10, NULL},
    };
    static const uint8_t connack[] = {0x20, 3, 0, 0, 0};

    (void)state;
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        struct framing first = {0}, framing = {0};

        assert_false(framing_pass(&first, &packets[i].first, 1, LIMIT));
        assert_null(first.unwanted); /* 'P' is how other things than MQTT begin, too */
        assert_true(framing_pass(&framing, connack, sizeof(connack), LIMIT));
        assert_false(framing_pass(&framing, &packets[i].first, 1, LIMIT));
        if (packets[i].name)
            assert_string_equal(framing.unwanted, packets[i].name);
        else
            assert_null(framing.unwanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_told_from_what_is_none),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(a_packet_that_nothing_asked_for_is_named_behind_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
