/* The reader of JSON with comments: places, strictness, going on after mistakes, and limits.
 */
// links: sluice_config sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/json.h"
#include "core/error.h"

struct told {
    unsigned count;
    struct json_place first, last;
    char sentence[256]; /* the first */
};

static void remember(void *context, struct json_place at, const char *sentence)
{
    struct told *told = context;
    if (told->count++ == 0) {
        told->first = at;
        snprintf(told->sentence, sizeof(told->sentence), "%s", sentence);
    }
    told->last = at;
}

struct document {
    struct arena *arena;
    struct json *root;
    struct told told;
    int error;
};

static struct document read_bytes(const char *text, size_t size)
{
    struct document document = {0};
    assert_int_equal(arena_open(&document.arena), 0);
    /* An exact copy on the heap, so that a sanitizer sees the first byte read past the end. */
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    document.error =
        json_read(&document.root, document.arena, copy, size, remember, &document.told);
    free(copy);
    return document;
}

static struct document read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void keeps_the_place_of_every_key_and_value(void **state)
{
    (void)state;
    struct document document =
        read_text("// Größe\n{\n\t\"a\": /* ü */ 1,\r\n  \"b\": [ true,\n  {\"c\": \"é\"} ]\n}");
    const struct json *a = json_find(document.root, "a"), *b = json_find(document.root, "b");
    const struct json *c = json_find(b->first->next, "c");
    char path[64];
    assert_int_equal(document.error, 0);
    assert_int_equal(document.root->at.line, 2);
    assert_int_equal(a->key_at.line, 3);
    assert_int_equal(a->key_at.column, 2);
    assert_int_equal(a->at.column, 15);
    assert_int_equal(b->at.line, 4);
    assert_int_equal(c->key_at.line, 5);
    assert_int_equal(c->key_at.column, 4);
    assert_int_equal(c->at.column, 9);
    json_path(c, path, sizeof(path));
    assert_string_equal(path, "b[1].c");
    json_path(c, path, 4);
    assert_string_equal(path, "b[1");
    arena_close(document.arena);
}

static void takes_comments_and_one_comma_at_the_end(void **state)
{
    (void)state;
    struct document document =
        read_text("\xef\xbb\xbf/**//* a * b / */ [1, 2, // three\n] /* end */ // end");
    assert_int_equal(document.error, 0);
    assert_int_equal(document.told.count, 0);
    assert_int_equal(document.root->count, 2);
    arena_close(document.arena);
}

static void keeps_integers_that_a_double_cannot_hold(void **state)
{
    static const struct {
        const char *text;
        bool whole;
        int64_t integer;
    } cases[] = {
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9007199254740993", true, 9007199254740993},
        {"9223372036854775808", false, 0},
        {"5.0", true, 5},
        {"1e3", true, 1000},
        {"-0", true, 0},
        {"0.5", false, 0},
        {"1e300", false, 0},
        {"-1e300", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct document document = read_text(cases[i].text);
        int64_t integer = 0;
        assert_int_equal(document.error, 0);
        assert_string_equal(document.root->text, cases[i].text);
        assert_int_equal(json_integer(document.root, &integer), cases[i].whole);
        if (cases[i].whole)
            assert_int_equal(integer, cases[i].integer);
        arena_close(document.arena);
    }
}

static void reads_escapes_and_surrogate_pairs(void **state)
{
    (void)state;
    struct document document = read_text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"");
    assert_int_equal(document.error, 0);
    assert_string_equal(document.root->text, "\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80");
    assert_int_equal(document.root->size, strlen(document.root->text));
    arena_close(document.arena);
}

static void tells_what_is_wrong_where_it_is(void **state)
{
    static const struct {
        const char *text;
        bool goes_on;
        uint32_t line, column;
        const char *sentence; /* its beginning */
    } cases[] = {
        {"", false, 1, 1, "the file is empty"},
        {"  // nothing\n", false, 2, 1, "the file is empty"},
        {"{\"a\":1 \"b\":2}", true, 1, 7, "a comma is missing here"},
        {"[1\n 2]", true, 1, 3, "a comma is missing here"},
        {"{\"a\" 1}", true, 1, 6, "a colon is missing after the key \"a\""},
        {"{a: 1}", true, 1, 2, "keys stand in double quotes: \"a\""},
        {"{'a': 1}", true, 1, 2, "texts stand in double quotes"},
        {"[abc]", true, 1, 2, "abc without quotes"},
        {"[True]", true, 1, 2, "True without quotes"},
        {"[007]", true, 1, 2, "007: a number has no leading zeros; write 7"},
        {"[0x1F]", true, 1, 2, "0x1F: JSON has no hexadecimal numbers; write 31"},
        {"[1.]", true, 1, 2, "1. is not a number"},
        {"[.5]", true, 1, 2, ".5 is not a number"},
        {"[+1]", true, 1, 2, "+1 is not a number"},
        {"[-]", true, 1, 2, "- is not a number"},
        {"[1e]", true, 1, 2, "1e is not a number"},
        {"[1e999]", true, 1, 2, "1e999 is too large"},
        {"[\"\\x\"]", true, 1, 3, "unknown escape"},
        {"[\"\\u12\"]", true, 1, 3, "\\u takes four"},
        {"[\"\\u0000\"]", true, 1, 3, "a text cannot hold"},
        {"[\"\\ud83d\"]", true, 1, 3, "\\ud83d is half"},
        {"[\"a\tb\"]", true, 1, 4, "byte 0x09 in a text"},
        {"{\"a\":1,\n\"b\":2,\n\"a\":3}", true, 3, 1,
         "the key \"a\" stands twice: first in line 1, column 2"},
        {"[\"abc\n]", false, 1, 2, "this text is never closed"},
        {"[\"abc\\", false, 1, 2, "this text is never closed"},
        {"{\"a\": [1, 2}", false, 1, 12, "found '}'; the '[' of line 1, column 7 is still open"},
        {"{\"a\": [1, 2]", false, 1, 13,
         "found the end; the '{' of line 1, column 1 is still open"},
        {"{,}", false, 1, 2, "found ',' where a key"},
        {"[,]", false, 1, 2, "found ',' where a value"},
        {"[1,,2]", false, 1, 4, "found ',' where a value"},
        {"{\"a\":}", false, 1, 6, "found '}' where a value"},
        {"[1] 2", false, 1, 5, "found '2' behind the end"},
        {"[1] /", false, 1, 5, "a single '/'"},
        {"/* x", false, 1, 1, "this comment is never closed"},
        {"[\"\xff\"]", false, 1, 3, "byte 0xff is not UTF-8"},
        {"\n\"\xc0\xaf\"", false, 2, 2, "byte 0xc0 is not UTF-8"},
        {"\"\xed\xa0\x80\"", false, 1, 2, "byte 0xed is not UTF-8"},
        {"\"\xf4\x90\x80\x80\"", false, 1, 2, "byte 0xf4 is not UTF-8"},
        {"\"\xe2\x82\"", false, 1, 2, "byte 0xe2 is not UTF-8"},
        {"\xff\xfe{", false, 1, 1, "the file is UTF-16"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct document document = read_text(cases[i].text);
        struct told *told = &document.told;
        if (told->count == 0 || told->first.line != cases[i].line ||
            told->first.column != cases[i].column ||
            strncmp(told->sentence, cases[i].sentence, strlen(cases[i].sentence)) != 0)
            fail_msg("%s: told %u, %u:%u %s", cases[i].text, told->count, told->first.line,
                     told->first.column, told->sentence);
        assert_int_equal(document.error, cases[i].goes_on ? 0 : ERR_INVALID);
        assert_int_equal(document.root != NULL, cases[i].goes_on);
        arena_close(document.arena);
    }
}

static void tells_several_mistakes_in_one_pass(void **state)
{
    (void)state;
    struct document document = read_text("{\"a\": 01 \"a\": yes,\n b: [1 2], \"c\" 'x'}");
    assert_int_equal(document.error, 0);
    assert_int_equal(document.told.count, 8);
    assert_int_equal(document.root->count, 4);
    arena_close(document.arena);
}

static void stops_at_its_limits(void **state)
{
    (void)state;
    char deep[2 * (JSON_DEPTH_MAX + 1)];
    memset(deep, '[', sizeof(deep) / 2);
    memset(deep + sizeof(deep) / 2, ']', sizeof(deep) / 2);
    struct document fits = read_bytes(deep + 1, sizeof(deep) - 2);
    struct document too_deep = read_bytes(deep, sizeof(deep));
    assert_int_equal(fits.error, 0);
    assert_int_equal(too_deep.error, ERR_INVALID);
    assert_int_equal(too_deep.told.first.column, JSON_DEPTH_MAX + 1);

    size_t size = JSON_SIZE_MAX + 1;
    char *large = malloc(size);
    assert_non_null(large);
    memset(large, ' ', size);
    struct document too_large = read_bytes(large, size);
    assert_int_equal(too_large.error, ERR_INVALID);
    size = 2 * (JSON_VALUES_MAX + 1);
    for (size_t i = 0; i < size; i++)
        large[i] = i % 2 == 0 ? '0' : ',';
    large[0] = '[';
    struct document too_many = read_bytes(large, size);
    assert_int_equal(too_many.error, ERR_INVALID);
    free(large);
    arena_close(fits.arena);
    arena_close(too_deep.arena);
    arena_close(too_large.arena);
    arena_close(too_many.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_place_of_every_key_and_value),
        cmocka_unit_test(takes_comments_and_one_comma_at_the_end),
        cmocka_unit_test(keeps_integers_that_a_double_cannot_hold),
        cmocka_unit_test(reads_escapes_and_surrogate_pairs),
        cmocka_unit_test(tells_what_is_wrong_where_it_is),
        cmocka_unit_test(tells_several_mistakes_in_one_pass),
        cmocka_unit_test(stops_at_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
