/* Framing of lines: bytes in pieces of any size, noise, lines inside noise. */
// links: driver_serial
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serial/line.h"

static const struct line_framing nmea = {.start = "$", .end = "\r\n", .length_max = 82};
static const struct line_framing plain = {.start = "", .end = "\r\n", .length_max = 20};
static const struct line_framing fixed = {
    .start = "\x02", .end = "\x03", .length = 6, .length_max = 82};
static const struct line_framing trailed = {
    .start = "\x02", .end = "\x03", .trailer = 1, .length_max = 20};
static const struct line_framing counted = {.start = "#",
                                            .end = "",
                                            .length_field = LINE_LENGTH_U8,
                                            .length_at = 1,
                                            .length_plus = 2,
                                            .length_max = 12};
static const struct line_framing counted_16 = {.start = "#",
                                               .end = ";",
                                               .length_field = LINE_LENGTH_U16,
                                               .length_at = 2,
                                               .length_plus = 5,
                                               .length_max = 12};
static const struct line_framing counted_16_little = {.start = "#",
                                                      .end = "",
                                                      .length_field = LINE_LENGTH_U16_LITTLE,
                                                      .length_at = 1,
                                                      .length_plus = 0,
                                                      .length_max = 1024};
static const struct line_framing silent = {
    .start = "", .end = "", .by_silence = true, .length_max = 8};
static const struct line_framing silent_marked = {
    .start = "$", .end = "", .by_silence = true, .length_max = 8};
static const struct line_framing short_end = {.start = "", .end = "\n", .length_max = 5};
static const struct line_framing bare = {.start = "", .end = "", .length = 4, .length_max = 82};

/* What came out: lines joined by '|'. A line that begins with the byte `rejected` is refused. */
struct feeding {
    struct line_framer framer;
    char out[4096];
    size_t used;
    char rejected;
};

static void drain(struct feeding *feeding)
{
    struct line line;

    while (line_next(&feeding->framer, &line)) {
        if (feeding->rejected && memchr(line.data, feeding->rejected, line.size)) {
            line_reject(&feeding->framer);
            continue;
        }
        assert_true(feeding->used + line.size + 1 < sizeof(feeding->out));
        memcpy(feeding->out + feeding->used, line.data, line.size);
        feeding->used += line.size;
        if (line.content_size < line.size)
            feeding->out[feeding->used++] = (char)('0' + line.content_size);
        feeding->out[feeding->used++] = '|';
        line_accept(&feeding->framer);
    }
    feeding->out[feeding->used] = 0;
}

static void feed(struct feeding *feeding, const char *bytes, size_t size, size_t piece)
{
    for (size_t at = 0; at < size;) {
        size_t wanted = size - at < piece ? size - at : piece;
        size_t taken = line_feed(&feeding->framer, (const uint8_t *)bytes + at, wanted);

        assert_int_not_equal(taken, 0);
        at += taken;
        drain(feeding);
    }
}

static const struct {
    const struct line_framing *framing;
    const char *bytes, *lines;
} cases[] = {
    {&nmea, "$A,1\r\n$B,2\r\n", "$A,1|$B,2|"},
    {&nmea, "noise$A,1\r\n", "$A,1|"},
    {&nmea, "\r\n\r\n$A\r\n\r\n$B\r\n", "$A|$B|"},
    {&nmea, "$A,1\r$\n\r\n", "$A,1\r$\n|"},
    {&nmea, "$A,1", ""},
    {&plain, "S S  1.0 g\r\nS I\r\n\r\n", "S S  1.0 g|S I|"},
    {&plain, "much too long to be a line of this kind\r\nok\r\n", "ok|"},
    {&plain, "12345678901234567890\r\n123456789012345678901\r\nok\r\n", "12345678901234567890|ok|"},
    {&fixed,
     "\x02"
     "1234\x03\x02"
     "5678\x03",
     "\x02"
     "1234|\x02"
     "5678|"},
    {&fixed,
     "xx\x02"
     "12\x02"
     "5678\x03",
     "\x02"
     "5678|"},
    {&fixed,
     "\x02\x02\x02"
     "1234\x03",
     "\x02"
     "1234|"},
    {&short_end, "much too long\nok\n", "ok|"},
    {&bare, "aaaabbbbcc", "aaaa|bbbb|"},
    /* With a trailer the whole line is handed out, and how much of it is content. */
    {&trailed,
     "x\x02"
     "abc\x03Z\x02"
     "d\x03\x03",
     "\x02"
     "abc\x03Z4|\x02"
     "d\x03\x03"
     "2|"},
    {&trailed,
     "\x02"
     "abc\x03",
     ""},
    {&counted, "##\x02xy#\x01z", "#\x02xy|#\x01z|"},
    {&counted,
     "#\x02xyz#\x03"
     "abcde",
     "#\x02xy|#\x03"
     "abc|"},
    {&counted,
     "#\x7f#\x01"
     "ab",
     "#\x01"
     "a|"},
    {&counted_16, "#.\x01\x01#.\x7f;#a", ""},
    {&counted_16_little,
     "#\x05\x7f"
     "#\x10\x10#",
     ""},
};

/* Here a '_' stands for a silence. */
static const struct {
    const struct line_framing *framing;
    const char *bytes, *lines;
} pauses[] = {
    {&silent, "abc_de_", "abc|de|"},
    {&silent, "abc", ""},
    {&silent, "_abc__d_", "abc|d|"},
    {&silent, "much too long_ok_", "ok|"},
    {&silent, "12345678_123456789_ok_", "12345678|ok|"},
    {&silent_marked, "xy$abc_no_$d_", "$abc|$d|"},
    /* Under other framings a silence ends what has begun. */
    {&nmea, "$A,1_,2\r\n$B\r\n", "$B|"},
    {&plain, "half_whole\r\n", "whole|"},
    {&bare, "aaa_bbbb", "bbbb|"},
    {&counted,
     "#\x09"
     "a_#\x01zz",
     "#\x01z|"},
    {&counted, "#\x09#\x01zz_", "#\x01z|"},
};

static void takes_a_silence_for_what_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        for (size_t piece = 1; piece <= 64; piece *= 4) {
            struct feeding feeding = {.rejected = 0};
            const char *at = pauses[i].bytes;

            line_init(&feeding.framer, pauses[i].framing);
            while (*at) {
                size_t size = strcspn(at, "_");

                feed(&feeding, at, size, piece);
                at += size;
                for (; *at == '_'; at++) {
                    line_silence(&feeding.framer);
                    drain(&feeding);
                }
            }
            assert_string_equal(feeding.out, pauses[i].lines);
        }
    }
}

static void hands_out_whole_lines_however_the_bytes_arrive(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t piece = 1; piece <= 64; piece *= 2) {
            struct feeding feeding = {.rejected = 0};

            line_init(&feeding.framer, cases[i].framing);
            feed(&feeding, cases[i].bytes, strlen(cases[i].bytes), piece);
            assert_string_equal(feeding.out, cases[i].lines);
        }
    }
}

static void finds_the_line_inside_a_rejected_one(void **state)
{
    struct feeding feeding = {.rejected = '!'};
    const char bytes[] = "$A,1!$B,2\r\n$C!\r\n$D\r\n";

    (void)state;
    line_init(&feeding.framer, &nmea);
    feed(&feeding, bytes, strlen(bytes), 7);
    assert_string_equal(feeding.out, "$B,2|$D|");
}

static void finds_a_fixed_line_that_noise_ran_into(void **state)
{
    struct line_framing framing = {.start = "#", .end = "", .length = 5, .length_max = 82};
    struct feeding feeding = {.rejected = '!'};
    const char bytes[] = "#!#1234#5678";

    (void)state;
    line_init(&feeding.framer, &framing);
    feed(&feeding, bytes, strlen(bytes), 1);
    assert_string_equal(feeding.out, "#1234|#5678|");
}

static void tells_which_lines_hide_in_a_rejected_one(void **state)
{
    static struct line_framer framer;
    struct line line;
    const char bytes[] = "$A$B$C\r\n$D\r\n";

    (void)state;
    line_init(&framer, &nmea);
    line_feed(&framer, (const uint8_t *)bytes, strlen(bytes));
    for (int i = 0; i < 3; i++) {
        assert_true(line_next(&framer, &line));
        assert_int_equal(line.hidden, i > 0);
        line_reject(&framer);
    }
    assert_true(line_next(&framer, &line));
    assert_false(line.hidden);
    line_accept(&framer);
    assert_false(line_next(&framer, &line));
}

static void forgets_what_was_received_when_reset(void **state)
{
    static struct line_framer framer;
    struct line line;

    (void)state;
    line_init(&framer, &plain);
    line_feed(&framer, (const uint8_t *)"half a l", 8);
    line_reset(&framer);
    line_feed(&framer, (const uint8_t *)"ine\r\n", 5);
    assert_true(line_next(&framer, &line));
    assert_memory_equal(line.data, "ine", line.size);
}

/* Noise of the bytes that framing turns on: after it, a good line of each framing comes out. */
static void is_in_step_again_after_any_noise(void **state)
{
    static const char alphabet[] = "$\r\n\x02\x03#a*";
    static const struct {
        const struct line_framing *framing;
        const char *good, *line;
    } good[] = {
        {&nmea, "\r\n$GOOD\r\n", "$GOOD|"},
        {&plain, "\r\nGOOD\r\n", "GOOD|"},
        {&fixed, "\x02GOOD\x03", "\x02GOOD|"},
    };

    (void)state;
    srand(20261123);
    for (int round = 0; round < 3000; round++) {
        size_t which = (size_t)round % 3, size = (size_t)(rand() % 300);
        struct feeding feeding = {.rejected = 0};
        char noise[300];

        for (size_t i = 0; i < size; i++)
            noise[i] = rand() % 4 ? alphabet[rand() % 8] : (char)rand();
        line_init(&feeding.framer, good[which].framing);
        feed(&feeding, noise, size, 1 + (size_t)(rand() % 40));
        feeding.used = 0;
        feed(&feeding, "aaaaaa", which == 2 ? 6 : 0, 6);
        feed(&feeding, good[which].good, strlen(good[which].good), 3);
        assert_non_null(
            memmem(feeding.out, feeding.used, good[which].line, strlen(good[which].line)));
    }
}

static void stays_bounded_without_any_end(void **state)
{
    static struct line_framer framer;
    struct line line;
    uint8_t bytes[512];

    (void)state;
    memset(bytes, '$', sizeof(bytes));
    for (int which = 0; which < 2; which++) {
        line_init(&framer, which ? &plain : &nmea);
        for (int i = 0; i < 1000; i++) {
            assert_int_equal(line_feed(&framer, bytes, sizeof(bytes)), sizeof(bytes));
            assert_false(line_next(&framer, &line));
        }
        assert_true(framer.dropped_bytes > 1000 * sizeof(bytes) - 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_whole_lines_however_the_bytes_arrive),
        cmocka_unit_test(takes_a_silence_for_what_it_is),
        cmocka_unit_test(finds_the_line_inside_a_rejected_one),
        cmocka_unit_test(finds_a_fixed_line_that_noise_ran_into),
        cmocka_unit_test(tells_which_lines_hide_in_a_rejected_one),
        cmocka_unit_test(forgets_what_was_received_when_reset),
        cmocka_unit_test(is_in_step_again_after_any_noise),
        cmocka_unit_test(stays_bounded_without_any_end),
    };

    return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
