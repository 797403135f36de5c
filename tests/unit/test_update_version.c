/* Which version is the older one. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/update_version.h"

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void versions_are_ordered_as_people_read_them(void **state)
{
    static const struct {
        const char *a, *b;
        int sign;
    } cases[] = {
        {"1.2.0", "1.2.0", 0},
        {"1.9.0", "1.10.0", -1},
        {"2", "10", -1},
        {"1.2", "1.2.0", -1},
        {"1.2.0", "1.2.0-rc1", 1},
        {"1.2.0-rc1", "1.2.0-rc2", -1},
        {"1.2.0~dev", "1.2.0", -1},
        {"1.2.0-rc1", "1.1.9", 1},
        {"1.2.0+abc", "1.2.0+def", 0},
        {"1.02", "1.2", 0},
        {"1.2a", "1.2b", -1},
        {"1.2a", "1.2.", -1},
        {"", "0.1", -1},
        {"", "", 0},
        {"1.2.0a", "1.2.0", 1},
        {"2026.11.3", "2026.9.30", 1},
        {"99999999999999999999.1", "99999999999999999998.2", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(sign(update_version_compare(cases[i].a, cases[i].b)), cases[i].sign);
        assert_int_equal(sign(update_version_compare(cases[i].b, cases[i].a)), -cases[i].sign);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_ordered_as_people_read_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
