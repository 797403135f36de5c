/* Edits by place: what they make, and that all else stays as it was, byte for byte. */
// links: sluice_config sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "config/edit.h"
#include "core/clock.h"
#include "core/error.h"
#include "unit/random.h"

struct read {
    struct arena *arena;
    struct json *root;
    unsigned told;
};

static void count(void *context, struct json_place at, const char *sentence)
{
    (void)at;
    (void)sentence;
    ++*(unsigned *)context;
}

static struct read read_json(const char *text)
{
    struct read read = {0};

    assert_int_equal(arena_open(&read.arena), 0);
    json_read(&read.root, read.arena, text, strlen(text), count, &read.told);
    return read;
}

static int edit(const char *edits, const char *text, char **edited, char why[EDIT_WHY_SIZE])
{
    struct read read = read_json(edits);
    size_t size = 0;

    assert_non_null(read.root);
    int error = edit_text(read.root, text, strlen(text), edited, &size, why);
    if (!error)
        assert_int_equal(strlen(*edited), size);
    arena_close(read.arena);
    return error;
}

struct edit_case {
    const char *edits, *before, *after;
};

static const struct edit_case cases[] = {
    /* A value alone. */
    {"[{\"at\":[\"a\"],\"set\":2}]", "{ \"a\": 1 /* one */, } // end",
     "{ \"a\": 2 /* one */, } // end"},
    {"[{\"at\":[\"d\",{\"id\":\"x\"},\"n\"],\"set\":\"é\\n\"}]",
     "{\n  \"d\": [\n    // the first\n    { \"id\": \"x\", \"n\": \"old\" }, // of two\n    { "
     "\"id\": \"y\" }\n  ]\n}\n",
     "{\n  \"d\": [\n    // the first\n    { \"id\": \"x\", \"n\": \"é\\n\" }, // of two\n    { "
     "\"id\": \"y\" }\n  ]\n}\n"},
    /* A key that is new: as its neighbours are. */
    {"[{\"at\":[\"b\"],\"set\":true}]", "{ \"a\": 1 }", "{ \"a\": 1, \"b\": true }"},
    {"[{\"at\":[\"b\"],\"set\":true}]", "{\"a\":1,\"c\":2}", "{\"a\":1,\"c\":2,\"b\":true}"},
    {"[{\"at\":[\"b\"],\"set\":true}]", "{\n\t\"a\": 1 // one\n}\n",
     "{\n\t\"a\": 1, // one\n\t\"b\": true\n}\n"},
    {"[{\"at\":[\"b\"],\"set\":true}]", "{\r\n  \"a\": 1,\r\n}\r\n",
     "{\r\n  \"a\": 1,\r\n  \"b\": true,\r\n}\r\n"},
    {"[{\"at\":[\"b\"],\"set\":{\"c\":1}}]", "{}", "{\n  \"b\": { \"c\": 1 }\n}"},
    {"[{\"at\":[\"b\"],\"set\":{\"c\":1}}]", "{\n  // nothing yet\n}\n",
     "{\n  // nothing yet\n  \"b\": { \"c\": 1 }\n}\n"},
    /* Objects on the way are made. */
    {"[{\"at\":[\"a\",\"b\",\"c\"],\"set\":[1,2]}]", "{\n  \"x\": 1\n}\n",
     "{\n  \"x\": 1,\n  \"a\": { \"b\": { \"c\": [1, 2] } }\n}\n"},
    /* An entry that is new. */
    {"[{\"at\":[\"d\"],\"add\":{\"id\":\"z\",\"n\":3}}]",
     "{\n  \"d\": [\n    { \"id\": \"x\" }, // one\n    { \"id\": \"y\" } // two\n    // all\n  "
     "]\n}\n",
     "{\n  \"d\": [\n    { \"id\": \"x\" }, // one\n    { \"id\": \"y\" }, // two\n    { \"id\": "
     "\"z\", \"n\": 3 }\n    // all\n  ]\n}\n"},
    {"[{\"at\":[\"d\"],\"add\":{\"id\":\"z\"}}]", "{\n  \"d\": []\n}\n",
     "{\n  \"d\": [\n    { \"id\": \"z\" }\n  ]\n}\n"},
    {"[{\"at\":[\"d\"],\"add\":{\"id\":\"z\"}}]", "{\n  \"v\": 1\n}\n",
     "{\n  \"v\": 1,\n  \"d\": [\n    { \"id\": \"z\" }\n  ]\n}\n"},
    {"[{\"at\":[\"d\"],\"add\":{\"id\":\"z\",\"n\":1}}]",
     "{\n \"d\": [\n  {\n   \"id\": \"x\"\n  }\n ]\n}",
     "{\n \"d\": [\n  {\n   \"id\": \"x\"\n  },\n  {\n   \"id\": \"z\",\n   \"n\": 1\n  }\n ]\n}"},
    /* Away: with its comma, its line, and the comment behind it. */
    {"[{\"at\":[\"a\"],\"remove\":true}]", "{ \"a\": 1, \"b\": 2 }", "{ \"b\": 2 }"},
    {"[{\"at\":[\"b\"],\"remove\":true}]", "{ \"a\": 1, \"b\": 2 }", "{ \"a\": 1 }"},
    {"[{\"at\":[\"b\"],\"remove\":true}]", "{ \"b\": 2 }", "{ }"},
    {"[{\"at\":[\"d\",{\"id\":\"y\"}],\"remove\":true}]",
     "{\n  \"d\": [\n    { \"id\": \"x\" }, // one\n    { \"id\": \"y\" } // two\n    // all\n  "
     "]\n}\n",
     "{\n  \"d\": [\n    { \"id\": \"x\" } // one\n    // all\n  ]\n}\n"},
    {"[{\"at\":[\"d\",{\"id\":\"x\"}],\"remove\":true}]",
     "{\n  \"d\": [\n    // one,\n    { \"id\": \"x\" }, // 1\n    { \"id\": \"y\" },\n  ]\n}\n",
     "{\n  \"d\": [\n    // one,\n    { \"id\": \"y\" },\n  ]\n}\n"},
    {"[{\"at\":[\"b\"],\"remove\":true}]", "{\n  \"a\": 1\n  , \"b\": 2 }", "{\n  \"a\": 1\n   }"},
    /* A whole object or list changes where it differs. */
    {"[{\"at\":[\"g\"],\"set\":{\"id\":\"p\",\"name\":\"new\",\"more\":1}}]",
     "{\n  \"g\": {\n    \"id\": \"p\", // for ever\n    \"name\": \"old\", // as people say\n    "
     "\"gone\": 1\n  }\n}\n",
     "{\n  \"g\": {\n    \"id\": \"p\", // for ever\n    \"name\": \"new\", // as people say\n    "
     "\"more\": 1\n  }\n}\n"},
    {"[{\"at\":[\"d\"],\"set\":[{\"id\":\"y\",\"n\":2},{\"id\":\"z\"}]}]",
     "{\n  \"d\": [\n    { \"id\": \"x\" },\n    { \"id\": \"y\", /* it */ \"n\": 1 }\n  ]\n}\n",
     "{\n  \"d\": [\n    { \"id\": \"y\", /* it */ \"n\": 2 },\n    { \"id\": \"z\" }\n  ]\n}\n"},
    /* Its id, too. */
    {"[{\"at\":[\"d\",{\"id\":\"x\"}],\"set\":{\"id\":\"w\",\"n\":2,\"was\":[\"x\"]}}]",
     "{\"d\": [{\"id\": \"x\", \"n\": 1}]}",
     "{\"d\": [{\"id\": \"w\", \"n\": 2, \"was\": [\"x\"]}]}"},
    {"[{\"at\":[\"l\",1],\"set\":9}]", "{ \"l\": [1, 2, 3] }", "{ \"l\": [1, 9, 3] }"},
    /* One after the other. */
    {"[{\"at\":[\"d\"],\"add\":{\"id\":\"z\"}},{\"at\":[\"d\",{\"id\":\"z\"},\"n\"],\"set\":1}]",
     "{ \"d\": [{ \"id\": \"x\" }] }",
     "{ \"d\": [{ \"id\": \"x\" }, { \"id\": \"z\", \"n\": 1 }] }"},
    /* Large whole numbers keep their digits, and what means the same is left alone. */
    {"[{\"at\":[\"a\"],\"set\":9007199254740993}]", "{\"a\": 9007199254740992}",
     "{\"a\": 9007199254740993}"},
    {"[{\"at\":[\"a\"],\"set\":1000}]", "{\"a\": 1e3}", "{\"a\": 1e3}"},
};

static void changes_what_it_names_and_nothing_else(void **state)
{
    char why[EDIT_WHY_SIZE], *edited;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int error = edit(cases[i].edits, cases[i].before, &edited, why);
        if (error)
            fail_msg("%s: %s", cases[i].edits, why);
        if (strcmp(edited, cases[i].after) != 0)
            fail_msg("%s of\n%s\ngave\n%s\nand not\n%s", cases[i].edits, cases[i].before, edited,
                     cases[i].after);
        free(edited);
    }
}

static void refuses_what_cannot_be_done_with_a_reason(void **state)
{
    static const struct {
        const char *edits, *text;
        int error;
        const char *words;
    } refused[] = {
        {"{}", "{}", ERR_INVALID, "list of at most"},
        {"[1]", "{}", ERR_INVALID, "an edit is an object"},
        {"[{\"at\":[\"a\"],\"remove\":false}]", "{}", ERR_INVALID, "an edit is an object"},
        {"[{\"at\":[\"a\"],\"set\":1,\"add\":2}]", "{}", ERR_INVALID, "an edit is an object"},
        {"[{\"at\":[],\"set\":1}]", "{}", ERR_INVALID, "list of steps"},
        {"[{\"at\":[true],\"set\":1}]", "{}", ERR_INVALID, "a step of"},
        {"[{\"at\":[-1],\"set\":1}]", "[]", ERR_INVALID, "a step of"},
        {"[{\"at\":[\"a\"],\"remove\":true}]", "{}", ERR_NOT_FOUND,
         "a: there is nothing to remove"},
        {"[{\"at\":[\"d\",{\"id\":\"x\"},\"n\"],\"set\":1}]", "{\"d\":[]}", ERR_NOT_FOUND,
         "d.x.n: there is no such entry"},
        {"[{\"at\":[\"a\",\"b\"],\"set\":1}]", "{\"a\":1}", ERR_INVALID, "no object"},
        {"[{\"at\":[\"a\"],\"add\":1}]", "{\"a\":1}", ERR_INVALID, "is no list"},
        {"[{\"at\":[\"d\"],\"add\":{\"id\":\"x\"}}]", "{\"d\":[{\"id\":\"x\"}]}", ERR_EXISTS,
         "\"x\" already"},
        {"[{\"at\":[\"d\",{\"id\":\"x\"}],\"set\":{\"id\":\"y\"}}]",
         "{\"d\":[{\"id\":\"x\"},{\"id\":\"y\"}]}", ERR_EXISTS, "\"y\" already"},
        {"[{\"at\":[\"d\",{\"id\":\"x\"}],\"set\":{}}]", "{\"d\":[{\"id\":\"x\",\"n\":1}]}",
         ERR_INVALID, "has one"},
        {"[{\"at\":[\"a\"],\"set\":1}]", "{\"a\":1\n\"b\":2}", ERR_CONFIG,
         "line 1, column 7: a comma is missing"},
        {"[{\"at\":[\"a\"],\"set\":1}]", "", ERR_CONFIG, "empty"},
        {"[{\"at\":[\"a\"],\"set\":1}]", "7", ERR_INVALID, "no object"},
    };
    char why[EDIT_WHY_SIZE], *edited;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        int error = edit(refused[i].edits, refused[i].text, &edited, why);
        if (error != refused[i].error || !strstr(why, refused[i].words))
            fail_msg("%s: %d \"%s\"", refused[i].edits, error, error ? why : edited);
        assert_null(edited);
    }
}

/* --- random documents and edits --- */

struct maker {
    uint64_t *random;
    FILE *out;
    unsigned comments;
};

static void put_space(struct maker *maker, bool line)
{
    switch (random_below(maker->random, 9)) {
    case 0:
        fprintf(maker->out, " /* c%u, \"[{ */ ", maker->comments++);
        break;
    case 1:
        if (line)
            fprintf(maker->out, " // c%u }],\n  ", maker->comments++);
        break;
    case 2:
        fputs("\n    ", maker->out);
        break;
    case 3:
        fputs(" ", maker->out);
        break;
    }
}

static void put_value(struct maker *maker, unsigned depth)
{
    static const char *const scalars[] = {"1",        "-2.5e3",     "true", "null",
                                          "\"a, }\"", "\"\\\"//\"", "\"\""};
    uint64_t kind = depth < 4 ? random_below(maker->random, 4) : 0;
    bool object = kind == 1;

    if (kind == 0 || kind == 3) {
        fputs(scalars[random_below(maker->random, 7)], maker->out);
        return;
    }
    fputs(object ? "{" : "[", maker->out);
    put_space(maker, true);
    uint64_t items = random_below(maker->random, 4);
    for (uint64_t i = 0; i < items; i++) {
        if (object)
            fprintf(maker->out, "\"%c\"", (char)('a' + i));
        if (object) {
            put_space(maker, true);
            fputs(":", maker->out);
            put_space(maker, true);
        }
        put_value(maker, depth + 1);
        put_space(maker, true);
        if (i + 1 < items || random_below(maker->random, 4) == 0)
            fputs(",", maker->out);
        put_space(maker, true);
    }
    fputs(object ? "}" : "]", maker->out);
}

static char *make_document(uint64_t *random, unsigned *comments)
{
    char *text = NULL;
    size_t size;
    struct maker maker = {.random = random, .out = open_memstream(&text, &size)};

    fputs("// top\n{", maker.out);
    for (unsigned i = 0; i < 3; i++) {
        fprintf(maker.out, "%s\"%c\": ", i > 0 ? "," : "", (char)('a' + i));
        put_value(&maker, 0);
        put_space(&maker, true);
    }
    fputs("}\n", maker.out);
    fclose(maker.out);
    *comments = maker.comments;
    return text;
}

/* What it means, as one line: `at` is replaced by `with`, or left out where that is NULL; `to` gets
 * `with` as a new last item. */
static void put_meaning(FILE *out, const struct json *value, const struct json *at,
                        const struct json *to, const char *key, const char *with)
{
    bool object = value->type == JSON_OBJECT, more = false;

    if (value == at) {
        fputs(with, out);
        return;
    }
    if (!object && value->type != JSON_LIST) {
        fprintf(out, "%d:%s", value->type, value->text ? value->text : value->truth ? "t" : "f");
        return;
    }
    fputs(object ? "{" : "[", out);
    for (const struct json *item = value->first; item; item = item->next) {
        if (item == at && !with)
            continue;
        fprintf(out, "%s%s=", more ? "," : "", item->key ? item->key : "");
        more = true;
        put_meaning(out, item, at, to, key, with);
    }
    if (value == to)
        fprintf(out, "%s%s=%s", more ? "," : "", key ? key : "", with);
    fputs(object ? "}" : "]", out);
}

static char *meaning(const struct json *root, const struct json *at, const struct json *to,
                     const char *key, const char *with)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    put_meaning(out, root, at, to, key, with);
    fclose(out);
    return text;
}

static const struct json *pick(const struct json *root, uint64_t *random)
{
    const struct json *value = root;

    for (;;) {
        uint64_t skip = value->count ? random_below(random, value->count) : 0;
        const struct json *item = value->first;
        for (; item && skip > 0; skip--)
            item = item->next;
        if (!item)
            return value;
        value = item;
        if (random_below(random, 3) == 0)
            return value;
    }
}

static void put_path(FILE *out, const struct json *value)
{
    unsigned index = 0;

    if (!value->parent)
        return;
    put_path(out, value->parent);
    fputs(value->parent->parent ? "," : "", out);
    if (value->key) {
        fprintf(out, "\"%s\"", value->key);
        return;
    }
    for (const struct json *item = value->parent->first; item != value; item = item->next)
        index++;
    fprintf(out, "%u", index);
}

static unsigned comments_in(const char *text, unsigned made)
{
    unsigned found = 0;

    for (unsigned i = 0; i < made; i++) {
        char block[32], line[32];
        snprintf(block, sizeof block, "/* c%u, \"[{ */", i);
        snprintf(line, sizeof line, "// c%u }],", i);
        found += strstr(text, block) || strstr(text, line);
    }
    return found;
}

static size_t common_prefix(const char *a, const char *b)
{
    size_t size = 0;

    while (a[size] && a[size] == b[size])
        size++;
    return size;
}

static void any_edit_means_what_it_says_and_keeps_every_comment(void **state)
{
    uint64_t random = 11;

    (void)state;
    for (unsigned round = 0; round < 6000; round++) {
        unsigned made;
        char *text = make_document(&random, &made), *edits = NULL, *expected, *got, *edited;
        char why[EDIT_WHY_SIZE];
        size_t size;
        struct read before = read_json(text);
        assert_int_equal(before.told, 0);
        const struct json *at = pick(before.root, &random);
        uint64_t kind = random_below(&random, 3);
        bool nested = at->type == JSON_LIST || at->type == JSON_OBJECT;
        FILE *out = open_memstream(&edits, &size);

        fputs("[{\"at\":[", out);
        put_path(out, at);
        if (kind == 0) {
            fputs("],\"set\":77}]", out);
            expected = meaning(before.root, at, NULL, NULL, "3:77");
        } else if (kind == 1 && nested) {
            bool object = at->type == JSON_OBJECT;
            fputs(object ? ",\"new\"],\"set\":[8]}]" : "],\"add\":[8]}]", out);
            expected = meaning(before.root, NULL, at, object ? "new" : NULL, "[=3:8]");
        } else {
            fputs("],\"remove\":true}]", out);
            expected = meaning(before.root, at, NULL, NULL, NULL);
        }
        fclose(out);
        if (at == before.root)
            goto next;
        if (edit(edits, text, &edited, why))
            fail_msg("round %u: %s of %s: %s", round, edits, text, why);
        struct read after = read_json(edited);
        if (after.told > 0)
            fail_msg("round %u: %s of\n%s\ngave\n%s", round, edits, text, edited);
        got = meaning(after.root, NULL, NULL, NULL, NULL);
        /* Comments inside what is replaced or removed go with it, and the one behind it. */
        size_t line = at->key_begin;
        while (strchr(" ", text[line - 1]))
            line--;
        bool kept = (kind == 1 && nested) ? comments_in(edited, made) == comments_in(text, made)
                                          : common_prefix(text, edited) >= line || !at->next;
        if (kind == 0)
            kept = strncmp(text, edited, at->begin) == 0 &&
                   strcmp(text + at->end, edited + at->begin + 2) == 0;
        if (strcmp(got, expected) != 0 || !kept)
            fail_msg("round %u: %s of\n%s\ngave\n%s\nthat is %s\nand not %s", round, edits, text,
                     edited, got, expected);
        free(got);
        free(edited);
        arena_close(after.arena);
    next:
        free(expected);
        free(edits);
        free(text);
        arena_close(before.arena);
    }
}

/* An edit of something in the document, without the list around it; NULL where it would be of all.
 */
static char *make_edit(const struct json *root, uint64_t *random)
{
    static const char *const values[] = {"77",     "\"\"", "\"longer than it was\"", "null",
                                         "-1.5e3", "[8]",  "{\"a\":1,\"b\":[2]}"};
    const struct json *at = pick(root, random);
    const char *value = values[random_below(random, sizeof values / sizeof *values)];
    uint64_t kind = random_below(random, 4);
    char *made = NULL;
    size_t size;
    FILE *out = at == root ? NULL : open_memstream(&made, &size);

    if (!out)
        return NULL;
    fputs("{\"at\":[", out);
    put_path(out, at);
    if (kind == 0 && at->type == JSON_LIST)
        fprintf(out, "],\"add\":%s}", value);
    else if (kind == 0 && at->type == JSON_OBJECT)
        fprintf(out, ",\"new%u\"],\"set\":%s}", (unsigned)random_below(random, 3), value);
    else if (kind == 1)
        fputs("],\"remove\":true}", out);
    else
        fprintf(out, "],\"set\":%s}", value);
    fclose(out);
    return made;
}

/* Of several the later ones find what the earlier ones have left. */
static void several_edits_at_once_are_as_one_after_the_other(void **state)
{
    uint64_t random = 23;

    (void)state;
    for (unsigned round = 0; round < 1500; round++) {
        unsigned made;
        char *text = make_document(&random, &made), *now = strdup(text), *all = NULL, *edited;
        char why[EDIT_WHY_SIZE];
        size_t size, count = 0;
        FILE *out = open_memstream(&all, &size);

        fputs("[", out);
        for (int i = 0; i < 5; i++) {
            struct read read = read_json(now);
            char *one = make_edit(read.root, &random), *list;

            arena_close(read.arena);
            if (!one || asprintf(&list, "[%s]", one) < 0)
                continue;
            if (edit(list, now, &edited, why))
                fail_msg("round %u: %s of %s: %s", round, list, now, why);
            fprintf(out, "%s%s", count++ > 0 ? "," : "", one);
            free(now);
            now = edited;
            free(list);
            free(one);
        }
        fputs("]", out);
        fclose(out);
        if (edit(all, text, &edited, why))
            fail_msg("round %u: %s of %s: %s", round, all, text, why);
        if (strcmp(edited, now) != 0)
            fail_msg("round %u: %s of\n%s\ngave\n%s\nand not\n%s", round, all, text, edited, now);
        free(edited);
        free(all);
        free(now);
        free(text);
    }
}

/* As a page sends it that has them all renumbered or renamed; names grow and shrink. */
static char *make_devices(unsigned count, bool renamed)
{
    char *made = NULL;
    size_t size;
    FILE *out = open_memstream(&made, &size);

    fputs("{\n \"devices\": [", out);
    for (unsigned i = 0; i < count; i++)
        fprintf(out, "%s\n  {\"id\": \"d%u\", \"name\": \"%.*s\", \"on\": %s}", i > 0 ? "," : "", i,
                (int)((i * 7 + renamed * 3) % 11), "a name to cut",
                renamed ? "null, \"unit\": 7000" : "true");
    fputs("\n ]\n}\n", out);
    fclose(out);
    return made;
}

/* The time of the processor that this thread has had. */
static int64_t worked_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* What it costs to read a text. */
static int64_t reading_ns(const char *text)
{
    enum { READS = 20 };
    int64_t begun_ns = worked_ns();

    for (int i = 0; i < READS; i++)
        arena_close(read_json(text).arena);
    return (worked_ns() - begun_ns) / READS;
}

static void for_many_values_at_once_not_each_has_all_of_them_read_anew(void **state)
{
    enum { DEVICES = 1000, CHANGES = 3 * DEVICES };
    char *before = make_devices(DEVICES, false), *after = make_devices(DEVICES, true);
    char why[EDIT_WHY_SIZE], *edited, *edits = malloc(strlen(after) + 100);

    (void)state;
    sprintf(edits, "[{\"at\":[\"devices\"],\"set\":%s", strchr(after, '['));
    strcpy(strrchr(edits, '}'), "}]"); /* the document's own brace becomes the edit's */
    int64_t begun_ns = worked_ns();
    assert_int_equal(edit(edits, before, &edited, why), 0);
    int64_t took_ns = worked_ns() - begun_ns;
    assert_true(took_ns < CHANGES / 4 * reading_ns(before));
    assert_string_equal(edited, after);
    free(edited);
    free(edits);
    free(before);
    free(after);
}

static void what_was_added_can_be_taken_away_again(void **state)
{
    uint64_t random = 5;

    (void)state;
    for (unsigned round = 0; round < 1500; round++) {
        unsigned made;
        char *text = make_document(&random, &made), *with, *without, why[EDIT_WHY_SIZE];

        assert_int_equal(edit("[{\"at\":[\"new\"],\"set\":{\"x\":[1,{}]}}]", text, &with, why), 0);
        assert_int_equal(edit("[{\"at\":[\"new\"],\"remove\":true}]", with, &without, why), 0);
        if (strcmp(text, without) != 0)
            fail_msg("round %u:\n%s\nwas\n%s\nand became\n%s", round, text, with, without);
        free(without);
        free(with);
        free(text);
    }
}

static void hostile_edits_and_texts_do_no_harm(void **state)
{
    static const char seed[] =
        "[{\"at\":[\"devices\",{\"id\":\"x\"},0,\"n\"],\"set\":{\"a\":[1,{\"id\":\"q\"}]}},"
        "{\"at\":[\"devices\"],\"add\":{\"id\":\"y\"}},{\"at\":[\"b\"],\"remove\":true}]";
    static const char base[] =
        "{ \"devices\": [{ \"id\": \"x\", \"n\": 1 }], // c\n \"b\": [1,2,], /* d */ }";
    uint64_t random = 3;

    (void)state;
    for (unsigned round = 0; round < 6000; round++) {
        char edits[sizeof seed], text[sizeof base], why[EDIT_WHY_SIZE], *edited;
        size_t size;

        memcpy(edits, seed, sizeof seed);
        memcpy(text, base, sizeof base);
        for (uint64_t i = random_below(&random, 4); i > 0; i--)
            edits[random_below(&random, sizeof seed - 1)] =
                (char)(" {}[],:\"'0ax/*\n"[random_below(&random, 16)]);
        for (uint64_t i = random_below(&random, 3); i > 0; i--)
            text[random_below(&random, sizeof base - 1)] = (char)random_next(&random);
        struct read read = read_json(edits);
        if (read.root && read.told == 0 &&
            edit_text(read.root, text, strlen(text), &edited, &size, why) == 0) {
            struct read after = read_json(edited);
            assert_int_equal(after.told, 0);
            arena_close(after.arena);
            free(edited);
        }
        arena_close(read.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_what_it_names_and_nothing_else),
        cmocka_unit_test(refuses_what_cannot_be_done_with_a_reason),
        cmocka_unit_test(any_edit_means_what_it_says_and_keeps_every_comment),
        cmocka_unit_test(several_edits_at_once_are_as_one_after_the_other),
        cmocka_unit_test(for_many_values_at_once_not_each_has_all_of_them_read_anew),
        cmocka_unit_test(what_was_added_can_be_taken_away_again),
        cmocka_unit_test(hostile_edits_and_texts_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
