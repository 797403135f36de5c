/* Two configurations compared: by what they mean, and by their lines. */
// links: sluice_config sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/difference.h"
#include "config/lines.h"
#include "unit/random.h"

static void fail_if_told(void *context, struct json_place at, const char *sentence)
{
    (void)context;
    fail_msg("%u:%u: %s", at.line, at.column, sentence);
}

static struct json *read_tree(struct arena *arena, const char *text)
{
    struct json *root;

    assert_int_equal(json_read(&root, arena, text, strlen(text), fail_if_told, NULL), 0);
    return root;
}

/* The list without its blanks. */
static char *difference_of(const char *old, const char *new, char words[128])
{
    struct arena *arena;
    char *text = NULL;
    size_t size, kept = 0;

    assert_int_equal(arena_open(&arena), 0);
    struct json_writer writer = {.out = open_memstream(&text, &size)};
    struct json *old_root = old ? read_tree(arena, old) : NULL, *new_root = read_tree(arena, new);
    json_write_open(&writer, NULL, '{');
    unsigned count = difference_write(&writer, "d", old_root, new_root);
    json_write_close(&writer, '}');
    fclose(writer.out);
    assert_int_equal(difference_words(old_root, new_root, words, 128), count);
    arena_close(arena);
    for (size_t i = 0; i < size; i++)
        if (!strchr(" \n", text[i]))
            text[kept++] = text[i];
    text[kept] = '\0';
    return text;
}

static void tells_what_changed_by_where_it_stands(void **state)
{
    static const struct {
        const char *old, *new, *difference, *words;
    } cases[] = {
        {"{\"a\":1, /* c */ \"b\":[1,2]}", "{\"b\":[1,2],\"a\":1.0}", "{\"d\":[]}", ""},
        {"{\"a\":1}", "{\"a\":2,\"n\":null}",
         "{\"d\":[{\"at\":\"a\",\"from\":1,\"to\":2},{\"at\":\"n\",\"to\":null}]}", "a, n"},
        {"{\"d\":[{\"id\":\"x\",\"n\":1},{\"id\":\"y\"}]}",
         "{\"d\":[{\"id\":\"y\"},{\"id\":\"x\",\"n\":2}]}",
         "{\"d\":[{\"at\":\"d.x.n\",\"from\":1,\"to\":2}]}", "d.x.n"},
        {"{\"d\":[{\"id\":\"x\"}]}", "{\"d\":[{\"id\":\"z\",\"n\":[1]}]}",
         "{\"d\":[{\"at\":\"d.x\",\"from\":{\"id\":\"x\"}},{\"at\":\"d.z\",\"to\":{\"id\":\"z\","
         "\"n\":[1]}}]}",
         "d.x, d.z"},
        {"{\"l\":[1,2]}", "{\"l\":[2,1]}", "{\"d\":[{\"at\":\"l\",\"from\":[1,2],\"to\":[2,1]}]}",
         "l"},
        {"{\"a\":{\"b\":1}}", "{\"a\":\"b\"}",
         "{\"d\":[{\"at\":\"a\",\"from\":{\"b\":1},\"to\":\"b\"}]}", "a"},
        {NULL, "{\"a\":\"\\\"\"}", "{\"d\":[{\"at\":\"a\",\"to\":\"\\\"\"}]}", "a"},
    };
    char words[128];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *difference = difference_of(cases[i].old, cases[i].new, words);
        assert_string_equal(difference, cases[i].difference);
        assert_string_equal(words, cases[i].words);
        free(difference);
    }
}

static void words_that_do_not_fit_are_counted(void **state)
{
    char words[128], *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    fputs("{\"first\":1", out);
    for (int i = 0; i < 1000; i++)
        fprintf(out, ",\"another-key-%d\":1", i);
    fputs("}", out);
    fclose(out);
    free(difference_of("{}", text, words));
    assert_non_null(strstr(words, "first, another-key-0"));
    assert_non_null(strstr(words, " more"));
    assert_true(strlen(words) < 128);
    free(text);
    /* Behind one that does not fit none is named, though it would. */
    free(
        difference_of("{}",
                      "{\"a\":1,\"long-long-long-long-long-long-long-long-long-long-long-long-long-"
                      "long-long-long-long-long-long-long-long\":1,\"z\":1}",
                      words));
    assert_string_equal(words, "a and 2 more");
}

static char *lines_of(const char *old, const char *new)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_int_equal(lines_compare(old, new, out), 0);
    fclose(out);
    return text;
}

static void lines_are_shown_with_those_around_them(void **state)
{
    static const struct {
        const char *old, *new, *lines;
    } cases[] = {
        {"a\nb\n", "a\nb\n", ""},
        {"", "a\n", "@@ -0,0 +1,1 @@\n+a\n"},
        {"a\n", "", "@@ -1,1 +0,0 @@\n-a\n"},
        {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
         "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n"},
        {"a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
         "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n"},
        {"a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
         "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n"},
        {"a\nb\nc\nd\n", "b\nc\nx\nd\n", "@@ -1,4 +1,4 @@\n-a\n b\n c\n+x\n d\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *lines = lines_of(cases[i].old, cases[i].new);
        assert_string_equal(lines, cases[i].lines);
        free(lines);
    }
}

/* What `lines` make of `old`. */
static char *patched(const char *old, const char *lines)
{
    char *text = NULL;
    size_t size, at = 1;
    FILE *out = open_memstream(&text, &size);

    while (*lines) {
        size_t line = strcspn(lines, "\n") + 1;
        unsigned long begin, olds;
        if (*lines == '@') {
            assert_int_equal(sscanf(lines, "@@ -%lu,%lu ", &begin, &olds), 2);
            for (begin += olds == 0; at < begin; at++) {
                fwrite(old, 1, strcspn(old, "\n") + 1, out);
                old += strcspn(old, "\n") + 1;
            }
        } else {
            if (*lines != '-')
                fwrite(lines + 1, 1, line - 1, out);
            if (*lines != '+') {
                assert_int_equal(strncmp(old, lines + 1, line - 1), 0);
                old += line - 1;
                at++;
            }
        }
        lines += line;
    }
    fputs(old, out);
    fclose(out);
    return text;
}

static char *random_lines(uint64_t *random, uint64_t max)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (uint64_t i = random_below(random, max); i > 0; i--)
        fprintf(out, "%c\n", (char)('a' + random_below(random, 5)));
    fclose(out);
    return text;
}

static void lines_make_the_new_text_of_the_old_one(void **state)
{
    uint64_t random = 7;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        uint64_t max = i % 500 == 0 ? 4000 : 30;
        char *old = random_lines(&random, max), *new = random_lines(&random, max);
        char *lines = lines_of(old, new), *made = patched(old, lines);
        assert_string_equal(made, new);
        free(made);
        free(lines);
        free(new);
        free(old);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_changed_by_where_it_stands),
        cmocka_unit_test(words_that_do_not_fit_are_counted),
        cmocka_unit_test(lines_are_shown_with_those_around_them),
        cmocka_unit_test(lines_make_the_new_text_of_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
