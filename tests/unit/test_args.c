/* Flags and operands in any order, and values that look like flags. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/args.h"

#define WORDS_MAX 10

struct given {
    const char *ttl, *name;
    bool wait;
};

static int parse(const char *const *words, struct given *given, const char *operands[3])
{
    const struct args_flag flags[] = {
        {"ttl", 't', "TIME", "its time", &given->ttl, NULL},
        {"name", 'n', "NAME", "its name", &given->name, NULL},
        {"wait", 'w', NULL, "wait", NULL, &given->wait},
        {0},
    };
    const struct args_command command = {.name = "sluice write",
                                         .operands = " DEVICE POINT VALUE",
                                         .operands_min = 3,
                                         .operands_max = 3,
                                         .about = "",
                                         .flags = flags};
    char *argv[WORDS_MAX + 2] = {(char *)"write"};
    int argc = 1;

    for (; *words; words++)
        argv[argc++] = (char *)*words;
    *given = (struct given){0};
    int first = args_parse(argc, argv, &command);
    for (int i = 0; first >= 0 && i < 3; i++)
        operands[i] = argv[first + i];
    return first < 0 ? first : argc - first;
}

static void takes_flags_before_between_and_behind_operands(void **state)
{
    static const char *const lines[][WORDS_MAX] = {
        {"-w", "--ttl", "5s", "boiler", "mode", "-5"},
        {"boiler", "-w", "mode", "-t5s", "-5"},
        {"boiler", "mode", "-5", "--wait", "--ttl=5s"},
        {"--tt", "5s", "boiler", "mode", "-5", "-w"},
        {"-wt", "5s", "--", "boiler", "mode", "-5"},
        {"-w", "boiler", "-t", "5s", "--", "mode", "-5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *operands[3];
        struct given given;

        assert_int_equal(parse(lines[i], &given, operands), 3);
        assert_true(given.wait);
        assert_string_equal(given.ttl, "5s");
        assert_string_equal(operands[0], "boiler");
        assert_string_equal(operands[1], "mode");
        assert_string_equal(operands[2], "-5");
    }
}

static void takes_a_negative_number_for_a_value(void **state)
{
    static const char *const numbers[] = {"-5", "-0.5", "-.5", "-1e3", "-5m"};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *const as_operand[] = {"boiler", "mode", numbers[i], NULL};
        const char *const as_value[] = {"--ttl", numbers[i], "a", "b", "c", NULL};
        const char *operands[3];
        struct given given;

        assert_int_equal(parse(as_operand, &given, operands), 3);
        assert_string_equal(operands[2], numbers[i]);
        assert_int_equal(parse(as_value, &given, operands), 3);
        assert_string_equal(given.ttl, numbers[i]);
    }
}

static void refuses_what_it_does_not_know(void **state)
{
    static const char *const lines[][WORDS_MAX] = {
        {"a", "b", "-x"}, {"a", "b", "--nonsense"}, {"a", "b"},        {"a", "b", "c", "d"},
        {"a", "b", "-"},  {"a", "b", "c", "--ttl"}, {"a", "b", "-.x"},
    };
    static const int results[] = {ARGS_WRONG, ARGS_WRONG, ARGS_WRONG, ARGS_WRONG,
                                  3,          ARGS_WRONG, ARGS_WRONG};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *operands[3];
        struct given given;

        assert_int_equal(parse(lines[i], &given, operands), results[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_flags_before_between_and_behind_operands),
        cmocka_unit_test(takes_a_negative_number_for_a_value),
        cmocka_unit_test(refuses_what_it_does_not_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
