/* What is shipped with the program is what the program says: schema, reference page, examples. Run
 * with SLUICE_WRITE_DOCS=1 to write the first two anew. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "daemon/gateway.h"
#include "unit/config/agrees.h"

#define TABLES_BEGIN                                                                               \
    "<!-- From here on made from the tables of options; a test holds it to them. -->\n"

/* A file of the source tree; this one is in tests/unit. */
static const char *source_path(const char *name, char out[PATH_MAX])
{
    const char *here = strstr(__FILE__, "tests/unit/");
    snprintf(out, PATH_MAX, "%.*s%s", (int)(here - __FILE__), __FILE__, name);
    return out;
}

static struct config_parts shipped_parts(void)
{
    static char profiles[PATH_MAX];
    struct config_parts parts;
    gateway_config_parts(&parts);
    parts.profile_folders[0] = source_path("drivers/profiles", profiles);
    parts.profile_folders[1] = NULL;
    return parts;
}

static char *read_file(const char *name)
{
    char path[PATH_MAX], *text = NULL;
    size_t size = 0;
    FILE *file = fopen(source_path(name, path), "r"), *out = open_memstream(&text, &size);
    assert_non_null(out);
    for (int c; file && (c = fgetc(file)) != EOF;)
        fputc(c, out);
    fclose(out);
    if (file)
        fclose(file);
    return text;
}

/* What a writer makes of the shipped parts, behind `head`. */
static char *make(const char *head, size_t head_size,
                  int (*write)(const struct config_parts *parts, void *out))
{
    char *text = NULL;
    size_t size = 0;
    struct config_parts parts = shipped_parts();
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fwrite(head, 1, head_size, out);
    assert_int_equal(write(&parts, out), 0);
    fclose(out);
    return text;
}

/* Compares, or writes where that was asked for. Frees both. */
static void same_or_write(const char *name, char *shipped, char *made)
{
    char path[PATH_MAX];
    bool same = strcmp(shipped, made) == 0;
    if (!same && getenv("SLUICE_WRITE_DOCS")) {
        FILE *file = fopen(source_path(name, path), "w");
        assert_non_null(file);
        same = fputs(made, file) >= 0;
        assert_int_equal(fclose(file), 0);
    }
    free(shipped);
    free(made);
    if (!same)
        fail_msg("%s is not what the tables say: run this test with SLUICE_WRITE_DOCS=1", name);
}

static void ships_the_schema_that_the_tables_make(void **state)
{
    (void)state;
    same_or_write("docs/config.schema.json", read_file("docs/config.schema.json"),
                  make("", 0, config_schema));
}

static void ships_the_schema_of_profiles_that_the_tables_make(void **state)
{
    (void)state;
    same_or_write("docs/profile.schema.json", read_file("docs/profile.schema.json"),
                  make("", 0, config_profile_schema));
}

static void ships_the_reference_that_the_tables_make(void **state)
{
    (void)state;
    char *page = read_file("docs/configuration.md");
    const char *tables = strstr(page, TABLES_BEGIN);
    assert_non_null(tables);
    size_t head = (size_t)(tables - page) + strlen(TABLES_BEGIN);
    same_or_write("docs/configuration.md", page, make(page, head, config_reference));
}

static const char *const examples[] = {"docs/examples/smallest.json", "docs/examples/plant.json"};
#define EXAMPLES (sizeof(examples) / sizeof(examples[0]))

static void ships_examples_without_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        char path[PATH_MAX];
        struct config *config;
        struct config_parts parts = shipped_parts();
        assert_int_equal(
            config_load(&config, source_path(examples[i], path), &parts, config_tell_stdio, stderr),
            0);
        config_free(config);
    }
}

static void collect_sentence(void *context, const struct config_error *error)
{
    char *told = context;
    snprintf(told + strlen(told), 1024 - strlen(told), "%s: %s\n", error->key, error->sentence);
}

/* Loads a configuration with errors and collects what is told. */
static void load_text(const char *text, char *told)
{
    struct config_parts parts = shipped_parts();
    struct config *config = NULL;
    char path[] = "/tmp/sluice-shipped-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_true(config_load(&config, path, &parts, collect_sentence, told) < 0);
    unlink(path);
}

static void a_port_is_one_bus_and_a_unit_is_one_device(void **state)
{
    static const char text[] =
        "{\"version\":1,\"gateway\":{\"id\":\"g\"},\"buses\":["
        "{\"id\":\"a\",\"driver\":\"modbus-rtu\",\"port\":\"/dev/ttyUSB0\"},"
        "{\"id\":\"b\",\"driver\":\"serial\",\"port\":\"/dev/ttyUSB0\"}],\"devices\":["
        "{\"id\":\"x\",\"bus\":\"a\",\"unit\":7,\"numbering\":\"40001\"},"
        "{\"id\":\"y\",\"bus\":\"a\",\"unit\":7,\"numbering\":\"40001\"}],\"uplinks\":[]}";
    char told[1024] = "";

    (void)state;
    load_text(text, told);
    assert_non_null(strstr(told, "buses[1].port: found \"/dev/ttyUSB0\", which bus a has already"));
    assert_non_null(strstr(told, "devices[1].unit: found 7, which is device x already"));
}

static void a_line_is_reached_by_a_port_or_by_a_host(void **state)
{
    static const char text[] =
        "{\"version\":1,\"gateway\":{\"id\":\"g\"},\"buses\":["
        "{\"id\":\"a\",\"driver\":\"modbus-rtu\"},"
        "{\"id\":\"b\",\"driver\":\"modbus-ascii\",\"port\":\"/dev/ttyS1\",\"host\":\"10.0.0.1\"},"
        "{\"id\":\"c\",\"driver\":\"modbus-rtu\",\"host\":\"10.0.0.2:4001\",\"silence\":\"5ms\","
        "\"echo\":true},"
        "{\"id\":\"d\",\"driver\":\"modbus-ascii\",\"host\":\"10.0.0.3:4001\",\"line\":\"9600 "
        "7E1\"},"
        "{\"id\":\"e\",\"driver\":\"modbus-rtu\",\"host\":\"10.0.0.2:4001\"}],"
        "\"devices\":[],\"uplinks\":[]}";
    char told[1024] = "";

    (void)state;
    load_text(text, told);
    assert_non_null(strstr(told, "buses[0].port: is missing"));
    assert_non_null(strstr(told, "buses[1].host: found beside \"port\""));
    assert_non_null(strstr(told, "buses[2].silence: the device server"));
    assert_non_null(strstr(told, "buses[2].echo: the device server"));
    assert_null(strstr(told, "buses[3]"));
    assert_non_null(
        strstr(told, "buses[4].host: found \"10.0.0.2:4001\", which bus c has already"));
}

static void ships_a_schema_that_takes_the_examples(void **state)
{
    (void)state;
    char schema[PATH_MAX], path[PATH_MAX];
    char verdicts[] = "/tmp/sluice-verdicts-XXXXXX";
    int fd = mkstemp(verdicts);
    assert_true(fd >= 0);
    for (size_t i = 0; i < EXAMPLES; i++)
        dprintf(fd, "%s\tgood\n", source_path(examples[i], path));
    close(fd);
    source_path("docs/config.schema.json", schema);
    int status = agrees_run("judge", schema, verdicts);
    unlink(verdicts);
    if (status == AGREES_UNKNOWN)
        skip();
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ships_the_schema_that_the_tables_make),
        cmocka_unit_test(ships_the_schema_of_profiles_that_the_tables_make),
        cmocka_unit_test(ships_the_reference_that_the_tables_make),
        cmocka_unit_test(ships_examples_without_errors),
        cmocka_unit_test(ships_a_schema_that_takes_the_examples),
        cmocka_unit_test(a_port_is_one_bus_and_a_unit_is_one_device),
        cmocka_unit_test(a_line_is_reached_by_a_port_or_by_a_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
