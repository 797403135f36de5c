/* The rule by which readings are stored, as a table of cases. */
// links: sluice_field
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/status.h"
#include "field/report.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define BOOLEAN(x)                                                                                 \
    {                                                                                              \
        .type = VALUE_BOOL, .b = (x)                                                               \
    }
#define I64(x)                                                                                     \
    {                                                                                              \
        .type = VALUE_I64, .i = (x)                                                                \
    }
#define U64(x)                                                                                     \
    {                                                                                              \
        .type = VALUE_U64, .u = (x)                                                                \
    }
#define F64(x)                                                                                     \
    {                                                                                              \
        .type = VALUE_F64, .f = (x), .decimals = DECIMALS_SHORTEST                                 \
    }
#define F32(x)                                                                                     \
    {                                                                                              \
        .type = VALUE_F64, .f = (double)(x), .decimals = DECIMALS_SHORTEST_F32                     \
    }
#define TEXT(x)                                                                                    \
    {                                                                                              \
        .type = VALUE_TEXT, .data = (x), .size = sizeof(x) - 1                                     \
    }
#define NOTHING                                                                                    \
    {                                                                                              \
        .type = VALUE_NONE                                                                         \
    }

static const struct option_band any = {0}, half = {.width = 0.5}, three = {.width = 3},
                                two_percent = {.width = 2, .percent = true};

static void tells_values_apart_by_dead_band_and_type(void **state)
{
    static const struct {
        const char *what;
        const struct option_band *band;
        struct value stored, read;
        bool differs;
    } cases[] = {
        {"equal numbers", &any, F64(20.3), F64(20.3), false},
        {"the smallest change", &any, F64(1), F64(1 + 0x1p-52), true},
        {"zero and minus zero", &any, F64(0.0), F64(-0.0), false},
        {"NaN and NaN", &any, F64(NAN), F64(-NAN), false},
        {"NaN after a number", &three, F64(1), F64(NAN), true},
        {"a number after NaN", &three, F64(NAN), F64(1), true},
        {"infinity twice", &three, F64(INFINITY), F64(INFINITY), false},
        {"the other infinity", &three, F64(INFINITY), F64(-INFINITY), true},
        {"infinity after a number", &two_percent, F64(1), F64(INFINITY), true},
        {"a number after infinity", &two_percent, F64(INFINITY), F64(1), true},
        {"within the band", &half, F64(20.0), F64(20.4), false},
        {"within the band, down", &half, F64(20.0), F64(19.6), false},
        {"exactly the band", &half, F64(20.0), F64(20.5), false},
        {"the band, but for binary fractions", &half, F64(19.8), F64(20.3), false},
        {"the band, but for those of 32 bits", &half, F32(19.8f), F32(20.3f), false},
        {"just above the band", &half, F64(20.0), F64(20.51), true},
        {"just above the band, down", &half, F64(20.0), F64(19.49), true},
        {"across zero", &half, F64(-0.3), F64(0.3), true},
        {"a share of the stored one", &two_percent, F64(100), F64(102), false},
        {"more than a share of it", &two_percent, F64(100), F64(102.1), true},
        {"a share of the stored one, not of the read one", &two_percent, F64(102.03), F64(100),
         false},
        {"a share of a negative one", &two_percent, F64(-100), F64(-98), false},
        {"more than a share of a negative one", &two_percent, F64(-100), F64(-97), true},
        {"any share of zero", &two_percent, F64(0), F64(1e-9), true},
        {"whole numbers that are equal", &any, I64(-7), I64(-7), false},
        {"whole numbers that are not", &any, I64(-7), I64(-8), true},
        {"whole numbers within the band", &three, I64(-1), I64(2), false},
        {"whole numbers outside of it", &three, I64(-1), I64(3), true},
        {"less than a whole number as the band", &half, I64(5), I64(6), true},
        {"the ends of the whole numbers", &three, I64(INT64_MIN), I64(INT64_MAX), true},
        {"large numbers next to each other", &any, U64(UINT64_MAX), U64(UINT64_MAX - 1), true},
        {"large numbers within the band", &three, U64(UINT64_MAX - 3), U64(UINT64_MAX), false},
        {"whole numbers within a share", &two_percent, U64(1000), U64(980), false},
        {"a boolean in any band", &three, BOOLEAN(true), BOOLEAN(false), true},
        {"equal booleans", &three, BOOLEAN(true), BOOLEAN(true), false},
        {"another type", &three, I64(1), F64(1), true},
        {"no value twice", &any, NOTHING, NOTHING, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct site_point point = {
            .on_change = true, .dead_band = *cases[i].band, .type = cases[i].stored.type};
        struct report_memory memory = {0};

        report_remember(&memory, &point, NS_PER_S, &cases[i].stored, STATUS_GOOD);
        enum report_verdict verdict =
            report_judge(&memory, &point, 2 * NS_PER_S, &cases[i].read, STATUS_GOOD);
        if (verdict != (cases[i].differs ? REPORT_STORE : REPORT_DROP))
            fail_msg("%s", cases[i].what);
    }
}

static void tells_texts_apart_by_content(void **state)
{
    static const struct {
        struct value stored, read;
        bool differs;
    } cases[] = {
        {TEXT("auto"), TEXT("auto"), false},
        {TEXT("auto"), TEXT("autp"), true},
        {TEXT("auto"), TEXT("aut"), true},
        {TEXT(""), TEXT(""), false},
        {TEXT(""), TEXT("a"), true},
        {NOTHING, TEXT(""), true},
        {I64(7), I64(7), true}, /* what is no text where texts are expected is not remembered */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct report_text room;
        struct site_point point = {.on_change = true, .type = VALUE_TEXT};
        struct report_memory memory = {.content = {.text = &room}};

        report_remember(&memory, &point, 1, &cases[i].stored, STATUS_GOOD);
        assert_ptr_equal(memory.content.text, &room);
        assert_int_equal(report_judge(&memory, &point, 2, &cases[i].read, STATUS_GOOD),
                         cases[i].differs ? REPORT_STORE : REPORT_DROP);
    }
}

static void judges_by_interval_quality_and_change(void **state)
{
    static const struct {
        const char *what;
        int64_t at_s; /* the stored one is 7, good, of second 100; at_most is 10 s, at_least 60 s */
        int64_t read;
        uint16_t status;
        bool on_change;
        enum report_verdict verdict;
    } cases[] = {
        {"unchanged, soon", 101, 7, STATUS_GOOD, true, REPORT_DROP},
        {"unchanged, before at_least", 159, 7, STATUS_GOOD, true, REPORT_DROP},
        {"unchanged, at at_least", 160, 7, STATUS_GOOD, true, REPORT_STORE},
        {"changed within at_most", 109, 8, STATUS_GOOD, true, REPORT_HOLD},
        {"changed at at_most", 110, 8, STATUS_GOOD, true, REPORT_STORE},
        {"bad within at_most", 101, 7, STATUS_TIMEOUT, true, REPORT_STORE},
        {"uncertain within at_most", 101, 7, STATUS_CLOCK_UNSET, true, REPORT_STORE},
        {"any within at_most", 109, 7, STATUS_GOOD, false, REPORT_HOLD},
        {"any at at_most", 110, 7, STATUS_GOOD, false, REPORT_STORE},
    };
    static const struct value stored = I64(7);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct site_point point = {.on_change = cases[i].on_change,
                                   .at_least_ns = 60 * NS_PER_S,
                                   .at_most_ns = 10 * NS_PER_S,
                                   .type = VALUE_I64};
        struct report_memory memory = {0};
        struct value read = I64(cases[i].read);

        assert_int_equal(report_judge(&memory, &point, 0, &read, cases[i].status), REPORT_STORE);
        report_remember(&memory, &point, 100 * NS_PER_S, &stored, STATUS_GOOD);
        if (report_judge(&memory, &point, cases[i].at_s * NS_PER_S, &read, cases[i].status) !=
            cases[i].verdict)
            fail_msg("%s", cases[i].what);
    }
}

static void a_value_that_creeps_is_stored_when_it_has_left_the_band(void **state)
{
    struct site_point point = {.on_change = true, .dead_band = half, .type = VALUE_F64};
    struct report_memory memory = {0};
    int stored = 0;

    (void)state;
    for (int i = 0; i <= 100; i++) {
        struct value value = F64(i * 0.1);

        if (report_judge(&memory, &point, i, &value, STATUS_GOOD) != REPORT_STORE)
            continue;
        stored++;
        report_remember(&memory, &point, i, &value, STATUS_GOOD);
    }
    assert_int_equal(stored, 17); /* 0.0, 0.6, 1.2, ... 9.6 */
}

static void remembers_times_beyond_what_milliseconds_fit_into_32_bits(void **state)
{
    static const struct value value = I64(1);
    static const int64_t times[] = {0, 1, NS_PER_MS, (INT64_C(1) << 32) * NS_PER_MS + 1,
                                    INT64_C(100) * 366 * 86400 * NS_PER_S};
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        struct site_point point = {.at_most_ns = NS_PER_S, .type = VALUE_I64};
        struct report_memory memory = {0};

        report_remember(&memory, &point, times[i], &value, STATUS_GOOD);
        int64_t late_ns = report_due_ns(&memory, &point) - times[i] - NS_PER_S;
        assert_true(late_ns >= 0 && late_ns < NS_PER_MS);
    }
}

static void a_number_without_its_text_is_uncertain(void **state)
{
    static const struct site_enum modes[] = {{-1, "fault"}, {0, "off"}, {1, "auto"}};
    static const struct {
        struct value value;
        uint16_t status, told;
    } cases[] = {
        {U64(0), STATUS_GOOD, STATUS_GOOD},
        {I64(-1), STATUS_GOOD, STATUS_GOOD},
        {I64(2), STATUS_GOOD, STATUS_IMPLAUSIBLE},
        {U64(2), STATUS_GOOD, STATUS_IMPLAUSIBLE},
        {U64(UINT64_MAX), STATUS_GOOD, STATUS_IMPLAUSIBLE}, /* not -1 */
        {U64(2), STATUS_TIMEOUT, STATUS_TIMEOUT},
        {TEXT("off"), STATUS_GOOD, STATUS_GOOD},
        {BOOLEAN(true), STATUS_GOOD, STATUS_GOOD},
    };
    const struct site_point mode = {.id = "mode", .enums = modes, .enum_count = COUNT(modes)};
    const struct site_point plain = {.id = "plain"};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(report_status(&mode, &cases[i].value, cases[i].status), cases[i].told);
        assert_int_equal(report_status(&plain, &cases[i].value, cases[i].status), cases[i].status);
    }
}

static void another_model_is_suspected_where_hardly_anything_fits(void **state)
{
    const struct {
        size_t fits, misfits, left;
        bool hardly;
    } cases[] = {
        {1, 3, 0, true},  {2, 3, 0, false}, {1, 2, 0, false}, {0, 2, 0, true},
        {0, 2, 1, false}, {0, 3, 9, true},  {0, 0, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(report_hardly_fits(cases[i].fits, cases[i].misfits, cases[i].left),
                         cases[i].hardly);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_model_is_suspected_where_hardly_anything_fits),
        cmocka_unit_test(a_number_without_its_text_is_uncertain),
        cmocka_unit_test(tells_values_apart_by_dead_band_and_type),
        cmocka_unit_test(tells_texts_apart_by_content),
        cmocka_unit_test(judges_by_interval_quality_and_change),
        cmocka_unit_test(a_value_that_creeps_is_stored_when_it_has_left_the_band),
        cmocka_unit_test(remembers_times_beyond_what_milliseconds_fit_into_32_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
