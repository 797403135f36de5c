/* When the page's own certificate is made anew. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/page_certificate.h"

#define DAY_S INT64_C(86400)
#define NOW_S INT64_C(1795448300)

static enum clock_trust trust;

static int64_t now_ns(void *context)
{
    (void)context;
    return NOW_S * NS_PER_S;
}

static enum clock_trust trust_now(void *context)
{
    (void)context;
    return trust;
}

static const struct clock then = {.wall_ns = now_ns, .mono_ns = now_ns, .trust = trust_now};

static void it_is_a_month_before_its_end_and_where_it_begins_later_than_now(void **state)
{
    static const struct {
        int64_t from_days, until_days;
        bool ends;
    } cases[] = {{-100, 31, false}, {-100, 29, true}, {-825, -1, true}, {1, 800, true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tls_identity_facts facts = {.from_wall_s = NOW_S + cases[i].from_days * DAY_S,
                                                 .until_wall_s =
                                                     NOW_S + cases[i].until_days * DAY_S};

        trust = CLOCK_SYNCHRONISED;
        assert_int_equal(page_certificate_ends(&facts, &then), cases[i].ends);
        trust = CLOCK_UNSET; /* that one knows nothing of the day */
        assert_false(page_certificate_ends(&facts, &then));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_month_before_its_end_and_where_it_begins_later_than_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
