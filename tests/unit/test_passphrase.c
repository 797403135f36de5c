/* A passphrase comes through a header as it was typed, whatever is in it. */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "web/passphrase.h"

static void what_is_escaped_comes_back(void **state)
{
    static const struct {
        const char *value, *passphrase;
    } cases[] = {
        {"", ""},
        {"three wise words", "three wise words"},
        {"%20at%20both%20ends%20", " at both ends "},
        {"dr%C3%bcben%20100%25%20%E2%82%AC", "dr\xc3\xbc"
                                             "ben 100% \xe2\x82\xac"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(passphrase_decode(cases[i].value, out, sizeof out), 0);
        assert_string_equal(out, cases[i].passphrase);
    }
}

/* As a client sends it that knows nothing of escapes: better told than sealed with other bytes. */
static void what_is_none_is_refused(void **state)
{
    static const char *const values[] = {"100%",  "100% sure", "%2",         "%zz",
                                         "%2g00", "a%00b",     "Gr\xfc\xdf", "Gr\xc3\xbc\xc3\x9f"};
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_int_equal(passphrase_decode(values[i], out, sizeof out), ERR_INVALID);
}

static void one_that_does_not_fit_is_not_cut(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(passphrase_decode("7letter", out, sizeof out), 0);
    assert_int_equal(passphrase_decode("8letters", out, sizeof out), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_escaped_comes_back),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(one_that_does_not_fit_is_not_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
