/* The shipped profiles of Modbus devices: each loads with all its points, and registers become the
 * values that tests/profiles/vectors says. With SLUICE_PROFILES_REPORT the names of those that do
 * are appended to that file. */
// links: sluice_daemon driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "core/status.h"
#include "daemon/gateway.h"
#include "modbus/decode.h"

#define PROFILES 209

static char folder[PATH_MAX];

/* A file of the source tree; this one is in tests/unit. */
static const char *source_path(const char *name, char out[PATH_MAX])
{
    const char *here = strstr(__FILE__, "tests/unit/");
    snprintf(out, PATH_MAX, "%.*s%s", (int)(here - __FILE__), __FILE__, name);
    return out;
}

/* A gateway of one device that reads all points of the profile. */
static struct config *load(const char *name)
{
    struct config *config = NULL;
    struct config_parts parts;
    char path[] = "/tmp/sluice-profiles-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");

    assert_non_null(file);
    fprintf(file,
            "{\"version\":1,\"gateway\":{\"id\":\"g\"},"
            "\"buses\":[{\"id\":\"b\",\"driver\":\"modbus-tcp\",\"host\":\"127.0.0.1\"}],"
            "\"devices\":[{\"id\":\"d\",\"bus\":\"b\",\"unit\":1,\"profile\":\"%s\",\"also\":[\"*"
            "\"]}]}",
            name);
    fclose(file);
    gateway_config_parts(&parts);
    parts.profile_folders[0] = folder;
    parts.profile_folders[1] = NULL;
    config_load(&config, path, &parts, config_tell_stdio, stderr);
    unlink(path);
    return config;
}

struct vector {
    char point[64], table[16], data[300], value[80];
    unsigned first;
};

static const struct site_point *find(const struct site_device *device, const char *id)
{
    for (size_t i = 0; i < device->point_count; i++)
        if (strcmp(device->points[i].id, id) == 0)
            return &device->points[i];
    return NULL;
}

/* The bytes of a reply; how many. A bit is a byte with the bit in its lowest place. */
static size_t bytes_of(const struct vector *vector, uint8_t out[150])
{
    size_t size = strlen(vector->data) / 2;

    if (size == 0) {
        out[0] = vector->data[0] == '1';
        return 1;
    }
    for (size_t i = 0; i < size; i++) {
        char pair[3] = {vector->data[2 * i], vector->data[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return size;
}

static bool means(const struct value *value, const char *wanted)
{
    size_t size = strlen(wanted);
    double number = strtod(wanted, NULL);

    switch (value->type) {
    case VALUE_BOOL:
        return strcmp(wanted, value->b ? "true" : "false") == 0;
    case VALUE_TEXT:
        return value->size + 2u == size && memcmp(wanted + 1, value->data, value->size) == 0;
    case VALUE_U64:
        return value->u == strtoull(wanted, NULL, 10);
    case VALUE_I64:
        return value->i == strtoll(wanted, NULL, 10);
    default:
        return fabs(value->f - number) <= 1e-12 * fabs(number);
    }
}

/* NULL when the point makes of the registers what it should. */
static const char *fault_of(const struct site_point *point, const struct vector *vector)
{
    const struct modbus_point_options *options = point ? point->options : NULL;
    char text[MODBUS_TEXT_SIZE_MAX];
    uint8_t data[150];
    size_t size = bytes_of(vector, data);
    struct value value;

    if (!point)
        return "there is no such point";
    int function;
    char why[256];
    assert_int_equal(modbus_point_choice("table", vector->table, &function, why, sizeof why), 0);
    if (options->function != function)
        return "it is read from another table";
    if (options->address != vector->first)
        return "it is read from another register";
    if (options->function >= MODBUS_HOLDING_REGISTERS && options->count * 2u != size)
        return "it has another size";
    uint16_t status = modbus_decode(options, data, 0, text, &value);
    if (strcmp(vector->value, "not available") == 0)
        return status == STATUS_NOT_AVAILABLE ? NULL : "that is a value";
    if (status != STATUS_GOOD)
        return status_why(status);
    return means(&value, vector->value) ? NULL : "it is another value";
}

/* How many points of the device had a vector, -1 when one was not met. */
static int check_vectors(const char *name, const struct site_device *device)
{
    char path[PATH_MAX], part[300], line[512], last[64] = "";
    struct vector vector;
    int points = 0;

    snprintf(part, sizeof part, "tests/profiles/vectors/%s.txt", name);
    FILE *file = fopen(source_path(part, path), "r");
    if (!file) {
        fprintf(stderr, "%s: there are no vectors\n", name);
        return -1;
    }
    while (points >= 0 && fgets(line, sizeof line, file)) {
        if (line[0] == '#')
            continue;
        const char *why = sscanf(line, "%63[^\t]\t%15[^\t]\t%u\t%299[^\t]\t%79[^\n]", vector.point,
                                 vector.table, &vector.first, vector.data, vector.value) == 5
                              ? fault_of(find(device, vector.point), &vector)
                              : "not a vector";
        if (why)
            fprintf(stderr, "%s: %s %s is to be %s: %s\n", name, vector.point, vector.data,
                    vector.value, why);
        points = why ? -1 : points + (strcmp(last, vector.point) != 0);
        snprintf(last, sizeof last, "%s", vector.point);
    }
    fclose(file);
    return points;
}

static bool holds(const char *name)
{
    struct config *config = load(name);
    if (!config)
        return false;
    const struct site_device *device = config->site.buses[0].devices;
    int points = check_vectors(name, device);
    if (points >= 0 && (size_t)points != device->point_count)
        fprintf(stderr, "%s: %d of %zu points have vectors\n", name, points, device->point_count);
    bool held = points > 0 && (size_t)points == device->point_count;
    config_free(config);
    return held;
}

/* Whether a file of the folder is the profile of a Modbus device: it says how it numbers. */
static bool is_modbus(const char *file_name)
{
    char path[PATH_MAX + 300], line[2048];
    bool found = false;

    snprintf(path, sizeof path, "%s/%s", folder, file_name);
    FILE *file = fopen(path, "r");
    while (file && !found && fgets(line, sizeof line, file))
        found = strstr(line, "\"numbering\":") != NULL;
    if (file)
        fclose(file);
    return found;
}

static void every_profile_loads_and_decodes_its_vectors(void **state)
{
    const char *report_path = getenv("SLUICE_PROFILES_REPORT");
    FILE *report = report_path ? fopen(report_path, "a") : NULL;
    unsigned profiles = 0, held = 0;

    (void)state;
    source_path("drivers/profiles", folder);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char name[NAME_MAX + 1];
        size_t size = strlen(entry->d_name);
        if (size < 6 || strcmp(entry->d_name + size - 5, ".json") != 0 || !is_modbus(entry->d_name))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(size - 5), entry->d_name);
        profiles++;
        if (!holds(name))
            continue;
        held++;
        if (report)
            fprintf(report, "%s\n", name);
    }
    closedir(dir);
    if (report)
        fclose(report);
    assert_int_equal(held, profiles);
    assert_in_range(profiles, PROFILES, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_loads_and_decodes_its_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
