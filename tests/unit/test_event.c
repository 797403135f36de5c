/* Names and small predicates of events, values, statuses and errors. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/error.h"
#include "core/event.h"
#include "core/status.h"

#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void every_error_has_its_own_number_name_and_text(void **state)
{
    (void)state;
    for (int error = ERR_DESCRIPTORS; error <= ERR_OK; error++) {
        assert_string_not_equal(error_name(error), "UNKNOWN");
        assert_string_not_equal(error_text(error), "unknown error");
        for (int other = ERR_DESCRIPTORS; other < error; other++)
            assert_string_not_equal(error_name(error), error_name(other));
    }
    assert_string_equal(error_name(ERR_TIMEOUT), "TIMEOUT");
    assert_string_equal(error_text(ERR_NO_SPACE), "no space left on the device");
    assert_string_equal(error_name(ERR_DESCRIPTORS - 1), "UNKNOWN");
    assert_string_equal(error_text(1), "unknown error");
}

static void translates_errno(void **state)
{
    (void)state;
    const struct {
        int errno_value;
        int error;
    } cases[] = {
        {0, ERR_OK},
        {ENOSPC, ERR_NO_SPACE},
        {EDQUOT, ERR_NO_SPACE},
        {EROFS, ERR_READ_ONLY},
        {EIO, ERR_IO},
        {EACCES, ERR_DENIED},
        {ENOENT, ERR_NOT_FOUND},
        {EMFILE, ERR_DESCRIPTORS},
        {EWOULDBLOCK, ERR_AGAIN},
        {ECONNREFUSED, ERR_REFUSED},
        {EHOSTUNREACH, ERR_UNREACHABLE},
        {ETIMEDOUT, ERR_TIMEOUT},
        {EPIPE, ERR_CLOSED},
        {99999, ERR_IO},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(error_from_errno(cases[i].errno_value), cases[i].error);
}

static void names_kinds_and_reasons_as_published(void **state)
{
    (void)state;
    static const char *const kinds[] = {NULL,      "reading",   "state",   "alarm",
                                        "command", "result",    "gap",     "clock",
                                        "config",  "lifecycle", "declare", NULL};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const char *name = event_kind_name((enum event_kind)i);
        assert_true(name == kinds[i] || strcmp(name, kinds[i]) == 0);
    }
    static const char *const reasons[] = {"unknown", "crash",  "retention", "overload",
                                          "damage",  "poison", "storage",   "unknown"};
    for (size_t i = 0; i < COUNT(reasons); i++)
        assert_string_equal(gap_reason_name((enum gap_reason)i), reasons[i]);
}

static void tells_quality_and_reason_of_a_status(void **state)
{
    (void)state;
    assert_string_equal(event_quality(STATUS_GOOD), "good");
    assert_string_equal(event_quality(STATUS_CLOCK_UNSET), "uncertain");
    assert_string_equal(event_quality(STATUS_TIMEOUT), "bad");
    assert_string_equal(event_quality(0xC000), "bad");
    assert_string_equal(status_why(STATUS_TIMEOUT), "timeout");
    assert_string_equal(status_why(STATUS_ILLEGAL_ADDRESS), "exception 2");
    assert_string_equal(status_why(0x8123), "bad");
    assert_string_equal(status_help(0x8123), "");
    assert_true(strlen(status_help(STATUS_NO_PORT)) > 0);
}

static void no_two_statuses_share_a_code(void **state)
{
    (void)state;
    static const uint16_t codes[] = {
#define CODE(name, code, why, help) code,
        STATUS_TABLE(CODE)
#undef CODE
    };
    for (size_t i = 0; i < COUNT(codes); i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(codes[i], codes[j]);
}

static void compares_values_by_type_and_content(void **state)
{
    (void)state;
    struct gap gap = {.first = 1, .last = 2, .count = 2, .reason = GAP_DAMAGE};
    struct gap same_gap = gap, other_gap = gap;
    other_gap.reason = GAP_POISON;
    const struct value values[] = {
        {.type = VALUE_NONE},
        {.type = VALUE_BOOL, .b = true},
        {.type = VALUE_BOOL},
        {.type = VALUE_I64, .i = 1},
        {.type = VALUE_U64, .u = 1},
        {.type = VALUE_F64, .f = 1},
        {.type = VALUE_F64, .f = 0.0},
        {.type = VALUE_F64, .f = -0.0},
        {.type = VALUE_TEXT, .size = 2, .data = "ab"},
        {.type = VALUE_TEXT, .size = 1, .data = "ab"},
        {.type = VALUE_TEXT},
        {.type = VALUE_BYTES, .size = 2, .data = "ab"},
        {.type = VALUE_GAP, .gap = &gap},
        {.type = VALUE_GAP, .gap = &other_gap},
    };
    for (size_t i = 0; i < COUNT(values); i++)
        for (size_t j = 0; j < COUNT(values); j++)
            assert_int_equal(value_equal(&values[i], &values[j]), i == j);
    char copy[] = "ab";
    assert_true(
        value_equal(&values[8], &(struct value){.type = VALUE_TEXT, .size = 2, .data = copy}));
    assert_true(value_equal(&values[12], &(struct value){.type = VALUE_GAP, .gap = &same_gap}));
}

static void takes_plain_ids_alone(void **state)
{
    (void)state;
    char longest[ID_SIZE_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    longest[ID_SIZE_MAX] = '\0';
    assert_false(id_valid(longest));
    longest[ID_SIZE_MAX - 1] = '\0';
    assert_true(id_valid(longest));
    const char *const valid[] = {"a", "rs485-1", "supply_temp", "0"};
    const char *const invalid[] = {"", "Boiler", "a b", "a/b", "\xc3\xa4", "a.b", "#", "uplink:x"};
    for (size_t i = 0; i < COUNT(valid); i++)
        assert_true(id_valid(valid[i]));
    for (size_t i = 0; i < COUNT(invalid); i++)
        assert_false(id_valid(invalid[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_own_number_name_and_text),
        cmocka_unit_test(translates_errno),
        cmocka_unit_test(names_kinds_and_reasons_as_published),
        cmocka_unit_test(tells_quality_and_reason_of_a_status),
        cmocka_unit_test(no_two_statuses_share_a_code),
        cmocka_unit_test(compares_values_by_type_and_content),
        cmocka_unit_test(takes_plain_ids_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
