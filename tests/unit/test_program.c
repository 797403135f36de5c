/* Programs that the daemon runs: how they end. */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "web/program.h"

static void one_that_prints_ends_as_it_wants_to(void **state)
{
    static const struct {
        const char *script;
        int code;
    } cases[] = {
        {"exit 0", 0},
        /* More than a pipe holds: somebody has to read it. */
        {"head -c 300000 /dev/zero || exit 5; exit 3", 3},
        {"head -c 300000 /dev/zero >&2 || exit 5; exit 4", 4},
        {"kill -9 $$", 128 + 9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const arguments[] = {"sh", "-c", cases[i].script, NULL};
        struct program program;

        assert_int_equal(program_start_other(&program, arguments), 0);
        assert_int_equal(program_wait(&program), cases[i].code);
    }
}

static void one_that_does_not_answer_in_time_is_ended(void **state)
{
    const char *const arguments[] = {"sh", "-c", "echo begun >&2; exec sleep 60", NULL};
    char *out = NULL, words[32];
    size_t size;
    int64_t begun_ns = clock_mono(&clock_system);

    (void)state;
    assert_int_equal(program_ask_other(arguments, 1, 64, &out, &size, words, sizeof words),
                     ERR_TIMEOUT);
    assert_null(out);
    assert_string_equal(words, "begun\n");
    assert_in_range(clock_mono(&clock_system) - begun_ns, NS_PER_S, 40 * NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_prints_ends_as_it_wants_to),
        cmocka_unit_test(one_that_does_not_answer_in_time_is_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
