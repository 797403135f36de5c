/* Programs that the daemon runs: how they end. */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_prints_ends_as_it_wants_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
