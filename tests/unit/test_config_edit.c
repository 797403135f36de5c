/* Edits by place: what they make, and that all else stays as it was, byte for byte. */
// links: sluice_config sluice_core
#include "unit/edit_kit.h"

#include <dlfcn.h>
#include <locale.h>

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

/* As a page sends it that has them all renumbered or renamed; names grow and shrink. */
static char *make_devices(unsigned count, bool renamed)
{
    char *made = NULL;
    size_t size;
    FILE *out = open_memstream(&made, &size);

    fputs("{\n \"devices\": [", out);
    for (unsigned i = 0; i < count; i++)
        fprintf(out, "%s\n  {\"id\": \"d%u\", \"name\": \"%.*s\", \"every\": %u%s}",
                i > 0 ? "," : "", i, (int)((i * 7 + renamed * 3) % 11), "a name to cut",
                i + renamed, renamed ? ", \"unit\": 7000" : "");
    fputs("\n ]\n}\n", out);
    fclose(out);
    return made;
}

static unsigned numbers_read;

/* In the place of the C library's: a reader asks it for each number. */
double strtod_l(const char *text, char **end, locale_t locale)
{
    double (*real)(const char *, char **, locale_t);

    *(void **)&real = dlsym(RTLD_NEXT, "strtod_l");
    numbers_read++;
    return real(text, end, locale);
}

static void for_many_values_at_once_not_each_has_all_of_them_read_anew(void **state)
{
    enum { DEVICES = 1000 };
    char *before = make_devices(DEVICES, false), *after = make_devices(DEVICES, true);
    char why[EDIT_WHY_SIZE], *edited, *edits = malloc(strlen(after) + 100);

    (void)state;
    sprintf(edits, "[{\"at\":[\"devices\"],\"set\":%s", strchr(after, '['));
    strcpy(strrchr(edits, '}'), "}]"); /* the document's own brace becomes the edit's */
    numbers_read = 0;
    assert_int_equal(edit(edits, before, &edited, why), 0);
    assert_in_range(numbers_read, DEVICES, 10 * DEVICES);
    assert_string_equal(edited, after);
    free(edited);
    free(edits);
    free(before);
    free(after);
}

/* What is within a reader's bounds by itself, and not where it is put. */
static void what_no_reader_would_take_is_refused(void **state)
{
    enum { DEPTH = JSON_DEPTH_MAX - 8 };
    char text[3 * DEPTH + 8] = "", edits[4 * DEPTH + 64] = "[{\"at\":[\"a\"", why[EDIT_WHY_SIZE],
                          *edited;

    (void)state;
    strcpy(text, "{\"a\":");
    for (int i = 0; i < DEPTH; i++)
        strcat(text, "[");
    strcat(text, "0");
    for (int i = 0; i < DEPTH; i++)
        strcat(text, "]");
    strcat(text, "}");
    for (int i = 1; i < 8; i++)
        strcat(edits, ",0");
    strcat(edits, "],\"add\":");
    for (int i = 0; i < DEPTH; i++)
        strcat(edits, "[");
    for (int i = 0; i < DEPTH; i++)
        strcat(edits, "]");
    strcat(edits, "}]");
    assert_int_equal(edit(edits, text, &edited, why), ERR_CONFIG);
    assert_non_null(strstr(why, "nested more than"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_what_it_names_and_nothing_else),
        cmocka_unit_test(refuses_what_cannot_be_done_with_a_reason),
        cmocka_unit_test(for_many_values_at_once_not_each_has_all_of_them_read_anew),
        cmocka_unit_test(what_no_reader_would_take_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
