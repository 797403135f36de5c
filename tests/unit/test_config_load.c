/* Reading a whole configuration: what comes out of a good file. */
// links: sluice_config sluice_core
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
