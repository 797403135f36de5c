/* What was learnt is kept in words, and comes back as it was. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/words.h"

static void a_value_comes_back_whatever_is_in_it(void **state)
{
    static const char *const values[] = {"4711",    "Acme Ltd",      "50%",
                                         "a=b c=d", "Z\xc3\xa4hler", "\x01\x7f"};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char line[128], back[64];
        struct text text;

        text_init(&text, line, sizeof line);
        words_put(&text, "before", "1");
        words_put(&text, "key", values[i]);
        words_put(&text, "behind", "c=e");
        line[text.size] = '\0';
        assert_int_equal(strlen(line) - strlen(strrchr(line, ' ')),
                         strchr(strchr(line, ' ') + 1, ' ') - line);
        assert_true(words_take(line, "key", back, sizeof back));
        assert_string_equal(back, values[i]);
    }
}

static void only_a_whole_key_is_found(void **state)
{
    char out[8] = "old";

    (void)state;
    assert_false(words_take("id.serial=1 xkey=2 keys=3 key", "key", out, sizeof out));
    assert_string_equal(out, "");
    assert_true(words_take("key=first key=second", "key", out, sizeof out));
    assert_string_equal(out, "first");
    assert_true(words_take("key=123456789", "key", out, sizeof out));
    assert_string_equal(out, "1234567");
    assert_true(words_take("key=a%2 key2=%zz", "key", out, sizeof out));
    assert_true(words_take("x=1 key2=%zz", "key2", out, sizeof out));
    assert_string_equal(out, "%zz");
}

static void an_empty_value_is_no_word(void **state)
{
    char line[16];
    struct text text;

    (void)state;
    text_init(&text, line, sizeof line);
    words_put(&text, "key", "");
    assert_int_equal(text.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_comes_back_whatever_is_in_it),
        cmocka_unit_test(only_a_whole_key_is_found),
        cmocka_unit_test(an_empty_value_is_no_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
