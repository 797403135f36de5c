/* JSON that is written to a stream: its texts are those of text_json_string, however long they are. */
// links: sluice_config
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/json_write.h"
#include "core/text.h"

#define SIZE_MAX_OF_TEXT 700

/* As a text alone in a document of one line. */
static void assert_written(const char *text, const char *expected)
{
    char *written;
    size_t size;
    struct json_writer writer = {.out = open_memstream(&written, &size), .flat = true};

    assert_non_null(writer.out);
    json_write_text(&writer, NULL, text);
    fclose(writer.out);
    assert_string_equal(written, expected);
    free(written);
}

static void a_text_is_whole_however_long_it_is(void **state)
{
    static const char *const characters[] = {"a", "\n", "ä", "€", "😀", "\"", "aä€😀"};
    char text[SIZE_MAX_OF_TEXT + 8], expected[6 * sizeof text + 3];

    (void)state;
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        for (size_t lead = 0; lead < 4; lead++) {
            struct text quoted;

            snprintf(text, sizeof text, "%.*s", (int)lead, "xyz");
            while (strlen(text) + strlen(characters[i]) < SIZE_MAX_OF_TEXT) {
                strcat(text, characters[i]);
                text_init(&quoted, expected, sizeof expected);
                text_json_string(&quoted, text, strlen(text));
                assert_written(text, expected);
            }
        }
    }
}

/* Which is no UTF-8: it comes to an end, and as JSON. */
static void what_is_no_character_is_replaced(void **state)
{
    char text[SIZE_MAX_OF_TEXT + 1], expected[3 * sizeof text + 3] = "\"";

    (void)state;
    memset(text, 0x80, SIZE_MAX_OF_TEXT);
    text[SIZE_MAX_OF_TEXT] = '\0';
    for (size_t i = 0; i < SIZE_MAX_OF_TEXT; i++)
        strcat(expected, "\uFFFD");
    strcat(expected, "\"");
    assert_written(text, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_whole_however_long_it_is),
        cmocka_unit_test(what_is_no_character_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
