/* Which ciphers are offered, and in which order: the faster one here first, and nothing weak. */
// links: sluice_tls
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tls/context.h"

static const char *name_of(int suite)
{
    const char *name = mbedtls_ssl_get_ciphersuite_name(suite);

    assert_non_null(name);
    return name;
}

static bool is_chacha(int suite)
{
    return strstr(name_of(suite), "CHACHA20-POLY1305") != NULL;
}

/* Those of TLS 1.3 have no key exchange in their name. */
static bool is_13(int suite)
{
    return strncmp(name_of(suite), "TLS1-3-", 7) == 0;
}

/* Of one version of TLS the slower ones do not stand before the faster ones. */
static void expect_order(const int *suites, bool chacha_first)
{
    bool slow_seen[2] = {false, false};
    size_t chacha = 0, aes = 0;

    for (; *suites; suites++) {
        bool slow = is_chacha(*suites) != chacha_first;

        if (!slow && slow_seen[is_13(*suites)])
            fail_msg("%s stands behind a slower one", name_of(*suites));
        slow_seen[is_13(*suites)] |= slow;
        *(is_chacha(*suites) ? &chacha : &aes) += 1;
    }
    assert_true(chacha >= 2 && aes >= 4);
}

static void the_faster_cipher_is_offered_first(void **state)
{
    (void)state;
    expect_order(context_suites(true, false), true);
    expect_order(context_suites(false, false), false);
}

static void the_faster_one_is_offered_alone_where_that_is_wanted(void **state)
{
    const int *suites = context_suites(true, true);

    (void)state;
    assert_int_not_equal(*suites, 0);
    for (; *suites; suites++)
        assert_true(is_chacha(*suites));
}

static void nothing_is_offered_without_forward_secrecy_and_an_aead(void **state)
{
    const int *const lists[] = {context_suites(true, false), context_suites(false, false),
                                context_suites(true, true)};

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (const int *suite = lists[i]; *suite; suite++) {
            const char *name = name_of(*suite);

            if (!is_13(*suite) && strncmp(name, "TLS-ECDHE-", 10) != 0)
                fail_msg("%s has no forward secrecy", name);
            if (!is_chacha(*suite) && !strstr(name, "-GCM-"))
                fail_msg("%s is no AEAD", name);
        }
    }
}

static void one_good_round_says_which_is_the_faster_one(void **state)
{
    static const struct {
        int64_t chacha_ns[CONTEXT_ROUNDS], gcm_ns[CONTEXT_ROUNDS];
        bool chacha;
    } cases[] = {
        {{50, 50, 50, 50}, {70, 70, 70, 70}, true},
        {{70, 70, 70, 70}, {50, 50, 50, 50}, false},
        {{900, 50, 400, 60}, {70, 70, 70, 70}, true}, /* disturbed in two of four */
        {{900, 400, 400, 50}, {70, 70, 70, 70}, true},
        {{50, 50, 50, 50}, {40, 900, 900, 900}, false},
        {{50, 50, 50, 50}, {50, 50, 50, 50}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (context_chacha_faster(cases[i].chacha_ns, cases[i].gcm_ns) != cases[i].chacha)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_faster_cipher_is_offered_first),
        cmocka_unit_test(the_faster_one_is_offered_alone_where_that_is_wanted),
        cmocka_unit_test(nothing_is_offered_without_forward_secrecy_and_an_aead),
        cmocka_unit_test(one_good_round_says_which_is_the_faster_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
