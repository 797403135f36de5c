/* Registers without a manual: what they may mean, and which of them is on the display. */
// links: driver_modbus
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/text.h"
#include "modbus/guess.h"

#define MOST 32

struct fixture {
    struct guess_samples samples;
    uint8_t data[GUESS_SAMPLES_MAX * 2 * MOST];
    bool there[MOST];
    struct guess found[64];
};

/* `count` registers of each of `reads` reads. */
static void fill(struct fixture *fixture, const uint16_t *words, unsigned count, unsigned reads)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->samples = (struct guess_samples){count, reads, fixture->data, fixture->there};
    memset(fixture->there, true, count);
    for (unsigned i = 0; i < count * reads; i++) {
        fixture->data[2 * i] = (uint8_t)(words[i] >> 8);
        fixture->data[2 * i + 1] = (uint8_t)words[i];
    }
}

static const char *as_text(const struct fixture *fixture, unsigned at, unsigned kind)
{
    static char out[64];
    struct value value = guess_value(&fixture->samples, at, kind, 0);
    struct text text;

    text_init(&text, out, sizeof out);
    text_json_value(&text, &value);
    return out;
}

static unsigned kind_of(const char *name, const char *letters)
{
    for (unsigned kind = 0; kind < GUESS_KINDS; kind++) {
        if (strcmp(guess_kinds[kind].name, name) == 0 &&
            strcmp(guess_kinds[kind].letters, letters) == 0)
            return kind;
    }
    fail_msg("no kind %s %s", name, letters);
    return 0;
}

static void every_type_and_order_is_decoded(void **state)
{
    static const struct {
        uint16_t words[4];
        const char *name, *letters, *text;
    } cases[] = {
        {{0xFFFE}, "u16", "AB", "65534"},
        {{0xFFFE}, "i16", "AB", "-2"},
        {{0x4366, 0x1999}, "f32", "ABCD", "230.09999"},
        {{0x1999, 0x4366}, "f32", "CDAB", "230.09999"},
        {{0x6643, 0x9919}, "f32", "BADC", "230.09999"},
        {{0x9919, 0x6643}, "f32", "DCBA", "230.09999"},
        {{0x0001, 0x0002}, "u32", "ABCD", "65538"},
        {{0x0001, 0x0002}, "u32", "CDAB", "131073"},
        {{0xFFFF, 0xFFFE}, "i32", "ABCD", "-2"},
        {{0, 0, 0, 17}, "u64", "ABCDEFGH", "17"},
        {{17, 0, 0, 0}, "u64", "GHEFCDAB", "17"},
        {{0xFFFF, 0xFFFF, 0xFFFF, 0xFFFD}, "i64", "ABCDEFGH", "-3"},
        {{0x3FF8, 0, 0, 0}, "f64", "ABCDEFGH", "1.5"},
        {{0, 0, 0, 0xF83F}, "f64", "HGFEDCBA", "1.5"},
        {{0x7FC0, 0}, "f32", "ABCD", "null"},
    };
    struct fixture fixture;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fill(&fixture, cases[i].words, 4, 1);
        assert_string_equal(as_text(&fixture, 0, kind_of(cases[i].name, cases[i].letters)),
                            cases[i].text);
    }
}

static void the_order_that_does_not_jump_is_the_plausible_one(void **state)
{
    /* 230.1, 230.3, 229.9 as f32, low word first. */
    static const uint16_t words[] = {0x199A, 0x4366, 0x4CCD, 0x4366, 0xE666, 0x4365};
    struct fixture fixture;
    struct guess guess;

    (void)state;
    fill(&fixture, words, 2, 3);
    assert_true(guess_plausible(&fixture.samples, fixture.found, 64) > 0);
    assert_int_equal(fixture.found[0].kind, kind_of("f32", "CDAB"));
    assert_int_equal(fixture.found[0].motion, GUESS_MOVES);
    assert_true(guess_make(&fixture.samples, 0, kind_of("u32", "ABCD"), &guess));
    assert_int_equal(guess.motion, GUESS_JUMPS);
    assert_int_equal(guess.plausible, 0);
}

/* As a float with swapped bytes it would be -131084. */
static void a_small_number_is_one_before_it_is_a_large_float(void **state)
{
    static const uint16_t words[] = {200, 3};
    struct fixture fixture;

    (void)state;
    fill(&fixture, words, 2, 1);
    assert_true(guess_plausible(&fixture.samples, fixture.found, 64) > 0);
    assert_int_equal(fixture.found[0].at, 0);
    assert_int_equal(guess_kinds[fixture.found[0].kind].registers, 1);
    assert_true(fixture.found[0].values[0] == 200);
}

/* Two registers that count for themselves are no long number, however they are put together. */
static void plain_numbers_come_before_what_two_of_them_make(void **state)
{
    static const uint16_t words[] = {6, 968, 4355, 7, 979, 4355, 8, 988, 4355};
    struct fixture fixture;

    (void)state;
    fill(&fixture, words, 3, 3);
    assert_true(guess_plausible(&fixture.samples, fixture.found, 64) > 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fixture.found[i].at, i);
        assert_string_equal(guess_kinds[fixture.found[i].kind].name, "u16");
    }
}

/* The least, the greatest and the last number, where they stay. */
static void numbers_that_may_stand_for_none_are_known_and_come_last(void **state)
{
    static const uint16_t words[] = {0x8000, 0x7FFF, 0xFFFF, 0x7FFF, 7,
                                     0x8000, 0x7FFF, 0xFFFF, 0x7FFE, 7};
    struct fixture fixture;
    size_t count;

    (void)state;
    fill(&fixture, words, 5, 2);
    for (unsigned at = 0; at < 5; at++)
        assert_int_equal(guess_may_be_blank(&fixture.samples, at), at < 3);
    count = guess_plausible(&fixture.samples, fixture.found, 64);
    assert_true(count > 2);
    assert_int_equal(fixture.found[0].at, 3);
    for (size_t i = 0; i < count; i++)
        assert_true(fixture.found[i].at > 2 || fixture.found[i].plausible <= 25);
}

static void a_counter_counts(void **state)
{
    static const uint16_t words[] = {1, 0xFFFE, 1, 0xFFFF, 2, 0};
    struct fixture fixture;
    struct guess guess;

    (void)state;
    fill(&fixture, words, 2, 3);
    assert_true(guess_make(&fixture.samples, 0, kind_of("u32", "ABCD"), &guess));
    assert_int_equal(guess.motion, GUESS_COUNTS);
    assert_true(guess.plausible > 0);
    assert_true(guess_make(&fixture.samples, 0, kind_of("u32", "CDAB"), &guess));
    assert_int_equal(guess.plausible, 0);
}

static void the_value_on_the_display_is_found(void **state)
{
    static const struct {
        uint16_t words[4];
        double expect;
        unsigned at;
        const char *name, *letters;
        double scale;
    } cases[] = {
        {{7, 0x4366, 0x1999, 7}, 230.1, 1, "f32", "ABCD", 1},
        {{7, 0x1999, 0x4366, 7}, 230.1, 1, "f32", "CDAB", 1},
        {{7, 2301, 9, 9}, 230.1, 1, "u16", "AB", 0.1},
        {{7, 9, 9, 23012}, 230.1, 3, "u16", "AB", 0.01},
        {{7, 9, 0xFF85, 9}, -12.3, 2, "i16", "AB", 0.1},
        {{7, 0x0012, 0xD687, 9}, 1234.567, 1, "u32", "ABCD", 0.001},
        {{0xFFFF, 0xFB2E, 9, 9}, -12.34, 1, "i16", "AB", 0.01},
        {{0, 0, 0x1CBE, 0x991A}, 482253.082, 0, "u64", "ABCDEFGH", 0.001},
    };
    struct fixture fixture;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t count;

        fill(&fixture, cases[i].words, 4, 1);
        count = guess_search(&fixture.samples, cases[i].expect, 0.005, fixture.found, 64);
        bool found = false;
        for (size_t j = 0; j < count; j++)
            found |= fixture.found[j].at == cases[i].at &&
                     fixture.found[j].kind == kind_of(cases[i].name, cases[i].letters) &&
                     fixture.found[j].scale == cases[i].scale;
        assert_true(found);
        if (strcmp(cases[i].name, "u64") != 0) /* as u32 it is the same, and likelier */
            assert_int_equal(fixture.found[0].at, cases[i].at);
        assert_int_equal(guess_search(&fixture.samples, 5.432e8, 0.005, fixture.found, 64), 0);
    }
}

/* However much may be off. */
static void an_infinite_value_is_near_nothing(void **state)
{
    static const uint16_t words[] = {0x7F80, 0x0000};
    struct fixture fixture;
    size_t count;

    (void)state;
    fill(&fixture, words, 2, 1);
    count = guess_search(&fixture.samples, 230.1, INFINITY, fixture.found, 64);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        assert_true(isfinite(fixture.found[i].off));
}

static void the_likeliest_are_kept_when_there_is_little_room(void **state)
{
    static const uint16_t words[] = {0x4366, 0x1999, 101, 102, 103, 104, 105, 106};
    struct fixture fixture;

    (void)state;
    fill(&fixture, words, 8, 1);
    assert_int_equal(guess_plausible(&fixture.samples, fixture.found, 2), 2);
    assert_int_equal(fixture.found[0].at, 0);
    assert_int_equal(fixture.found[0].kind, kind_of("f32", "ABCD"));
    assert_true(fixture.found[0].plausible >= fixture.found[1].plausible);
}

static void registers_that_are_not_there_make_no_value(void **state)
{
    static const uint16_t words[] = {0x4366, 0x1999, 5, 5};
    struct fixture fixture;
    struct guess guess;

    (void)state;
    fill(&fixture, words, 4, 1);
    fixture.there[1] = false;
    assert_false(guess_make(&fixture.samples, 0, kind_of("f32", "ABCD"), &guess));
    assert_true(guess_make(&fixture.samples, 2, kind_of("u32", "ABCD"), &guess));
    assert_false(guess_make(&fixture.samples, 3, kind_of("u32", "ABCD"), &guess));
}

static void numbers_name_a_guess_for_good(void **state)
{
    unsigned at, kind;

    (void)state;
    for (unsigned number = 1; number <= 4 * GUESS_KINDS; number++) {
        if (!guess_named(number, 4, &at, &kind))
            continue;
        assert_int_equal(guess_number(at, kind), number);
    }
    assert_false(guess_named(0, 4, &at, &kind));
    assert_false(guess_named(4 * GUESS_KINDS + 1, 4, &at, &kind));
    assert_false(guess_named(guess_number(3, kind_of("f32", "ABCD")), 4, &at, &kind));
}

static void dates_and_decimal_digits_are_seen(void **state)
{
    static const struct {
        uint16_t words[3];
        const char *date; /* its beginning; NULL: none */
    } cases[] = {
        {{0x6B09, 0x1C60, 0}, "2026-11-27 06:00"},
        {{0x1C60, 0x6B09, 0}, "2026-11-27 06:00"},
        {{2026, 11, 27}, "2026-11-27, as year"},
        {{2026, 13, 27}, NULL},
        {{230, 231, 232}, NULL},
    };
    struct fixture fixture;
    unsigned number;
    char date[80];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fill(&fixture, cases[i].words, 3, 1);
        assert_int_equal(guess_date(&fixture.samples, 0, date, sizeof date), cases[i].date != NULL);
        if (cases[i].date)
            assert_memory_equal(date, cases[i].date, strlen(cases[i].date));
    }
    fill(&fixture, cases[0].words, 1, 1);
    assert_false(guess_date(&fixture.samples, 0, date, sizeof date)); /* half of one */
    assert_true(guess_bcd(0x1234, &number));
    assert_int_equal(number, 1234);
    assert_false(guess_bcd(0x12A4, &number));
    assert_false(guess_bcd(0, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_order_is_decoded),
        cmocka_unit_test(the_order_that_does_not_jump_is_the_plausible_one),
        cmocka_unit_test(a_small_number_is_one_before_it_is_a_large_float),
        cmocka_unit_test(plain_numbers_come_before_what_two_of_them_make),
        cmocka_unit_test(numbers_that_may_stand_for_none_are_known_and_come_last),
        cmocka_unit_test(a_counter_counts),
        cmocka_unit_test(the_value_on_the_display_is_found),
        cmocka_unit_test(the_likeliest_are_kept_when_there_is_little_room),
        cmocka_unit_test(an_infinite_value_is_near_nothing),
        cmocka_unit_test(registers_that_are_not_there_make_no_value),
        cmocka_unit_test(numbers_name_a_guess_for_good),
        cmocka_unit_test(dates_and_decimal_digits_are_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
