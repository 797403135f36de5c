/* One run of check tells all that is wrong: a mistake hides no other one, and brings none along. */
// links: sluice_daemon
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "daemon/gateway.h"
#include "unit/tls_party.h"

#define TEXT_SIZE_MAX 8192
#define LINES_MAX     200

/* One key a line, so that a mistake in one moves no other. */
static const char good[] = "{\n"
                           "\"version\": 1,\n"
                           "\"gateway\": {\n"
                           "\"id\": \"plant7\",\n"
                           "\"timezone\": \"Europe/Berlin\"\n"
                           "},\n"
                           "\"journal\": {\n"
                           "\"keep\": \"1GiB\",\n"
                           "\"segment\": \"8MiB\"\n"
                           "},\n"
                           "\"buses\": [\n"
                           "{\n"
                           "\"id\": \"line\",\n"
                           "\"driver\": \"modbus-rtu\",\n"
                           "\"port\": \"/dev/ttyUSB0\",\n"
                           "\"line\": \"9600 8E1\",\n"
                           "\"timeout\": \"500ms\"\n"
                           "},\n"
                           "{\n"
                           "\"id\": \"hall\",\n"
                           "\"driver\": \"modbus-tcp\",\n"
                           "\"host\": \"10.0.7.20:502\"\n"
                           "},\n"
                           "{\n"
                           "\"id\": \"yard\",\n"
                           "\"driver\": \"serial\",\n"
                           "\"port\": \"/dev/ttyUSB1\",\n"
                           "\"end\": \"\\\\r\\\\n\",\n"
                           "\"rs485\": \"none\"\n"
                           "}\n"
                           "],\n"
                           "\"devices\": [\n"
                           "{\n"
                           "\"id\": \"meter\",\n"
                           "\"bus\": \"line\",\n"
                           "\"unit\": 7,\n"
                           "\"numbering\": \"40001\",\n"
                           "\"max_block\": 100,\n"
                           "\"points\": [\n"
                           "{\n"
                           "\"id\": \"power\",\n"
                           "\"reg\": 40010,\n"
                           "\"type\": \"f32\",\n"
                           "\"scale\": 0.1,\n"
                           "\"every\": \"15m\",\n"
                           "\"align\": true,\n"
                           "\"max\": 1000,\n"
                           "\"report\": { \"at_most\": \"1s\" }\n"
                           "},\n"
                           "{\n"
                           "\"id\": \"mode\",\n"
                           "\"reg\": 40020,\n"
                           "\"order\": \"AB\",\n"
                           "\"bits\": 2,\n"
                           "\"bit\": 3,\n"
                           "\"write\": { \"min\": 0, \"max\": 1 }\n"
                           "}\n"
                           "]\n"
                           "},\n"
                           "{\n"
                           "\"id\": \"pump\",\n"
                           "\"bus\": \"hall\",\n"
                           "\"unit\": 200,\n"
                           "\"numbering\": \"0-based\",\n"
                           "\"points\": [\n"
                           "{\n"
                           "\"id\": \"name\",\n"
                           "\"reg\": 7,\n"
                           "\"type\": \"string\",\n"
                           "\"length\": 4\n"
                           "},\n"
                           "{\n"
                           "\"id\": \"on\",\n"
                           "\"table\": \"coil\",\n"
                           "\"reg\": 8\n"
                           "}\n"
                           "]\n"
                           "},\n"
                           "{\n"
                           "\"id\": \"scale\",\n"
                           "\"bus\": \"yard\",\n"
                           "\"request\": \"SI\\\\r\\\\n\",\n"
                           "\"when_busy\": \"^S I$\",\n"
                           "\"points\": [\n"
                           "{\n"
                           "\"id\": \"weight\",\n"
                           "\"match\": \"^S S +(.*) kg\",\n"
                           "\"group\": 1,\n"
                           "\"decimals\": 2\n"
                           "}\n"
                           "]\n"
                           "}\n"
                           "],\n"
                           "\"uplinks\": [\n"
                           "{\n"
                           "\"id\": \"cloud\",\n"
                           "\"url\": \"mqtts://broker.example.com\",\n"
                           "\"user\": \"plant\",\n"
                           "\"root\": \"acme\",\n"
                           "\"budget\": \"500MB/month\",\n"
                           "\"tls\": {\n"
                           "\"ca\": \"ca.pem\",\n"
                           "\"cert\": \"client.pem\",\n"
                           "\"key\": \"client.key\"\n"
                           "}\n"
                           "}\n"
                           "]\n"
                           "}\n";

/* A part of one line of it, and what somebody made of that. */
struct mistake {
    const char *right, *wrong;
};

/* Each is told, whatever else is wrong. */
static const struct mistake independent[] = {
    {"\"Europe/Berlin\"", "\"Berlin\""},
    {"\"1GiB\"", "\"1 banana\""},
    {"\"driver\": \"modbus-rtu\"", "\"driver\": \"modbus-rut\""},
    {"\"/dev/ttyUSB0\"", "\"by-id:\""},
    {"\"9600 8E1\"", "\"9600 7E1\""},
    {"\"timeout\": \"500ms\"", "\"timeout\": 500"},
    {"\"10.0.7.20:502\"", "\"10.0.7.20:99999\""},
    {"\"/dev/ttyUSB1\"", "7"},
    {"\"rs485\": \"none\"", "\"rs485\": \"non\""},
    {"\"id\": \"meter\"", "\"id\": \"Meter\""},
    {"\"unit\": 7", "\"unit\": \"7\""},
    {"\"max_block\": 100", "\"max_block\": 126"},
    {"\"reg\": 40010", "\"reg\": 20010"},
    {"\"scale\": 0.1", "\"scale\": 0"},
    {"\"every\": \"15m\"", "\"every\": 15"},
    {"\"max\": 1000", "\"max\": \"1000\""},
    {"\"at_most\": \"1s\"", "\"at_most\": \"1\""},
    {"\"id\": \"mode\"", "\"id\": \"power\""},
    {"\"order\": \"AB\"", "\"order\": \"ABCD\""},
    {"\"bit\": 3", "\"bit\": 15"},
    {"{ \"min\": 0, \"max\": 1 }", "{ \"min\": 2, \"max\": 1 }"},
    {"\"bus\": \"hall\"", "\"bus\": \"halle\""},
    {"\"unit\": 200", "\"unit\": 300"},
    {"\"reg\": 7,", "\"reg\": 65533,"},
    {"\"reg\": 8", "\"reg\": 8, \"type\": \"u16\""},
    {"\"SI\\\\r\\\\n\"", "\"SI\\\\q\""},
    {"\"^S I$\"", "\"^S (I$\""},
    {"\"group\": 1", "\"group\": 2"},
    {"\"decimals\": 2", "\"decimals\": 200"},
    {"mqtts://broker.example.com", "http://broker.example.com"},
    {"\"user\": \"plant\"", "\"user\": \"${gateway.nmae}\""},
    {"\"root\": \"acme\"", "\"root\": \"a/b/c\""},
    {"\"500MB/month\"", "\"500MB\""},
    {"\"ca.pem\"", "\"client.key\""},
    {"\"client.pem\"", "\"nowhere.pem\""},
};
#define INDEPENDENT (sizeof(independent) / sizeof(independent[0]))

/* What is told about one of them, and nothing about what only follows from it. */
static const struct {
    struct mistake mistakes[4];
    const char *told[4]; /* a part of each line, in their order */
} chains[] = {
    /* A type that is none has no size that an order could fit, and no length. */
    {{{"\"type\": \"string\"", "\"type\": \"text\""}, {"\"reg\": 7,", "\"reg\": 65535,"}},
     {"points[0].type: "}},
    {{{"\"order\": \"AB\"", "\"order\": \"ABCD\", \"type\": \"float\""}}, {"points[1].type: "}},
    /* How registers are counted is not known: so neither is which table they are in. */
    {{{"\"numbering\": \"0-based\"", "\"numbering\": 0"}, {"\"reg\": 8", "\"reg\": 80000"}},
     {"devices[1].numbering: "}},
    {{{"\"numbering\": \"40001\",", ""}, {"\"reg\": 40010", "\"reg\": 99999"}},
     {"devices[0].numbering: is missing"}},
    {{{"\"reg\": 40020,", ""}, {"\"bit\": 3", "\"bit\": 31"}}, {"reg: is missing", "bit: "}},
    /* Which driver it is decides what belongs to the bus. */
    {{{"\"driver\": \"modbus-tcp\"", "\"driver\": \"mdbus-tcp\""}}, {"buses[1].driver: "}},
    {{{"\"driver\": \"modbus-tcp\"", "\"driver\": \"profinet\""},
      {"\"type\": \"string\"", "\"type\": \"txt\""}},
     {"buses[1].driver: ", "points[0].type: "}},
    {{{"\"unit\": 7", "\"unit\": 200"}, {"\"driver\": \"modbus-rtu\"", "\"driver\": \"canopen\""}},
     {"buses[0].driver: "}},
    {{{"\"bus\": \"yard\",", "\"bus\": \"yrd\","}, {"\"end\": \"\\\\r\\\\n\"", "\"end\": \"\""}},
     {"buses[2].end: ", "devices[2].bus: "}},
    /* A device's interval that is none is not compared. */
    {{{"\"max_block\": 100", "\"every\": \"7sec\""}, {"\"every\": \"15m\",", ""}},
     {"devices[0].every: "}},
    {{{"\"every\": \"15m\"", "\"every\": \"7m\""}}, {"points[0].align: "}},
    /* What a profile that is not there would bring is not missed. */
    {{{"\"max_block\": 100", "\"profile\": \"no-such\", \"also\": [\"thd\"]"},
      {"\"numbering\": \"40001\",", ""},
      {"\"reg\": 40020,\n\"order\": \"AB\",\n\"bits\": 2,\n\"bit\": 3,", "\"unit\": 5,"}},
     {"devices[0].profile: ", "points[1].unit: "}},
    /* A profile of another driver brings nothing, and nothing that it has is looked at. */
    {{{"\"max_block\": 100", "\"profile\": \"csv-line\""}},
     {"devices[0].profile: found \"csv-line\", which is for the driver serial"}},
    /* What a profile lists is counted as the profile says. */
    {{{"\"max_block\": 100", "\"profile\": \"eastron-sdm120\""}},
     {"devices[0].numbering: found \"40001\"; the device's profile says \"0-based\""}},
    /* An id that is none is not put into names. */
    {{{"\"id\": \"plant7\"", "\"id\": \"Plant 7\""}, {"\"ca.pem\"", "\"${gateway.id}.pem\""}},
     {"gateway.id: "}},
    {{{"\"key\": \"client.key\"", "\"key\": \"nowhere.key\""}}, {"tls.key: "}},
    {{{"\"user\": \"plant\"", "\"password_file\": \"nowhere\""}},
     {"user: is missing", "password_file: "}},
    {{{"\"keep\": \"1GiB\"", "\"keep\": \"1GB\""}, {"\"8MiB\"", "\"900MiB\""}},
     {"journal.segment: "}},
    {{{"\"keep\": \"1GiB\"", "\"keep\": \"large\""}, {"\"8MiB\"", "\"900MiB\""}},
     {"journal.keep: "}},
    {{{"\"unit\": 200", "\"unit\": 300"}, {"\"bus\": \"hall\"", "\"bus\": \"line\""}},
     {"devices[1].unit: "}},
    {{{"\"reg\": 8", "\"reg\": 8, \"reg\": 99999999"}}, {"stands twice"}},
};

static void apply(char text[TEXT_SIZE_MAX], const struct mistake *mistake)
{
    size_t right = strlen(mistake->right), wrong = strlen(mistake->wrong);
    char *at = strstr(text, mistake->right);

    if (!at || strstr(at + 1, mistake->right))
        fail_msg("%s: not once in the configuration", mistake->right);
    assert_true(strlen(text) + wrong < TEXT_SIZE_MAX);
    memmove(at + wrong, at + right, strlen(at + right) + 1);
    memcpy(at, mistake->wrong, wrong);
}

struct told {
    char *text, *lines[LINES_MAX];
    size_t count;
};

static void check(const char *text, struct told *told)
{
    char path[128];
    size_t size;
    struct config_parts parts;
    struct config *config;

    *told = (struct told){0};
    gateway_config_parts(&parts);
    snprintf(path, sizeof(path), "%s/sluice.json", tls_party_folder);
    FILE *out = open_memstream(&told->text, &size);
    assert_non_null(out);
    config_load_text(&config, text, path, &parts, config_tell_stdio, out);
    fclose(out);
    config_free(config);
    for (char *line, *rest = told->text; (line = strsep(&rest, "\n")) && *line;)
        told->lines[told->count++] = line;
}

static bool tells(const struct told *told, const char *line)
{
    for (size_t i = 0; i < told->count; i++)
        if (strcmp(told->lines[i], line) == 0)
            return true;
    return false;
}

/* `both` must be what is told of the one and of the other. */
static void expect_union(const struct told *both, const struct told *one, const struct told *other,
                         size_t i, size_t j)
{
    for (size_t line = 0; line < one->count; line++)
        if (!tells(both, one->lines[line]))
            fail_msg("%s hides: %s", independent[j].wrong, one->lines[line]);
    for (size_t line = 0; line < other->count; line++)
        if (!tells(both, other->lines[line]))
            fail_msg("%s hides: %s", independent[i].wrong, other->lines[line]);
    for (size_t line = 0; line < both->count; line++)
        if (!tells(one, both->lines[line]) && !tells(other, both->lines[line]))
            fail_msg("%s and %s bring: %s", independent[i].wrong, independent[j].wrong,
                     both->lines[line]);
}

static void a_mistake_hides_no_other_and_brings_none(void **state)
{
    static struct told alone[INDEPENDENT];
    char text[TEXT_SIZE_MAX];

    (void)state;
    for (size_t i = 0; i < INDEPENDENT; i++) {
        strcpy(text, good);
        apply(text, &independent[i]);
        check(text, &alone[i]);
        if (alone[i].count != 1)
            fail_msg("%s: told %zu times, %s", independent[i].wrong, alone[i].count,
                     alone[i].count ? alone[i].lines[1] : "");
    }
    for (size_t i = 0; i < INDEPENDENT; i++) {
        for (size_t j = i + 1; j < INDEPENDENT; j++) {
            struct told both;

            strcpy(text, good);
            apply(text, &independent[i]);
            apply(text, &independent[j]);
            check(text, &both);
            expect_union(&both, &alone[i], &alone[j], i, j);
            free(both.text);
        }
    }
    for (size_t i = 0; i < INDEPENDENT; i++)
        free(alone[i].text);
}

static void all_mistakes_at_once_are_told_in_one_run(void **state)
{
    char text[TEXT_SIZE_MAX];
    struct told told;

    (void)state;
    strcpy(text, good);
    for (size_t i = 0; i < INDEPENDENT; i++)
        apply(text, &independent[i]);
    check(text, &told);
    for (size_t i = 0; told.count != INDEPENDENT && i < told.count; i++)
        print_message("%s\n", told.lines[i]);
    assert_int_equal(told.count, INDEPENDENT);
    free(told.text);
}

static void what_only_follows_from_a_mistake_is_not_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
        char text[TEXT_SIZE_MAX];
        struct told told;
        size_t expected = 0;

        strcpy(text, good);
        for (size_t j = 0; j < 4 && chains[i].mistakes[j].right; j++)
            apply(text, &chains[i].mistakes[j]);
        check(text, &told);
        for (; expected < 4 && chains[i].told[expected]; expected++)
            if (expected >= told.count || !strstr(told.lines[expected], chains[i].told[expected]))
                fail_msg("%s: not told: %s, but %s", chains[i].mistakes[0].wrong,
                         chains[i].told[expected],
                         expected < told.count ? told.lines[expected] : "");
        if (told.count > expected)
            fail_msg("%s: told as well: %s", chains[i].mistakes[0].wrong, told.lines[expected]);
        free(told.text);
    }
}

static void the_configuration_is_good_without_them(void **state)
{
    struct told told;

    (void)state;
    check(good, &told);
    if (told.count > 0)
        fail_msg("%s", told.lines[0]);
    free(told.text);
}

static int set_up(void **state)
{
    char path[128];

    (void)state;
    if (tls_party_prepare() != 0)
        return -1;
    /* File names are below the folder of a file that exists. */
    snprintf(path, sizeof(path), "%s/sluice.json", tls_party_folder);
    FILE *file = fopen(path, "w");
    return file && fputs(good, file) >= 0 && fclose(file) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tls_party_tidy();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configuration_is_good_without_them),
        cmocka_unit_test(a_mistake_hides_no_other_and_brings_none),
        cmocka_unit_test(all_mistakes_at_once_are_told_in_one_run),
        cmocka_unit_test(what_only_follows_from_a_mistake_is_not_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
