/* Edits of documents that chance has made: each means what it says, and all else stays. */
// links: sluice_config sluice_core
#include "unit/edit_kit.h"

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
        cmocka_unit_test(any_edit_means_what_it_says_and_keeps_every_comment),
        cmocka_unit_test(several_edits_at_once_are_as_one_after_the_other),
        cmocka_unit_test(what_was_added_can_be_taken_away_again),
        cmocka_unit_test(hostile_edits_and_texts_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
