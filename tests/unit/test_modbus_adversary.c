/* Links against a line that does all that it may do wrong, a hundred thousand times: it may fail to
 * answer, but never hands over what is not the answer. The bench does it a million times. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "unit/adversary.h"

#define SEED    UINT64_C(20261126)
#define REPLIES 20000 /* of each kind of line */

static void survive(enum adversary_line line)
{
    static struct adversary adversary;

    adversary_start(&adversary, line, SEED);
    while (adversary.replies < REPLIES && adversary.wrong == 0)
        adversary_ask(&adversary);
    if (adversary.wrong)
        fail_msg("wrong at reply %llu, seed %llu", (unsigned long long)adversary.replies,
                 (unsigned long long)SEED);
    for (int kind = 0; kind < ADVERSARY_KINDS; kind++)
        assert_true(adversary.met[kind] > REPLIES / 100);
    /* And it is not right by saying nothing. */
    assert_true(adversary.good > REPLIES / 10);
    /* Nor by leaving a unit alone for ever. */
    for (unsigned unit = 1; unit <= ADVERSARY_UNITS; unit++)
        assert_true(adversary.good_of[unit] > REPLIES / 40);
    adversary_stop(&adversary);
}

static void hands_over_no_wrong_value_by_rtu_on_a_serial_line(void **state)
{
    (void)state;
    survive(ADVERSARY_RTU_SERIAL);
}

static void hands_over_no_wrong_value_by_rtu_over_a_device_server(void **state)
{
    (void)state;
    survive(ADVERSARY_RTU_NETWORK);
}

static void hands_over_no_wrong_value_by_ascii_on_a_serial_line(void **state)
{
    (void)state;
    survive(ADVERSARY_ASCII_SERIAL);
}

static void hands_over_no_wrong_value_by_ascii_over_a_device_server(void **state)
{
    (void)state;
    survive(ADVERSARY_ASCII_NETWORK);
}

static void hands_over_no_wrong_value_by_modbus_tcp(void **state)
{
    (void)state;
    survive(ADVERSARY_MBAP);
}

/* All bytes that are on their way. */
static size_t take(struct adversary *adversary, uint8_t *bytes, size_t room)
{
    struct wire wire = {.host = &adversary->host};
    size_t have = 0;

    adversary->now_ns += NS_PER_S;
    while (adversary->flight)
        have += (size_t)adversary_read(&wire, bytes + have, room - have);
    return have;
}

/* The adversary is held to what the CRC always finds: see adversary_chance.h. */
static void puts_no_frame_together_that_the_crc_cannot_tell(void **state)
{
    static const uint8_t pdu[] = {3, 4, 0x12, 0x34, 0x56, 0x78};
    static const uint8_t none[16];
    static struct adversary adversary;
    const struct adversary_piece piece = {0};
    uint8_t frame[FRAMES_BYTES_MAX], marks[16], got[FRAMES_BYTES_MAX];
    size_t size = frames_rtu.encode(2, pdu, sizeof pdu, frame);

    (void)state;
    adversary_start(&adversary, ADVERSARY_RTU_SERIAL, SEED);
    adversary_mark(marks, size);
    adversary_emit(&adversary, 0, frame, marks, size, 1, piece);
    assert_int_equal(take(&adversary, got, sizeof got), size);
    assert_memory_equal(got, frame, size);
    assert_int_equal(adversary.by_chance, 0);
    for (size_t cut = 1; cut < size; cut++) {
        adversary_emit(&adversary, adversary.now_ns, frame, none, cut, 0, piece);
        adversary_emit(&adversary, adversary.now_ns + NS_PER_S / 2, frame + cut, none, size - cut,
                       0, piece);
        assert_int_equal(take(&adversary, got, sizeof got), size);
        assert_false(frames_rtu_sound(got, size));
        assert_int_equal(adversary.by_chance, cut);
    }
    adversary_stop(&adversary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_over_no_wrong_value_by_rtu_on_a_serial_line),
        cmocka_unit_test(hands_over_no_wrong_value_by_rtu_over_a_device_server),
        cmocka_unit_test(hands_over_no_wrong_value_by_ascii_on_a_serial_line),
        cmocka_unit_test(hands_over_no_wrong_value_by_ascii_over_a_device_server),
        cmocka_unit_test(hands_over_no_wrong_value_by_modbus_tcp),
        cmocka_unit_test(puts_no_frame_together_that_the_crc_cannot_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
