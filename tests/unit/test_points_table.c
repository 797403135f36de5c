/* Points in a table: read as spreadsheets write it, told where it is wrong, and the same after a
 * way there and back. */
// links: sluice_daemon
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/points.h"
#include "core/clock.h"
#include "core/error.h"
#include "daemon/gateway.h"
#include "fuzz/fuzz.h"
#include "modbus/options.h"

#define HEAD                                                                                       \
    "{\"version\":1,\"gateway\":{\"id\":\"g\"},\"buses\":[{\"id\":\"hall\","                       \
    "\"driver\":\"modbus-tcp\",\"host\":\"h\"}],\"devices\":[{\"id\":\"boiler\","                  \
    "\"bus\":\"hall\",\"unit\":1,\"numbering\":\"40001\",\"points\":"
#define TAIL "}]}"

/* A folder of the test's own with a configuration and a table. */
struct folder {
    char path[64], config[96], table[96];
};

static struct folder folder_make(void)
{
    struct folder folder = {.path = "/tmp/sluice-points-XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    snprintf(folder.config, sizeof(folder.config), "%s/sluice.json", folder.path);
    snprintf(folder.table, sizeof(folder.table), "%s/points.csv", folder.path);
    return folder;
}

static void folder_remove(const struct folder *folder)
{
    unlink(folder->config);
    unlink(folder->table);
    assert_int_equal(rmdir(folder->path), 0);
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* The configuration whose one device has that for "points"; *told gets what was told, to be freed.
 */
static struct config *load(const struct folder *folder, const char *points, char **told)
{
    char *text = malloc(strlen(points) + 1024);
    struct config_parts parts;
    struct config *config;
    size_t size;
    FILE *out = open_memstream(told, &size);
    assert_true(text && out);
    sprintf(text, "%s%s%s", HEAD, points, TAIL);
    write_file(folder->config, text, strlen(text));
    gateway_config_parts(&parts);
    config_load(&config, folder->config, &parts, config_tell_stdio, out);
    fclose(out);
    free(text);
    return config;
}

static struct config *load_good(const struct folder *folder, const char *points)
{
    char *told;
    struct config *config = load(folder, points, &told);
    if (!config)
        fail_msg("%s", told);
    free(told);
    return config;
}

static const struct site_point *point_of(const struct config *config, const char *id)
{
    const struct site_device *device = &config->site.buses[0].devices[0];
    for (size_t i = 0; i < device->point_count; i++)
        if (strcmp(device->points[i].id, id) == 0)
            return &device->points[i];
    fail_msg("no point %s", id);
    return NULL;
}

/* As LibreOffice saves it with "quote all text cells" and semicolons, with the rows that were once
 * filled left empty, and a byte order mark as Excel writes it. */
static const char office[] =
    "\xef\xbb\xbf"
    "\"ID\";\"Name\";\"reg\";\"type\";\"order\";\"scale\";\"unit\";"
    "\"every\";\"report.dead_band\";\"write\";\"write.min\";\"write.max\";"
    "\"was\";\"enum\";\"na\"\r\n"
    "\"# heating\";;;;;;;;;;;;;;\r\n"
    "\"supply_temp\";\"Vorlauf; \"\"oben\"\"\";40101;\"i16\";;0.1;\"°C\";\"1s\";"
    "\"2%\";;;;\"vorlauf|flow_temp\";;\"-32768|32767\"\r\n"
    "\"flow\";;30011;\"f32\";\"CDAB\";;\"m3/h\";;0.5;;;;;;\r\n"
    "\"mode\";;40120;\"u16\";;;;;;TRUE;0;1;;\"0=off|1=auto\\|manual\";\r\n"
    "\"pump\";;1;\"bool\";;;;;;TRUE;;;;;\r\n"
    ";;;;;;;;;;;;;;\r\n"
    "\r\n";

static void expect_office(const struct config *config)
{
    const struct site_point *supply = point_of(config, "supply_temp");
    const struct site_point *flow = point_of(config, "flow");
    const struct site_point *mode = point_of(config, "mode");
    const struct modbus_point_options *options = supply->options;

    assert_int_equal(config->site.buses[0].devices[0].point_count, 4);
    assert_string_equal(supply->name, "Vorlauf; \"oben\"");
    assert_string_equal(supply->unit, "°C");
    assert_string_equal(supply->ucum, "Cel");
    assert_int_equal(supply->every_ns, NS_PER_S);
    assert_true(supply->dead_band.percent && supply->dead_band.width == 2);
    assert_int_equal(supply->was.count, 2);
    assert_string_equal(supply->was.items[1], "flow_temp");
    assert_int_equal(options->address, 100);
    assert_true(options->scale == 0.1);
    assert_int_equal(options->na.count, 2);
    assert_true(options->na.items[0] == -32768);
    options = flow->options;
    assert_int_equal(options->function, MODBUS_INPUT_REGISTERS);
    assert_int_equal(options->order, MODBUS_CDAB);
    assert_true(!flow->dead_band.percent && flow->dead_band.width == 0.5);
    assert_false(flow->write.allowed);
    assert_true(mode->write.allowed && mode->write.minimum == 0 && mode->write.maximum == 1);
    assert_int_equal(mode->enum_count, 2);
    assert_string_equal(mode->enums[1].text, "auto|manual");
    assert_true(point_of(config, "pump")->write.allowed);
}

static void reads_what_a_spreadsheet_saves(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    write_file(folder.table, office, sizeof(office) - 1);
    struct config *config = load_good(&folder, "\"points.csv\"");
    expect_office(config);
    config_free(config);
    folder_remove(&folder);
}

static void takes_columns_in_any_order_and_any_separator(void **state)
{
    static const char *const tables[] = {
        "id,reg,type\nflow,40001,f32\n",
        "type,id,reg\r\nf32,flow,40001",
        "reg\tid\ttype\n40001\tflow\tf32\n",
        "sep=;\nreg;type;id\n40001;f32;flow\n",
        "# exported on Monday\n\n\"id\" , \"reg\" , type \n flow , 40001 , \"f32\" \n",
        "id,reg,type,name\nflow,40001,f32,\n",
    };
    (void)state;
    struct folder folder = folder_make();
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        write_file(folder.table, tables[i], strlen(tables[i]));
        struct config *config = load_good(&folder, "\"points.csv\"");
        const struct modbus_point_options *options = point_of(config, "flow")->options;
        assert_int_equal(options->type, MODBUS_F32);
        assert_int_equal(options->reg, 40001);
        assert_null(point_of(config, "flow")->name);
        config_free(config);
    }
    folder_remove(&folder);
}

static void tells_each_mistake_with_line_and_column(void **state)
{
    static const struct {
        const char *table, *told[3];
    } cases[] = {
        {"id;reg;scale\na;40001;0,1\n",
         {":2:9: points[0].scale: found 0,1; numbers have a point, whatever the language: 0.1"}},
        {"id,reg,scael\na,40001,1\n", {":1:8: \"scael\": unknown key; did you mean \"scale\"?"}},
        {"id,reg,reg\na,40001,40002\n", {":1:8: the column \"reg\" stands twice"}},
        {"id,,reg\na,x,40001\n", {":1:4: a column without a name"}},
        {"id,reg\na,40001,7\n", {":2:9: found \"7\" behind the last column"}},
        {"id,reg\n\"a,40001\n", {":2:1: this text is never closed: a quote is missing"}},
        {"id,reg\n\"a\"b,40001\n", {":2:4: behind a closing quote stands \",\""}},
        {"id,reg,type\na,40001,float\nb,40002,u16\na,4000x,u16\n",
         {":2:9: points[0].type: found \"float\"; allowed: ", ":4:1: points[2].id: found \"a\"",
          ":4:3: points[2].reg: found \"4000x\"; a number is expected"}},
        {"id,reg\na,20001\nb\n",
         {":2:3: points[0].reg: found 20001", ":3:1: points[1].reg: is missing"}},
        {"reg\n40001\n", {":1:1: there is no column \"id\""}},
        {"tag,address,kind\na,40001,f32\nb,x,f99\n",
         {":1:1: \"tag\": unknown key; did you mean \"id\"?",
          ":1:5: \"address\": unknown key; did you mean \"reg\"?",
          ":1:13: \"kind\": unknown key; did you mean \"type\"?"}},
        {"id,quux,reg\na,1\n",
         {":1:4: \"quux\": unknown key; the first line names keys of points: id, reg, table, "
          "type,"}},
        {"", {":1:1: the table is empty"}},
        {"id,reg,align\na,40001,yes\n", {":2:9: points[0].align: found \"yes\"; true or false"}},
        {"id,reg,write\na,40001,0..100\n",
         {":2:9: points[0].write: found \"0..100\"; true or false is expected; limits have columns "
          "of "
          "their own: write.min, write.max, write.step"}},
        {"id,reg,write_min\na,40001,0\n",
         {":1:8: \"write_min\": unknown key; did you mean \"write.min\"?"}},
        {"id,reg,write,write.max\na,40001,FALSE,9\nb,40002,false,\nc,40003,true,9\n",
         {":2:9: points[0].write: found false beside limits"}},
        {"id,reg,write.step,write\na,40001,0.5,false\n",
         {":2:13: points[0].write: found false beside limits"}},
        {"id,reg,enum\na,40001,off\n", {":2:9: points[0].enum: found \"off\"; texts for values"}},
        {"id,reg,name\na,40001,K\xfc"
         "che\n",
         {":2:10: byte 0xfc is not UTF-8"}},
        {"id,reg,host\na,40001,x\n", {":1:8: \"host\": unknown key"}},
    };
    (void)state;
    struct folder folder = folder_make();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *told, *line, *rest;
        write_file(folder.table, cases[i].table, strlen(cases[i].table));
        assert_null(load(&folder, "\"points.csv\"", &told));
        rest = told;
        for (size_t j = 0; j < 3 && cases[i].told[j]; j++) {
            line = strsep(&rest, "\n");
            if (!line || strncmp(line, folder.table, strlen(folder.table)) != 0 ||
                strncmp(line + strlen(folder.table), cases[i].told[j], strlen(cases[i].told[j])) !=
                    0)
                fail_msg("%s: not told: %s, but %s", cases[i].table, cases[i].told[j],
                         line ? line : "nothing");
        }
        if (rest && *rest)
            fail_msg("%s: told as well: %s", cases[i].table, rest);
        free(told);
    }
    folder_remove(&folder);
}

static char *run_export(const struct folder *folder, char separator)
{
    char *text;
    size_t size;
    struct config_parts parts;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    gateway_config_parts(&parts);
    assert_int_equal(
        points_export(folder->config, "boiler", separator, &parts, out, config_tell_stdio, stderr),
        0);
    fclose(out);
    return text;
}

static char *run_import(const struct folder *folder, const char *driver, int expected)
{
    char *text;
    size_t size;
    struct config_parts parts;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    gateway_config_parts(&parts);
    assert_int_equal(points_import(folder->table, driver, &parts, out, config_tell_stdio, stderr),
                     expected);
    fclose(out);
    return text;
}

/* From JSON to a table, from that to JSON, and the gateway is the same. */
static void a_way_there_and_back_changes_nothing(void **state)
{
    static const char *const lists[] = {
        "[{\"id\":\"a\",\"reg\":40001}]",
        "[{\"id\":\"a\",\"reg\":40001,\"type\":\"i32\",\"order\":\"CDAB\",\"scale\":1e-3,"
        "\"offset\":-5.50,\"unit\":\"°C\",\"every\":\"15m\",\"align\":true,\"na\":[1,2],"
        "\"report\":{\"on_change\":true,\"at_least\":\"60s\",\"dead_band\":\"2.5%\"}},"
        "{\"id\":\"b\",\"name\":\"\",\"reg\":40010,\"min\":-40,\"max\":120,\"was\":[\"c\",\"d\"]}]",
        "[{\"id\":\"a\",\"name\":\"a, b; c\\td\",\"reg\":40001,\"write\":{}},"
        "{\"id\":\"b\",\"name\":\"two\\nlines, "
        "\\\"quoted\\\"\",\"reg\":40002,\"enum\":{\"0\":\"a|b\","
        "\"-1\":\"c\\\\d=e\"}},{\"id\":\"c\",\"name\":\" blanks \",\"reg\":40003,"
        "\"write\":{\"min\":0,\"max\":10,\"step\":0.5,\"verify\":false}},"
        "{\"id\":\"d\",\"name\":\"#\",\"reg\":40004,\"na\":7}]",
    };
    (void)state;
    struct folder folder = folder_make();
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) * 3; i++) {
        struct config *before = load_good(&folder, lists[i / 3]);
        char *table = run_export(&folder, ",;\t"[i % 3]);
        write_file(folder.table, table, strlen(table));
        char *list = run_import(&folder, i % 2 ? "modbus-tcp" : NULL, 0);
        struct config *after = load_good(&folder, list);
        if (strcmp(before->site.fingerprint, after->site.fingerprint) != 0)
            fail_msg("%s\nbecame %s\nby %s", lists[i / 3], list, table);
        config_free(before);
        config_free(after);
        free(table);
        free(list);
    }
    folder_remove(&folder);
}

static void an_import_checks_as_a_configuration_does(void **state)
{
    static const char good[] = "id,reg,type\na,40001,f32\n", wrong[] = "id,reg,bit\na,1,77\n";
    (void)state;
    struct folder folder = folder_make();
    write_file(folder.table, good, sizeof(good) - 1);
    char *list = run_import(&folder, NULL, 0);
    assert_string_equal(list, "[\n  { \"id\": \"a\", \"reg\": 40001, \"type\": \"f32\" }\n]\n");
    free(list);
    free(run_import(&folder, "modbus-tpc", ERR_NOT_FOUND));
    write_file(folder.table, wrong, sizeof(wrong) - 1);
    free(run_import(&folder, NULL, ERR_CONFIG));
    unlink(folder.table);
    free(run_import(&folder, NULL, ERR_IO));
    folder_remove(&folder);
}

static void collect(void *context, const struct config_error *error)
{
    strcat(context, error->sentence);
    strcat(context, "\n");
}

/* However much is wrong with it: columns that a driver knows make the table its own. */
static void a_broken_table_is_told_in_the_words_of_its_driver(void **state)
{
    static const char broken[] = "id,reg,scale\na,40001,x,more\nb,-,nan,more\nc,y,1e999\n";
    struct folder folder = folder_make();
    struct config_parts parts;
    char told[4096] = "";
    FILE *out = fopen("/dev/null", "w");

    (void)state;
    assert_non_null(out);
    gateway_config_parts(&parts);
    write_file(folder.table, broken, sizeof(broken) - 1);
    assert_int_equal(points_import(folder.table, NULL, &parts, out, collect, told), ERR_CONFIG);
    assert_non_null(strstr(told, "behind the last column"));
    assert_non_null(strstr(told, "too large for a number"));
    assert_null(strstr(told, "unknown key"));
    fclose(out);
    folder_remove(&folder);
}

static void an_export_says_where_the_points_are_that_it_has_not(void **state)
{
    static const char text[] =
        "{\"version\":1,\"buses\":[{\"id\":\"hall\",\"driver\":\"modbus-tcp\"}],"
        "\"devices\":[{\"id\":\"meter\",\"bus\":\"hall\",\"profile\":\"abb-b2x\"},"
        "{\"id\":\"table\",\"bus\":\"hall\",\"points\":\"t.csv\"},"
        "{\"id\":\"bare\",\"bus\":\"hall\"}]}";
    static const char *const cases[][2] = {{"meter", "\"sluice profile show abb-b2x\""},
                                           {"table", "in the table \"t.csv\" already"},
                                           {"bare", "no list of points of its own"},
                                           {"metr", "did you mean \"meter\"?"}};
    struct folder folder = folder_make();
    struct config_parts parts;
    FILE *out = fopen("/dev/null", "w");

    (void)state;
    assert_non_null(out);
    gateway_config_parts(&parts);
    write_file(folder.config, text, sizeof(text) - 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char told[1024] = "";

        assert_int_not_equal(
            points_export(folder.config, cases[i][0], ',', &parts, out, collect, told), 0);
        if (!strstr(told, cases[i][1]))
            fail_msg("of %s it is told: %s", cases[i][0], told);
    }
    fclose(out);
    folder_remove(&folder);
}

static void ignore(void *context, const struct config_error *error)
{
    (void)error;
    ++*(size_t *)context;
}

static void survives_mutated_tables(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct config_parts parts;
    char text[sizeof(office)];
    uint64_t seed = 0xc5f7ab1e;
    size_t good = 0;
    gateway_config_parts(&parts);
    write_file(folder.config, HEAD "\"points.csv\"" TAIL, strlen(HEAD "\"points.csv\"" TAIL));
    for (int round = 0; round < 2000; round++) {
        struct config *config;
        size_t told = 0;
        memcpy(text, office, sizeof(office));
        for (uint64_t times = fuzz_next(&seed) % 3; times < 3; times++)
            text[fuzz_next(&seed) % (sizeof(office) - 1)] =
                "\";,\n\r|\\=0a#.\t "[fuzz_next(&seed) % 14];
        write_file(folder.table, text, fuzz_next(&seed) % sizeof(office));
        int error = config_load(&config, folder.config, &parts, ignore, &told);
        assert_int_equal(error == 0, told == 0);
        good += error == 0;
        config_free(config);
    }
    assert_in_range(good, 20, 1500);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_a_spreadsheet_saves),
        cmocka_unit_test(takes_columns_in_any_order_and_any_separator),
        cmocka_unit_test(tells_each_mistake_with_line_and_column),
        cmocka_unit_test(a_way_there_and_back_changes_nothing),
        cmocka_unit_test(an_import_checks_as_a_configuration_does),
        cmocka_unit_test(a_broken_table_is_told_in_the_words_of_its_driver),
        cmocka_unit_test(an_export_says_where_the_points_are_that_it_has_not),
        cmocka_unit_test(survives_mutated_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
