/* Where a node's frames begin and end, on a clock that the test moves. */
// links: sluice_node
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/core/crc.h"
#include "node/core/frame.h"

#define UNIT      17
#define BAUD      9600
#define CHAR_BITS 11
#define CHAR_US   1145 /* 11 bits at 9600 baud */
#define T15_US    1718
#define T35_US    4010

struct line {
    struct frame frame;
    uint32_t now_us;
};

static void open_line(struct line *line, uint32_t baud, enum frame_kind kind)
{
    memset(line, 0, sizeof *line);
    line->now_us = 4294000000u; /* wraps on the way */
    frame_open(&line->frame, UNIT, baud, CHAR_BITS, kind, line->now_us);
    line->now_us += 100000;
    assert_int_equal(frame_end(&line->frame, line->now_us), 0);
}

/* A byte behind `silence_us` without one. */
static void byte_after(struct line *line, uint32_t silence_us, uint8_t byte)
{
    line->now_us += silence_us + line->frame.char_us;
    frame_byte(&line->frame, line->now_us, byte, false);
}

static size_t make(uint8_t *frame, const uint8_t *data, size_t size)
{
    uint16_t crc = crc16(data, size);

    memcpy(frame, data, size);
    frame[size] = (uint8_t)crc;
    frame[size + 1] = (uint8_t)(crc >> 8);
    return size + 2;
}

static const uint8_t question[] = {UNIT, 3, 0, 0, 0, 2};

/* The question, with one silence in front of byte `at`. Returns what is there `end_us` later. */
static size_t ask(struct line *line, size_t at, uint32_t silence_us, uint32_t end_us)
{
    uint8_t frame[16];
    size_t size = make(frame, question, sizeof question);

    line->now_us += 20000;
    for (size_t i = 0; i < size; i++)
        byte_after(line, i == at ? silence_us : 0, frame[i]);
    line->now_us += end_us;
    size = frame_end(&line->frame, line->now_us);
    if (size)
        assert_memory_equal(line->frame.bytes, frame, size);
    return size;
}

static void a_frame_ends_after_three_and_a_half_characters_of_silence(void **state)
{
    static const struct {
        uint32_t baud, t35_us;
    } cases[] = {{1200, 32083}, {9600, T35_US}, {19200, 2005}, {38400, 1750}, {115200, 1750}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct line line;

        open_line(&line, cases[i].baud, FRAME_STRICT);
        line.now_us += 40000;
        assert_int_equal(ask(&line, 0, 0, cases[i].t35_us - 1), 0);
        assert_true(frame_is_begun(&line.frame));
        assert_int_equal(frame_end(&line.frame, line.now_us + 1), 8);
        assert_false(frame_is_begun(&line.frame));
    }
}

static void a_pause_of_more_than_one_and_a_half_characters_spoils_a_frame(void **state)
{
    static const struct {
        uint32_t baud, t15_us;
    } cases[] = {{9600, T15_US}, {19200, 859}, {38400, 750}, {115200, 750}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t at = 1; at < 8; at++) {
            struct line line;

            open_line(&line, cases[i].baud, FRAME_STRICT);
            assert_int_equal(ask(&line, at, cases[i].t15_us, 20000), 8);
            frame_clear(&line.frame);
            assert_int_equal(ask(&line, at, cases[i].t15_us + 1, 20000), 0);
            assert_int_equal(line.frame.damaged, 1);
            assert_int_equal(ask(&line, 0, 0, 20000), 8);
        }
    }
}

/* A second master that does not wait, or noise in front: nothing is read until the line was quiet.
 */
static void what_follows_a_spoilt_frame_too_early_is_spoilt_too(void **state)
{
    struct line line;
    uint8_t frame[16];
    size_t size = make(frame, question, sizeof question);

    (void)state;
    open_line(&line, BAUD, FRAME_STRICT);
    byte_after(&line, 20000, 0x55);
    byte_after(&line, T15_US + 1, frame[0]);
    for (size_t i = 1; i < size; i++)
        byte_after(&line, 0, frame[i]);
    assert_int_equal(frame_end(&line.frame, line.now_us + T35_US), 0);
    assert_int_equal(line.frame.damaged, 1);
}

static void a_frame_that_nobody_took_makes_room_for_the_next_one(void **state)
{
    struct line line;
    uint8_t frame[16];
    size_t size = make(frame, question, sizeof question);

    (void)state;
    open_line(&line, BAUD, FRAME_STRICT);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < size; i++)
            byte_after(&line, i ? 0 : T35_US, frame[i]);
    }
    assert_int_equal(frame_end(&line.frame, line.now_us + T35_US), 8);
    assert_int_equal(line.frame.damaged, 0);
}

static void a_whole_frame_stays_as_it_is_until_it_is_cleared(void **state)
{
    struct line line;

    (void)state;
    open_line(&line, BAUD, FRAME_STRICT);
    assert_int_equal(ask(&line, 0, 0, T35_US), 8);
    byte_after(&line, 0, 0xFF);
    byte_after(&line, 10000, 0xFF);
    assert_int_equal(frame_end(&line.frame, line.now_us), 8);
    assert_int_equal(line.frame.bytes[0], UNIT);
}

static void damage_is_told_and_passed_over(void **state)
{
    struct line line;
    uint8_t frame[16];
    size_t size = make(frame, question, sizeof question);

    (void)state;
    open_line(&line, BAUD, FRAME_STRICT);
    for (unsigned kind = 0; kind < 3; kind++) {
        line.now_us += 20000;
        for (size_t i = 0; i < size - (kind == 2 ? 5 : 0); i++) {
            line.now_us += CHAR_US;
            /* A wrong checksum, a wrong stop bit, too short. */
            frame_byte(&line.frame, line.now_us, kind == 0 && i == 3 ? 9 : frame[i],
                       kind == 1 && i == 3);
        }
        line.now_us += T35_US;
        assert_int_equal(frame_end(&line.frame, line.now_us), 0);
        assert_int_equal(line.frame.damaged, kind + 1);
    }
    for (int i = 0; i < FRAME_SIZE_MAX + 40; i++)
        byte_after(&line, 0, 0);
    assert_int_equal(frame_end(&line.frame, line.now_us + T35_US), 0);
    assert_int_equal(line.frame.damaged, 4);
}

static void the_longest_frame_is_taken(void **state)
{
    uint8_t data[FRAME_SIZE_MAX - 2] = {UNIT, 16}, frame[FRAME_SIZE_MAX];
    struct line line;

    (void)state;
    make(frame, data, sizeof data);
    open_line(&line, BAUD, FRAME_STRICT);
    for (size_t i = 0; i < sizeof frame; i++)
        byte_after(&line, 0, frame[i]);
    assert_int_equal(frame_end(&line.frame, line.now_us + T35_US), FRAME_SIZE_MAX);
}

/* Who begins to listen in the middle of a frame must not take its end for one. */
static void nothing_is_taken_before_the_line_was_quiet_once(void **state)
{
    struct line line;
    uint8_t frame[16];
    size_t size = make(frame, question, sizeof question);

    (void)state;
    memset(&line, 0, sizeof line);
    frame_open(&line.frame, UNIT, BAUD, CHAR_BITS, FRAME_STRICT, 0);
    for (size_t i = 0; i < size; i++)
        byte_after(&line, i ? 0 : 500, frame[i]);
    assert_int_equal(frame_end(&line.frame, line.now_us + T35_US), 0);
}

static void by_length_a_frame_ends_with_its_last_byte_whatever_the_pauses(void **state)
{
    struct line line;

    (void)state;
    open_line(&line, BAUD, FRAME_TOLERANT);
    assert_int_equal(ask(&line, 0, 0, 0), 8);
    frame_clear(&line.frame);
    for (size_t at = 1; at < 8; at++) {
        line.now_us += FRAME_LOOSE_US;
        assert_int_equal(ask(&line, at, FRAME_LOOSE_US - 1, 0), 8);
        frame_clear(&line.frame);
        line.now_us += FRAME_LOOSE_US;
        assert_int_equal(ask(&line, at, FRAME_LOOSE_US, FRAME_LOOSE_US), 0);
    }
}

/* Noise in front, or the rest of a request that broke off: the next one is found all the same. */
static void by_length_a_frame_is_found_behind_what_is_none(void **state)
{
    static const uint8_t noise[][12] = {
        {0xFF},       {UNIT}, {0},       {UNIT, 3, 0},         {UNIT, 3, 0, 0, 0},
        {UNIT, 0x42}, {7, 3}, {7, 0x83}, {99, 99, 99, 99, 99}, {3, 3, 3, 3, 3, 3},
    };
    static const uint8_t sizes[] = {1, 1, 1, 3, 5, 2, 2, 2, 5, 6};

    (void)state;
    for (size_t i = 0; i < sizeof sizes; i++) {
        uint8_t frame[16];
        size_t size = make(frame, question, sizeof question);
        struct line line;
        bool found = false;

        open_line(&line, BAUD, FRAME_TOLERANT);
        for (size_t j = 0; j < sizes[i]; j++)
            byte_after(&line, 0, noise[i][j]);
        /* What was cut off may take some with it that follow at once. */
        for (int again = 0; again < 4 && !found; again++) {
            for (size_t j = 0; j < size; j++)
                byte_after(&line, 0, frame[j]);
            found = frame_end(&line.frame, line.now_us) == size;
        }
        if (!found || memcmp(line.frame.bytes, frame, size) != 0)
            fail_msg("noise %zu", i);
        assert_in_range(line.frame.damaged, 0, 1);
    }
}

/* Out of step, among what could be the beginning of something long: a request is found by itself.
 */
static void by_length_a_request_is_found_in_the_middle_of_anything(void **state)
{
    uint8_t frame[16];
    size_t size = make(frame, question, sizeof question);
    struct line line;

    (void)state;
    for (unsigned seed = 0; seed < 200; seed++) {
        open_line(&line, BAUD, FRAME_TOLERANT);
        for (unsigned i = 0; i < 3 + seed % 40; i++)
            byte_after(&line, 0, (uint8_t)(i == 0 ? 99 : (seed * 37 + i * i * 11) % 251));
        if (!line.frame.spoilt || line.frame.whole)
            continue;
        for (size_t j = 0; j < size; j++)
            byte_after(&line, 0, frame[j]);
        if (frame_end(&line.frame, line.now_us) != size ||
            memcmp(line.frame.bytes, frame, size) != 0)
            fail_msg("seed %u", seed);
    }
}

/* On a line with others their questions and answers follow one another without a gap that counts.
 */
static void by_length_others_are_followed(void **state)
{
    static const uint8_t others[][16] = {
        {7, 3, 0, 0, 0, 2},    /* a question... */
        {7, 3, 4, 0, 1, 0, 2}, /* ...and its answer */
        {7, 16, 0, 0, 0, 1, 2, 0, 5},
        {7, 16, 0, 0, 0, 1},
        {9, 0x83, 2},      /* refused */
        {9, 43, 14, 1, 0}, /* who it is... */
        {9, 43, 14, 1, 0x82, 0, 0, 2, 0, 2, 3, 3, 2, 1, 16},
        {UNIT, 0x42, 1, 2, 3}, /* of a function that is not known: to be refused */
        {0, 6, 0, 1, 0, 2},    /* for all */
    };
    static const uint8_t sizes[] = {6, 7, 9, 6, 3, 5, 15, 5, 6};
    struct line line;

    (void)state;
    open_line(&line, BAUD, FRAME_TOLERANT);
    for (size_t i = 0; i < sizeof sizes; i++) {
        uint8_t frame[32];
        size_t size = make(frame, others[i], sizes[i]);

        for (size_t j = 0; j < size; j++)
            byte_after(&line, 0, frame[j]);
        /* What is said between others does not have to be cleared. */
        assert_int_equal(frame_end(&line.frame, line.now_us),
                         others[i][0] == UNIT || others[i][0] == 0 ? size : 0);
        if (line.frame.whole)
            frame_clear(&line.frame);
        assert_false(frame_is_begun(&line.frame));
    }
    assert_int_equal(line.frame.damaged, 0);
}

static void sending_ends_in_twice_its_time(void **state)
{
    struct line line;

    (void)state;
    open_line(&line, BAUD, FRAME_STRICT);
    assert_int_equal(frame_sending_us(&line.frame, 8), 2 * 8 * CHAR_US + FRAME_LATE_US);
    /* The longest one at the slowest rate takes longer than a watchdog may wait, so that one is
     * fed. */
    open_line(&line, 1200, FRAME_TOLERANT);
    assert_int_equal(frame_sending_us(&line.frame, FRAME_SIZE_MAX),
                     2 * FRAME_SIZE_MAX * (11000000u / 1200) + FRAME_LATE_US);
    open_line(&line, 115200, FRAME_STRICT);
    assert_true(frame_sending_us(&line.frame, FRAME_SIZE_MAX) < 2 * 25000 + FRAME_LATE_US);
}

static void the_checksum_is_that_of_the_standard(void **state)
{
    /* Modbus over serial line 1.02, 6.2.2, and a frame of a real device. */
    static const uint8_t data[] = {0x02, 0x07},
                         frame[] = {0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD};
    uint8_t all[256];

    (void)state;
    assert_int_equal(crc16(data, sizeof data), 0x1241);
    assert_int_equal(crc16(frame, sizeof frame), 0);
    assert_int_equal(crc32(0, "123456789", 9), 0xCBF43926);
    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    assert_int_equal(crc16(all, sizeof all), 0xDE6C);
    assert_int_equal(crc32(0, all, sizeof all), 0x29058C73);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_ends_after_three_and_a_half_characters_of_silence),
        cmocka_unit_test(a_pause_of_more_than_one_and_a_half_characters_spoils_a_frame),
        cmocka_unit_test(what_follows_a_spoilt_frame_too_early_is_spoilt_too),
        cmocka_unit_test(a_frame_that_nobody_took_makes_room_for_the_next_one),
        cmocka_unit_test(a_whole_frame_stays_as_it_is_until_it_is_cleared),
        cmocka_unit_test(damage_is_told_and_passed_over),
        cmocka_unit_test(the_longest_frame_is_taken),
        cmocka_unit_test(nothing_is_taken_before_the_line_was_quiet_once),
        cmocka_unit_test(by_length_a_frame_ends_with_its_last_byte_whatever_the_pauses),
        cmocka_unit_test(by_length_a_frame_is_found_behind_what_is_none),
        cmocka_unit_test(by_length_a_request_is_found_in_the_middle_of_anything),
        cmocka_unit_test(by_length_others_are_followed),
        cmocka_unit_test(sending_ends_in_twice_its_time),
        cmocka_unit_test(the_checksum_is_that_of_the_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
