/* What sluice read --explain and --expect show of a guess. */
// links: sluice_cli
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/explain.h"

/* The number of the kind of a type and order. */
static unsigned kind_of(const char *name, const char *letters)
{
    unsigned kind = 0;

    while (strcmp(guess_kinds[kind].name, name) != 0 ||
           strcmp(guess_kinds[kind].letters, letters) != 0)
        kind++;
    return kind;
}

static void a_float_has_its_shortest_form(void **state)
{
    static uint8_t bytes[] = {0x43, 0x66, 0x19, 0x9A}; /* 230.1 */
    static bool there[] = {true, true};
    const struct guess_samples samples = {2, 1, bytes, there};

    (void)state;
    for (int json = 0; json < 2; json++) {
        char *text = NULL;
        size_t size;
        struct guess guess;
        struct explain_page page = {.samples = &samples, .function = 3};

        page.out = open_memstream(&text, &size);
        assert_non_null(page.out);
        assert_true(guess_make(&samples, 0, kind_of("f32", "ABCD"), &guess));
        if (json)
            explain_print_guesses_json(&page, &guess, 1);
        else
            explain_print_guesses(&page, &guess, 1);
        fclose(page.out);
        assert_non_null(strstr(text, "230.1"));
        assert_null(strstr(text, "230.10"));
        free(text);
    }
}

/* NaN has a word and no motion; a register that may stand for nothing says so. */
static void what_is_no_number_has_words(void **state)
{
    static uint8_t bytes[] = {0x7F, 0xC0, 0, 0, 0x80, 0, 0x7F, 0xC0, 0, 0, 0x80, 0};
    static bool there[] = {true, true, true};
    const struct guess_samples samples = {3, 2, bytes, there};
    struct explain_page page = {.samples = &samples, .function = 3, .all = true};
    char *text = NULL;
    size_t size;

    (void)state;
    page.out = open_memstream(&text, &size);
    assert_non_null(page.out);
    explain_print(&page);
    fclose(page.out);
    assert_non_null(strstr(text, "no number  "));
    assert_null(strstr(text, "no number~"));
    assert_null(strstr(text, "-~"));
    assert_non_null(
        strstr(text, "40003  0x8000  \"..\"  bits 15  BCD 8000  may mean: not available\n"));
    assert_ptr_equal(strstr(text, "may mean"), strstr(strstr(text, "40003"), "may mean"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_float_has_its_shortest_form),
        cmocka_unit_test(what_is_no_number_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
