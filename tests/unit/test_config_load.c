/* Reading a whole configuration: what comes out of a good file, and what is told about a bad one.
 */
// links: sluice_config sluice_core
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fuzz/fuzz.h"
#include "unit/config/parts.h"

static char profiles[PATH_MAX];

static struct config *load_plant(void)
{
    struct config *config;
    struct config_parts parts = test_parts(profiles);
    char path[PATH_MAX];
    assert_int_equal(
        config_load(&config, corpus_path("plant.json", path), &parts, config_tell_stdio, stderr),
        0);
    return config;
}

static const struct site_point *point_of(const struct config *config, int bus, int device,
                                         const char *id)
{
    const struct site_device *site = &config->site.buses[bus].devices[device];
    for (size_t i = 0; i < site->point_count; i++)
        if (strcmp(site->points[i].id, id) == 0)
            return &site->points[i];
    fail_msg("no point %s", id);
    return NULL;
}

static void fills_what_holds_for_the_whole_gateway(void **state)
{
    (void)state;
    struct config *config = load_plant();
    assert_string_equal(config->site.id, "plant7");
    assert_string_equal(config->site.timezone, "Europe/Berlin");
    assert_string_equal(config->site.hardware, "SN00412");
    assert_string_equal(config->site.board, "");
    assert_int_equal(config->journal.keep_bytes, 8LL << 30);
    assert_int_equal(config->journal.max_age_ns, 90LL * 24 * 3600 * NS_PER_S);
    assert_int_equal(config->journal.commit_ns, 100 * NS_PER_MS);
    assert_int_equal(config->journal.when_full, 1);
    assert_int_equal(config->journal.sector, 2);
    assert_string_equal(config->journal.path, "");
    assert_int_equal(config->site.bus_count, 3);
    assert_int_equal(config->uplink_count, 2);
    config_free(config);
}

static void hands_each_driver_its_own_options(void **state)
{
    (void)state;
    struct config *config = load_plant();
    const struct line_bus *line = config->site.buses[0].options;
    const struct net_bus *net = config->site.buses[1].options;
    const struct meter_device *boiler = config->site.buses[1].devices[0].options;
    const struct meter_point *temperature = point_of(config, 1, 0, "supply_temp")->options;
    const struct meter_point *flow = point_of(config, 1, 0, "flow")->options;
    const struct nmea_point *latitude = point_of(config, 2, 0, "lat")->options;
    assert_ptr_equal(config->site.buses[0].driver, &driver_line);
    assert_string_equal(line->port, "/dev/ttyS1");
    assert_int_equal(line->baud, 9600);
    assert_int_equal(line->timeout_ns, 500 * NS_PER_MS);
    assert_int_equal(net->timeout_ns, 1500 * NS_PER_MS);
    assert_int_equal(boiler->unit, 1);
    assert_int_equal(boiler->numbering, 1);
    assert_int_equal(temperature->type, TYPE_I16);
    assert_true(temperature->scale == 0.1);
    assert_int_equal(temperature->sentinels.count, 2);
    assert_true(temperature->sentinels.items[1] == 32767);
    assert_int_equal(flow->sentinels.count, 1);
    assert_true(flow->swap && flow->scale == 1);
    assert_string_equal(latitude->sentence, "GGA");
    assert_null(config->site.buses[2].devices[0].options);
    config_free(config);
}

static void inherits_interval_and_report_from_point_device_profile_and_defaults(void **state)
{
    static const struct {
        int bus;
        const char *point;
        int64_t every_ns, at_least_ns;
        bool on_change;
    } cases[] = {
        {0, "power", 2 * NS_PER_S, 60 * NS_PER_S, true},     /* the profile's */
        {0, "frequency", 1 * NS_PER_S, 60 * NS_PER_S, true}, /* its own */
        {0, "extra", 2 * NS_PER_S, 60 * NS_PER_S, true},
        {1, "flow", 10 * NS_PER_S, 300 * NS_PER_S, true}, /* defaults and device mixed */
        {1, "mode", 10 * NS_PER_S, 300 * NS_PER_S, false},
    };
    (void)state;
    struct config *config = load_plant();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct site_point *point = point_of(config, cases[i].bus, 0, cases[i].point);
        assert_int_equal(point->every_ns, cases[i].every_ns);
        assert_int_equal(point->at_least_ns, cases[i].at_least_ns);
        assert_int_equal(point->on_change, cases[i].on_change);
    }
    config_free(config);
}

#define HEAD "{\"version\":1,\"gateway\":{\"id\":\"g\"},"

static void of_a_dead_band_and_on_change_the_nearer_one_counts(void **state)
{
    static const char text[] = HEAD
        "\"defaults\":{\"report\":{\"dead_band\":0.5,\"at_most\":\"1s\"},\"heartbeat\":\"2m\"},"
        "\"buses\":[{\"id\":\"b\",\"driver\":\"meter-line\",\"port\":\"p\"}],\"devices\":["
        "{\"id\":\"x\",\"bus\":\"b\",\"unit\":1,\"points\":["
        "{\"id\":\"inherits\",\"reg\":1,\"type\":\"u16\"},"
        "{\"id\":\"each\",\"reg\":2,\"type\":\"u16\",\"report\":{\"on_change\":false}},"
        "{\"id\":\"share\",\"reg\":3,\"type\":\"u16\",\"report\":{\"dead_band\":\"2.5%\"}},"
        "{\"id\":\"any\",\"reg\":4,\"type\":\"u16\",\"report\":{\"dead_band\":0}},"
        "{\"id\":\"mode\",\"reg\":5,\"type\":\"u16\",\"enum\":{\"0\":\"off\"}}]},"
        "{\"id\":\"y\",\"bus\":\"b\",\"unit\":2,\"heartbeat\":\"0s\",\"report\":{\"on_change\":"
        "false},"
        "\"points\":[{\"id\":\"each\",\"reg\":1,\"type\":\"u16\"},"
        "{\"id\":\"wide\",\"reg\":2,\"type\":\"u16\",\"report\":{\"dead_band\":3}}]}]}";
    static const struct {
        int device;
        const char *point;
        bool on_change, percent;
        double width;
    } cases[] = {
        {0, "inherits", true, false, 0.5}, {0, "each", false, false, 0},
        {0, "share", true, true, 2.5},     {0, "any", true, false, 0},
        {0, "mode", true, false, 0},       {1, "each", false, false, 0},
        {1, "wide", true, false, 3},
    };
    char path[] = "/tmp/sluice-report-XXXXXX";
    struct config_parts parts = test_parts(profiles);
    struct config *config;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    close(fd);
    assert_int_equal(config_load(&config, path, &parts, config_tell_stdio, stderr), 0);
    unlink(path);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct site_point *point = point_of(config, 0, cases[i].device, cases[i].point);
        assert_int_equal(point->on_change, cases[i].on_change);
        assert_int_equal(point->dead_band.percent, cases[i].percent);
        assert_true(point->dead_band.width == cases[i].width);
        assert_int_equal(point->at_most_ns, NS_PER_S);
    }
    assert_int_equal(config->site.buses[0].devices[0].heartbeat_ns, 120 * NS_PER_S);
    assert_int_equal(config->site.buses[0].devices[1].heartbeat_ns, 0);
    config_free(config);
}

static void lets_a_device_replace_and_add_to_its_profile(void **state)
{
    (void)state;
    struct config *config = load_plant();
    const struct site_device *incomer = &config->site.buses[0].devices[0];
    const struct meter_point *frequency = point_of(config, 0, 0, "frequency")->options;
    assert_string_equal(incomer->vendor, "Acme");
    assert_string_equal(incomer->name, "Main incomer of Plant 7, boiler room");
    assert_int_equal(((const struct meter_device *)incomer->options)->numbering, 1);
    assert_int_equal(incomer->point_count, 3);
    assert_int_equal(frequency->reg, 99);
    config_free(config);
}

static void expect_points(const struct site_device *device, const char *wanted)
{
    char found[256] = "";
    for (size_t i = 0; i < device->point_count; i++) {
        strcat(found, i ? " " : "");
        strcat(found, device->points[i].id);
    }
    assert_string_equal(found, wanted);
}

static void reads_of_a_profile_what_the_device_asks_for(void **state)
{
    static const struct {
        const char *points;
        bool unverified;
    } wanted[] = {
        {"power energy", true}, {"power energy thd", false},      {"power energy thd limit", true},
        {"energy limit", true}, {"power energy thd extra", true}, {"power frequency", false},
    };
    struct config *config;
    struct config_parts parts = test_parts(profiles);
    char path[PATH_MAX];

    (void)state;
    assert_int_equal(config_load(&config, corpus_path("good/profile_points.json", path), &parts,
                                 config_tell_stdio, stderr),
                     0);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        expect_points(&config->site.buses[0].devices[i], wanted[i].points);
        assert_int_equal(config->site.buses[0].devices[i].unverified, wanted[i].unverified);
    }
    assert_string_equal(config->site.buses[0].devices[0].profile, "acme-wide");
    assert_true(point_of(config, 0, 0, "power")->minimum == -100);
    assert_true(point_of(config, 0, 0, "power")->maximum == 100);
    assert_true(point_of(config, 0, 0, "energy")->maximum == INFINITY);
    assert_int_equal(point_of(config, 0, 0, "energy")->every_ns, 60 * NS_PER_S);
    config_free(config);
}

static void takes_from_the_profile_what_a_point_does_not_say(void **state)
{
    struct config *config;
    struct config_parts parts = test_parts(profiles);
    char path[PATH_MAX];

    (void)state;
    assert_int_equal(config_load(&config, corpus_path("good/profile_points.json", path), &parts,
                                 config_tell_stdio, stderr),
                     0);
    const struct site_point *thd = point_of(config, 0, 4, "thd");
    const struct meter_point *place = thd->options;
    assert_string_equal(thd->name, "Distortion");
    assert_string_equal(thd->unit, "%");
    assert_int_equal(thd->every_ns, 10 * NS_PER_S);
    assert_int_equal(place->reg, 14);
    assert_true(place->scale == 0.1);
    const struct site_point *power = point_of(config, 0, 4, "power");
    place = power->options;
    assert_int_equal(place->reg, 99);
    assert_null(power->unit);
    config_free(config);
}

static void describes_points_for_people_and_machines(void **state)
{
    (void)state;
    struct config *config = load_plant();
    const struct site_point *mode = point_of(config, 1, 0, "mode");
    const struct site_point *flow = point_of(config, 1, 0, "flow");
    assert_string_equal(point_of(config, 1, 0, "supply_temp")->ucum, "Cel");
    assert_string_equal(point_of(config, 2, 0, "lat")->ucum, "[cub]");
    assert_null(mode->ucum);
    assert_string_equal(flow->was.items[0], "durchfluss");
    assert_string_equal(config->site.buses[1].devices[0].was.items[0], "heater");
    assert_int_equal(mode->enum_count, 3);
    assert_int_equal(mode->enums[2].value, -1);
    assert_string_equal(mode->enums[1].text, "auto");
    assert_int_equal(mode->type, VALUE_F64); /* the driver's check ran */
    config_free(config);
}

static void replaces_variables_and_fills_uplinks(void **state)
{
    (void)state;
    struct config *config = load_plant();
    const struct broker *cloud = config->uplinks[0].options, *local = config->uplinks[1].options;
    assert_string_equal(config->uplinks[0].id, "cloud");
    assert_string_equal(cloud->id, "cloud");
    assert_string_equal(cloud->user, "plant7/cloud");
    assert_true(cloud->tls && !local->tls);
    assert_int_equal(cloud->alpn.count, 1);
    assert_int_equal(cloud->budget_bytes_month, 500000000);
    assert_int_equal(cloud->linger_ns, 250 * NS_PER_MS);
    assert_int_equal(local->layout, 1);
    config_free(config);
}

/* Errors as a person sees them, but with file names as they are in the corpus. */
static void tell_shortened(void *context, const struct config_error *error)
{
    char folder[PATH_MAX], sentence[1024], *at;
    struct config_error shown = *error;
    corpus_path("", folder);
    size_t size = strlen(folder);
    snprintf(sentence, sizeof(sentence), "%s", error->sentence);
    while ((at = strstr(sentence, folder)))
        memmove(at, at + size, strlen(at + size) + 1);
    shown.sentence = sentence;
    if (strncmp(error->file, folder, size) == 0)
        shown.file = error->file + size;
    config_tell_stdio(context, &shown);
}

/* What is told about a configuration; NULL when it is a good one. Freed by the caller. */
static char *complaints_about(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    struct config *config;
    struct config_parts parts = test_parts(profiles);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    int error = config_load(&config, path, &parts, tell_shortened, out);
    fclose(out);
    assert_int_equal(error == 0, config != NULL);
    assert_int_equal(error == 0, size == 0);
    config_free(config);
    if (error == 0) {
        free(text);
        text = NULL;
    }
    return text;
}

static char *file_text(const char *name)
{
    char path[PATH_MAX];
    FILE *file = fopen(corpus_path(name, path), "r");
    assert_non_null(file);
    char *text = calloc(1, 64 * 1024);
    assert_non_null(text);
    assert_true(fread(text, 1, 64 * 1024 - 1, file) > 0);
    fclose(file);
    return text;
}

static void tells_thirty_mistakes_each_with_its_line_and_a_useful_sentence(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char *told = complaints_about(corpus_path("thirty_mistakes.json", path));
    char *expected = file_text("thirty_mistakes.txt");
    assert_non_null(told);
    bool same = strcmp(told, expected) == 0;
    if (!same)
        fputs(told, stderr);
    free(told);
    free(expected);
    assert_true(same);
}

/* A configuration of the test's own, below a folder that is removed at the end. */
struct folder {
    char path[64], file[80];
};

static struct folder folder_make(void)
{
    struct folder folder = {.path = "/tmp/sluice-config-XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    snprintf(folder.file, sizeof(folder.file), "%s/sluice.json", folder.path);
    return folder;
}

static void folder_remove(const struct folder *folder)
{
    char secret[96];
    snprintf(secret, sizeof(secret), "%s/secret", folder->path);
    unlink(secret);
    unlink(folder->file);
    assert_int_equal(rmdir(folder->path), 0);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static char *complaints_about_text(const struct folder *folder, const char *text)
{
    write_file(folder->file, text);
    return complaints_about(folder->file);
}

static void tells_what_is_wrong_with_single_things(void **state)
{
    static const struct {
        const char *text, *expected; /* a part of what is told */
    } cases[] = {
        {"{\"gateway\":{\"id\":\"g\"}}", ":1:1: version: is missing"},
        {"{\"version\":2,\"gateway\":{\"id\":\"g\"}}",
         ":1:12: version: found version 2; this program reads version 1: the file was written for "
         "a newer one"},
        {"{\"version\":1}", ":1:1: gateway: is missing"},
        {"[]", ":1:1: a configuration is an object"},
        {"{\"version\":1,\"gateway\":7}",
         ":1:24: gateway: found the number 7; an object {...} is expected"},
        {HEAD "\"journal\":{\"keep\":\"1GiB\",\"segment\":\"512MiB\"}}",
         "four segments have to fit"},
        {HEAD "\"journal\":{\"keep\":\"1 kiB\"}}", "units of sizes are"},
        {HEAD "\"journal\":{\"keep\":\"99999999999TB\"}}", "that is too large"},
        {HEAD "\"journal\":{\"keep\":\"1kB\"}}", "found \"1kB\"; allowed: 1MiB to 1000TB"},
        {HEAD "\"journal\":{\"commit\":null}}", "leave the key out for its default"},
        {HEAD "\"defaults\":{\"report\":{\"dead_band\":-1}}}",
         "found the number -1; allowed: 0 to 1e+15"},
        {HEAD "\"defaults\":{\"report\":{\"dead_band\":\"2\"}}}",
         "a number is expected, or a share as \"2%\""},
        {HEAD "\"defaults\":{\"report\":{\"dead_band\":\"200%\"}}}", "shares are 0% to 100%"},
        {HEAD "\"defaults\":{\"report\":{\"dead_band\":2,\"on_change\":false}}}",
         "a dead band stores changes only, and \"on_change\" beside it is false"},
        {HEAD
         "\"defaults\":{\"report\":{\"on_change\":true,\"at_least\":\"60s\",\"at_most\":\"2m\"}}}",
         "report.at_most: \"at_most\" is longer than \"at_least\" (1m)"},
        {HEAD "\"bus\":[]}", ":1:35: bus: unknown key; did you mean \"buses\"?"},
        {HEAD "\"zzz\":[]}",
         "unknown key; the configuration has: $schema, version, gateway, journal"},
        {HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"meter-net\",\"host\":\"h\"}],"
              "\"devices\":[{\"id\":\"d\",\"bus\":\"b\",\"unit\":1,\"profile\":\"sunspec\"}]}",
         "\"sluice sunspec HOST > NAME.json\" writes the profile of yours"},
        {HEAD "\"buses\":[7]}", "buses[0]: found the number 7; an object"},
        {HEAD "\"devices\":[{\"id\":\"d\",\"bus\":\"b\",\"regg\":1,\"unit\":2}]}",
         "there is no such bus in \"buses\""},
        {HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"nmea\",\"port\":\"p\"}],\"devices\":[{\"id\":"
              "\"d\",\"bus\":\"b\",\"was\":[\"d\"]}]}",
         "that id is still in use"},
        {HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"nmea\",\"port\":\"${nix}\"}]}",
         "there are: ${gateway.id}, ${gateway.name}"},
        {HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"nmea\",\"port\":\"${gateway.id\"}]}",
         "a ${ without its }"},
        {HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"nmea\",\"port\":\"p\",\"timeout\":\"2m\"}]}",
         "found \"2m\"; allowed: 1ms to 1m"},
        {HEAD "\"uplinks\":[{\"id\":\"u\",\"url\":\"http://x\"}]}",
         "uplinks[0].url: a broker's URL begins with"},
        {HEAD "\"uplinks\":[{\"id\":\"u\",\"url\":\"mqtt://x\",\"password_file\":\"nix\"}]}",
         "/nix does not exist"},
        {HEAD "\"uplinks\":[{\"id\":\"u\",\"url\":\"mqtt://x\",\"tls\":{\"cafile\":\"x\"}}]}",
         "unknown key; did you mean \"ca\"?"},
        {HEAD "\"devices\":[{\"id\":\"d\",\"bus\":\"b\",\"profile\":\"../good/smallest\"}]}",
         "there is no profile \"../good/smallest\""},
        {HEAD "\"uplinks\":[{\"id\":\"u\",\"url\":7}]}", "write it in quotes: \"7\""},
    };
    (void)state;
    struct folder folder = folder_make();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *told = complaints_about_text(&folder, cases[i].text);
        if (!told || !strstr(told, cases[i].expected))
            fail_msg("%s\ntold: %s", cases[i].text, told ? told : "nothing");
        free(told);
    }
    folder_remove(&folder);
}

static void refuses_a_secret_that_everybody_may_read(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char secret[96];
    static const char text[] =
        HEAD "\"uplinks\":[{\"id\":\"u\",\"url\":\"mqtt://x\",\"password_file\":\"secret\"}]}";
    snprintf(secret, sizeof(secret), "%s/secret", folder.path);
    write_file(secret, "s3cret");
    assert_int_equal(chmod(secret, 0644), 0);
    char *told = complaints_about_text(&folder, text);
    assert_non_null(told);
    assert_non_null(strstr(told, "can be read by everybody"));
    assert_null(strstr(told, "s3cret"));
    free(told);
    assert_int_equal(chmod(secret, 0640), 0);
    assert_null(complaints_about_text(&folder, text));
    folder_remove(&folder);
}

static void tells_a_faulty_profile_once_however_many_use_it(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char *told = complaints_about_text(
        &folder,
        HEAD "\"buses\":[{\"id\":\"b\",\"driver\":\"meter-net\",\"host\":\"h\"}],\"devices\":["
             "{\"id\":\"d\",\"bus\":\"b\",\"unit\":1,\"profile\":\"faulty\"},"
             "{\"id\":\"e\",\"bus\":\"b\",\"unit\":2,\"profile\":\"faulty\"}]}");
    assert_non_null(told);
    assert_non_null(strstr(told, "profiles/faulty.json:4:45: points[0].type: "));
    assert_null(strchr(strchr(told, '\n') + 1, '\n'));
    free(told);
    folder_remove(&folder);
}

static void tells_at_most_a_hundred_errors_and_how_many_more(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    FILE *file = fopen(folder.file, "w");
    assert_non_null(file);
    fputs(HEAD, file);
    for (int i = 0; i < 150; i++)
        fprintf(file, "\n\"key%d\": 1,", i);
    fputs("}\n", file);
    assert_int_equal(fclose(file), 0);
    char *told = complaints_about(folder.file);
    unsigned lines = 0;
    assert_non_null(told);
    for (const char *at = told; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 101);
    assert_non_null(strstr(told, "50 more errors are not shown"));
    free(told);
    folder_remove(&folder);
}

struct token {
    size_t begin, size; /* between its quotes */
};

/* Replaces one quoted text by another one of the same file, so that what comes out is often still
 * JSON. */
static void swap_tokens(char *text, uint64_t *seed)
{
    struct token tokens[512];
    char copy[64];
    size_t count = 0;
    for (const char *at = text; count < 512 && (at = strchr(at, '"')); at++) {
        size_t size = strcspn(++at, "\"\n");
        if (at[size] == '\0')
            break;
        if (size < sizeof(copy))
            tokens[count++] = (struct token){(size_t)(at - text), size};
        at += size;
    }
    if (count == 0)
        return;
    struct token to = tokens[fuzz_next(seed) % count], from = tokens[fuzz_next(seed) % count];
    memcpy(copy, text + from.begin, from.size);
    char *rest = text + to.begin + to.size;
    memmove(text + to.begin + from.size, rest, strlen(rest) + 1);
    memcpy(text + to.begin, copy, from.size);
}

static void count_error(void *context, const struct config_error *error)
{
    assert_true(*error->sentence != '\0');
    ++*(unsigned *)context;
}

static void survives_mutated_configurations(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct config_parts parts = test_parts(profiles);
    char *plant = file_text("plant.json");
    uint64_t seed = 0xc0ff1965;
    unsigned good = 0;
    for (unsigned round = 0; round < 2000; round++) {
        static char text[16 * 1024];
        struct config *config;
        unsigned told = 0;
        snprintf(text, sizeof(text), "%s", plant);
        for (uint64_t times = fuzz_next(&seed) % 3 + 1; times > 0; times--) {
            size_t at = fuzz_next(&seed) % strlen(text);
            if (fuzz_next(&seed) % 4 == 0)
                text[at] = "{}[]\",:0x"[fuzz_next(&seed) % 9];
            else
                swap_tokens(text, &seed);
        }
        write_file(folder.file, text);
        int error = config_load(&config, folder.file, &parts, count_error, &told);
        assert_int_equal(error == 0, told == 0);
        good += error == 0;
        config_free(config);
    }
    assert_true(good > 50 && good < 1500);
    free(plant);
    folder_remove(&folder);
}

static void ignore_error(void *context, const struct config_error *error)
{
    (void)context;
    (void)error;
}

/* In a process that may take `pages` more: 0 when loading worked, 1 when memory was said to be out,
 * else 2. */
static int load_with_little_memory(size_t pages)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        long used = 0;
        char path[PATH_MAX];
        struct config *config;
        struct config_parts parts = test_parts(profiles);
        FILE *file = fopen("/proc/self/statm", "r");
        if (!file || fscanf(file, "%ld", &used) != 1)
            _exit(2);
        fclose(file);
        rlim_t limit = ((rlim_t)used + pages) * (rlim_t)sysconf(_SC_PAGESIZE);
        setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit});
        int error =
            config_load(&config, corpus_path("plant.json", path), &parts, ignore_error, NULL);
        config_free(config);
        _exit(error == 0 ? 0 : error == ERR_NOMEM && !config ? 1 : 2);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static void says_when_memory_is_out(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* sanitizers cannot live with a limit */
#endif
    unsigned seen[3] = {0};
    for (size_t pages = 0; pages < 400; pages += 8)
        seen[load_with_little_memory(pages)]++;
    assert_true(seen[0] > 0 && seen[1] > 1);
    assert_int_equal(seen[2], 0);
}

static void says_when_a_file_cannot_be_read(void **state)
{
    (void)state;
    struct config *config;
    struct config_parts parts = test_parts(profiles);
    char *told = NULL;
    size_t size;
    FILE *out = open_memstream(&told, &size);
    assert_non_null(out);
    assert_int_equal(config_load(&config, "/nowhere/sluice.json", &parts, config_tell_stdio, out),
                     ERR_NOT_FOUND);
    assert_int_equal(config_load(&config, "/tmp", &parts, config_tell_stdio, out), ERR_IO);
    fclose(out);
    assert_string_equal(told, "/nowhere/sluice.json: cannot be read: No such file or directory\n"
                              "/tmp: cannot be read: Is a directory\n");
    free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_what_holds_for_the_whole_gateway),
        cmocka_unit_test(hands_each_driver_its_own_options),
        cmocka_unit_test(inherits_interval_and_report_from_point_device_profile_and_defaults),
        cmocka_unit_test(of_a_dead_band_and_on_change_the_nearer_one_counts),
        cmocka_unit_test(lets_a_device_replace_and_add_to_its_profile),
        cmocka_unit_test(reads_of_a_profile_what_the_device_asks_for),
        cmocka_unit_test(takes_from_the_profile_what_a_point_does_not_say),
        cmocka_unit_test(describes_points_for_people_and_machines),
        cmocka_unit_test(replaces_variables_and_fills_uplinks),
        cmocka_unit_test(tells_thirty_mistakes_each_with_its_line_and_a_useful_sentence),
        cmocka_unit_test(tells_what_is_wrong_with_single_things),
        cmocka_unit_test(refuses_a_secret_that_everybody_may_read),
        cmocka_unit_test(tells_a_faulty_profile_once_however_many_use_it),
        cmocka_unit_test(tells_at_most_a_hundred_errors_and_how_many_more),
        cmocka_unit_test(says_when_a_file_cannot_be_read),
        cmocka_unit_test(says_when_memory_is_out),
        cmocka_unit_test(survives_mutated_configurations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
