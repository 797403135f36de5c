/* The light of a boot loader that waits for an update, on a clock that the test moves. */
// links: sluice_node
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/core/light.h"

#define BEGIN_US 4294500000u /* wraps on the way */

static const struct light_pattern pattern = {
    .count = 3, .on_ms = 100, .off_ms = 200, .pause_ms = 1000};

/* For how many milliseconds from `ms` on it stays as it is there, looked at once in each. */
static unsigned lasts(struct light *light, uint32_t *ms, bool lit)
{
    uint32_t from = *ms;

    while (light_is_on(light, BEGIN_US + *ms * 1000) == lit && *ms - from < 5000)
        ++*ms;
    return *ms - from;
}

static void flashes_as_often_as_its_pattern_says(void **state)
{
    struct light light;
    uint32_t ms = 0;

    (void)state;
    light_open(&light, &pattern, BEGIN_US);
    for (unsigned row = 0; row < 3; row++) {
        for (unsigned i = 0; i < pattern.count; i++) {
            assert_int_equal(lasts(&light, &ms, true), pattern.on_ms);
            assert_int_equal(lasts(&light, &ms, false),
                             i + 1 < pattern.count ? pattern.off_ms : pattern.pause_ms);
        }
    }
}

static void one_flash_has_its_pause_behind_it(void **state)
{
    static const struct light_pattern once = {1, 50, 1, 700};
    struct light light;
    uint32_t ms = 0;

    (void)state;
    light_open(&light, &once, BEGIN_US);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(lasts(&light, &ms, true), 50);
        assert_int_equal(lasts(&light, &ms, false), 700);
    }
}

/* The erase of a page takes up to two seconds, in which nobody looks. */
static void a_long_silence_leaves_no_step_out(void **state)
{
    struct light light;
    uint32_t ms = 3000;

    (void)state;
    light_open(&light, &pattern, BEGIN_US);
    assert_int_equal(lasts(&light, &ms, false), pattern.off_ms);
    assert_int_equal(lasts(&light, &ms, true), pattern.on_ms);
    ms += 4000;
    assert_int_equal(lasts(&light, &ms, true), pattern.on_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flashes_as_often_as_its_pattern_says),
        cmocka_unit_test(one_flash_has_its_pause_behind_it),
        cmocka_unit_test(a_long_silence_leaves_no_step_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
