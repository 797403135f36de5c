/* Which of the points that a configuration or a profile names a device really has. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/borrow.h"
#include "cli/command.h"
#include "cli/find_config.h"
#include "cli/place.h"
#include "cli/probe_device.h"
#include "cli/profile_path.h"
#include "config/catalog.h"
#include "config/json_write.h"
#include "core/error.h"
#include "core/status.h"
#include "core/text.h"
#include "field/report.h"
#include "modbus/advice.h"

#define SILENT_MAX 3 /* points in a row without an answer, and it is not there */

struct probe_flags {
    const char *config, *profile, *line, *frames, *unit, *socket;
    bool json;
};

struct probe {
    const struct probe_flags *flags;
    struct config_parts parts;
    struct config *own; /* the configuration with the device; NULL when only a profile is asked */
    struct config *profile; /* with all points of its profile; NULL where it has none */
    const struct site_bus *bus;
    const struct site_device *device; /* as configured, or as its profile has it */
    const char *profile_name;
    struct probe_result *results;
    size_t count;
    struct profile_path path; /* of a profile that is named by its file */
    struct place place;       /* of a device that is not configured */
    struct bench bench;
};

static const struct site_point *point_named(const struct site_device *device, const char *id)
{
    for (size_t i = 0; device && i < device->point_count; i++) {
        if (strcmp(device->points[i].id, id) == 0)
            return &device->points[i];
    }
    return NULL;
}

static bool is_modbus(const struct site_bus *bus)
{
    return strncmp(bus->driver->name, "modbus", 6) == 0;
}

/* The configured device with all points that its profile knows besides its own. */
static int load_device(struct probe *probe, const char *id)
{
    int code = find_config(&probe->own, &probe->parts, probe->flags->config, probe->flags->socket,
                           "sluice probe");

    if (code != EXIT_CODE_OK)
        return code;
    if (!find_device(probe->own, id, "sluice probe", &probe->bus, &probe->device))
        return EXIT_CODE_USAGE;
    if (!is_modbus(probe->bus)) {
        fprintf(stderr,
                "sluice probe: device %s is on a bus of %s: only Modbus has registers that "
                "can be there or not\n",
                id, probe->bus->driver->name);
        return EXIT_CODE_USAGE;
    }
    if (!probe->device->profile)
        return EXIT_CODE_OK;
    const struct modbus_device_options *options = probe->device->options;
    struct catalog_use use = {.profile = probe->device->profile,
                              .driver = probe->bus->driver,
                              .unit = options->unit,
                              .all = true};
    probe->profile_name = probe->device->profile;
    return catalog_use(&probe->profile, &use, &probe->parts, config_tell_stdio, stderr)
               ? EXIT_CODE_CONFIG
               : EXIT_CODE_OK;
}

static const struct driver *driver_named(const struct probe *probe, const char *name)
{
    for (const struct driver *const *driver = probe->parts.drivers; *driver; driver++) {
        if (strcmp((*driver)->name, name) == 0)
            return *driver;
    }
    return NULL;
}

/* What is about the command line, and not about a place in a file, begins with the command. */
static void tell_wrong(void *context, const struct config_error *error)
{
    if (error->line == 0)
        fprintf(context, "sluice probe: %s\n", error->sentence);
    else
        config_tell_stdio(context, error);
}

/* A device of the profile at the place that the command line names. */
static int load_profile_device(struct probe *probe, const char *operand)
{
    const struct probe_flags *flags = probe->flags;
    const char *name = flags->profile, *frames;
    char driver[32], *end = NULL;
    struct catalog_use use = {.all = true};
    struct place *place = &probe->place;
    int code = place_find(place, operand, flags->socket, "sluice probe");

    if (code != EXIT_CODE_OK)
        return code;
    frames = place_frames(place, flags->frames);
    if (!frames)
        frames = place->is_port ? "rtu" : "tcp";
    use.line = place_line(place, flags->line);
    gateway_config_parts(&probe->parts);
    if (!profile_path_take(&probe->path, &probe->parts, &name, "sluice probe"))
        return EXIT_CODE_SYSTEM;
    use.profile = probe->profile_name = name;
    snprintf(driver, sizeof driver, "modbus-%.16s", frames);
    use.driver = driver_named(probe, driver);
    *(place->is_port ? &use.port : &use.host) = place->at;
    use.unit = flags->unit ? strtol(flags->unit, &end, 10) : -1;
    if (!use.driver || (end && (*end || end == flags->unit || use.unit < 0))) {
        fprintf(stderr, "sluice probe: --frames takes rtu, ascii or tcp, --unit a number\n");
        return EXIT_CODE_USAGE;
    }
    int error = catalog_use(&probe->profile, &use, &probe->parts, tell_wrong, stderr);
    use.all = false;
    if (!error)
        error = catalog_use(&probe->own, &use, &probe->parts, tell_wrong, stderr);
    if (error)
        return error == ERR_NOT_FOUND ? EXIT_CODE_USAGE : EXIT_CODE_CONFIG;
    probe->bus = &probe->own->site.buses[0];
    probe->device = &probe->bus->devices[0];
    return EXIT_CODE_OK;
}

/* All points, each once: as configured, else as the profile has it. */
static int list_points(struct probe *probe)
{
    const struct site_device *all =
        probe->profile ? &probe->profile->site.buses[0].devices[0] : NULL;
    size_t most = probe->device->point_count + (all ? all->point_count : 0);

    probe->results = calloc(most ? most : 1, sizeof *probe->results);
    if (!probe->results)
        return EXIT_CODE_SYSTEM;
    for (size_t i = 0; all && i < all->point_count; i++) {
        const struct site_point *own = point_named(probe->device, all->points[i].id);
        probe->results[probe->count++] =
            (struct probe_result){.point = own ? own : &all->points[i], .configured = own != NULL};
    }
    for (size_t i = 0; i < probe->device->point_count; i++) {
        const struct site_point *point = &probe->device->points[i];
        if (!point_named(all, point->id))
            probe->results[probe->count++] =
                (struct probe_result){.point = point, .configured = true};
    }
    return EXIT_CODE_OK;
}

/* A line that the daemon polls is borrowed from it; connections of Modbus TCP need no lease. */
static int borrow_line(const struct probe *probe, struct borrow *borrow, char *place, size_t size)
{
    const struct modbus_bus_options *options = probe->bus->options;

    if (options->port)
        snprintf(place, size, "%s", options->port);
    else
        snprintf(place, size, "%s:%u", options->host.name, (unsigned)options->host.port);
    *borrow = (struct borrow){.socket = probe->flags->socket, .port = place, .by = "sluice probe"};
    return strcmp(probe->bus->driver->name, "modbus-tcp") == 0 ? EXIT_CODE_OK : borrow_port(borrow);
}

static int ask_all(struct probe *probe, struct borrow *borrow)
{
    const struct modbus_bus_options *options = probe->bus->options;
    struct ask *ask = NULL;
    char why[256] = "", advice[ADVICE_SIZE];
    int error = ask_open(&ask, probe->bus->driver, options, &probe->bench.host, why, sizeof why);
    uint16_t status = STATUS_TIMEOUT;
    size_t silent = 0;

    for (size_t i = 0; i < probe->count && !error && silent < SILENT_MAX; i++) {
        bool configured = probe->results[i].configured;

        if (!borrow_keep(borrow)) {
            ask_close(ask);
            return EXIT_CODE_SYSTEM;
        }
        error = probe_point(ask, probe->device, probe->results[i].point, options->timeout_ns,
                            &probe->results[i]);
        probe->results[i].configured = configured;
        silent = probe->results[i].verdict == PROBE_SILENT ? silent + 1 : 0;
        status = probe->results[i].status;
        if (error)
            snprintf(why, sizeof why, "%.250s", error == ERR_CLOSED ? "stopped" : ask_why(ask));
    }
    ask_close(ask);
    if (error)
        fprintf(stderr, "sluice probe: %s\n", *why ? why : error_text(error));
    else if (silent == SILENT_MAX || (silent && silent == probe->count))
        fprintf(stderr, "sluice probe: the device does not answer: %s\n",
                advice_for(probe->bus, status, advice));
    else
        return EXIT_CODE_OK;
    borrow_hint(borrow, error);
    return error ? bench_exit_code(error) : EXIT_CODE_FAILED;
}

/* What is read and not there; or is there, with a value, and not read. */
static bool is_listed(const struct probe_result *result, bool missing)
{
    return missing ? result->configured && result->verdict == PROBE_REFUSED
                   : !result->configured && result->verdict == PROBE_HAS;
}

/* Points that are read, and of which nobody knows whether they are there. */
static size_t count_unknown(const struct probe *probe)
{
    size_t count = 0;

    for (size_t i = 0; i < probe->count; i++) {
        const struct probe_result *result = &probe->results[i];

        count += result->configured &&
                 (result->verdict == PROBE_FAILED || result->verdict == PROBE_SILENT);
    }
    return count;
}

static size_t count_listed(const struct probe *probe, bool missing)
{
    size_t count = 0;

    for (size_t i = 0; i < probe->count; i++)
        count += is_listed(&probe->results[i], missing);
    return count;
}

static void print_table(const struct probe *probe)
{
    printf("%-36s %8s  %-7s %-14s %s\n", "point", "register", "read", "", "value");
    for (size_t i = 0; i < probe->count; i++) {
        const struct probe_result *result = &probe->results[i];
        const struct modbus_point_options *options = result->point->options;
        bool valued = *result->value != '\0';

        printf("%-36s %8" PRId64 "  %-7s %-14s %s %s\n", result->point->id, options->reg,
               result->configured ? "yes" : "no", probe_verdict_name(result->verdict),
               valued ? result->value : status_why(result->status),
               valued ? (result->point->unit ? result->point->unit : "")
                      : status_help(result->status));
    }
}

/* ["a", "b"] of the points of the profile that are configured and not refused, or are to be read
 * besides. */
static void print_ids(const struct probe *probe, const char *key, bool also)
{
    const char *separator = "";

    printf("  \"%s\": [", key);
    for (size_t i = 0; i < probe->count; i++) {
        const struct probe_result *result = &probe->results[i];
        bool wanted = also ? is_listed(result, false)
                           : result->configured && result->verdict != PROBE_REFUSED;
        if (!wanted || (probe->profile &&
                        !point_named(&probe->profile->site.buses[0].devices[0], result->point->id)))
            continue;
        printf("%s\"%s\"", separator, result->point->id);
        separator = ", ";
    }
    printf("]\n");
}

/* Where hardly a point is there with a value that can be, or none at all is left to be read, it is
 * another model. *fits of *asked are. */
static bool is_doubtful(const struct probe *probe, size_t *fits, size_t *asked)
{
    size_t misfits = 0, left = 0;

    *fits = 0;
    for (size_t i = 0; i < probe->count; i++) {
        enum probe_verdict verdict = probe->results[i].verdict;

        *fits += verdict == PROBE_HAS;
        misfits += verdict == PROBE_REFUSED || verdict == PROBE_IMPLAUSIBLE;
        left += verdict != PROBE_HAS && verdict != PROBE_REFUSED && verdict != PROBE_IMPLAUSIBLE;
    }
    *asked = *fits + misfits;
    return report_hardly_fits(*fits, misfits, left);
}

/* What to do where nothing can be offered: points that do not fit are no choice. */
static void print_doubt(const struct probe *probe, size_t fits, size_t asked)
{
    const struct modbus_device_options *options = probe->device->options;
    char scan[ADVICE_SCAN_SIZE];

    printf("\nHardly anything fits (%zu of %zu): ", fits, asked);
    if (probe->profile)
        printf("the profile %s does not seem to be this device's. Is it another model?\n"
               "Profiles of others:           sluice profile list WORD\n",
               probe->profile_name);
    else
        printf("is it another device, or counts its manual otherwise (\"numbering\")?\n"
               "What its registers may mean:  sluice read ... --explain\n");
    printf("What it says of itself:       %s --units %" PRId64 "\n", advice_scan(probe->bus, scan),
           options->unit);
}

static void print_missing(const struct probe *probe, size_t missing)
{
    printf("\n%zu point%s read and not there:", missing, missing == 1 ? " is" : "s are");
    for (size_t i = 0; i < probe->count; i++) {
        if (is_listed(&probe->results[i], true))
            printf(" %s", probe->results[i].point->id);
    }
    printf(". %s\n", probe->profile ? "In the device's entry of the configuration, read only:"
                                    : "Take them out of \"points\", or mend \"reg\".");
    if (probe->profile)
        print_ids(probe, "only", false);
}

static void print_offer(const struct probe *probe)
{
    size_t missing = count_listed(probe, true), more = count_listed(probe, false);
    size_t unknown = count_unknown(probe), fits, asked;

    if (is_doubtful(probe, &fits, &asked)) {
        print_doubt(probe, fits, asked);
        return;
    }
    if (missing > 0)
        print_missing(probe, missing);
    else if (unknown == 0)
        printf("\nAll points that are read are there.\n");
    if (unknown > 0)
        printf(
            "\n%zu point%s read and could not be now: nobody knows whether the device has %s. Ask "
            "once more when it has less to do.\n",
            unknown, unknown == 1 ? " is" : "s are", unknown == 1 ? "it" : "them");
    if (more > 0) {
        printf("\n%zu more point%s there and not read. As many of them as are wanted:\n", more,
               more == 1 ? " is" : "s are");
        print_ids(probe, "also", true);
    }
}

static void print_json(const struct probe *probe)
{
    struct json_writer writer = {.out = stdout, .flat = true};
    size_t fits, asked;

    json_write_open(&writer, NULL, '{');
    json_write_text(&writer, "device", probe->device->id);
    if (probe->profile_name)
        json_write_text(&writer, "profile", probe->profile_name);
    json_write_open(&writer, "points", '[');
    for (size_t i = 0; i < probe->count; i++) {
        const struct probe_result *result = &probe->results[i];
        const struct modbus_point_options *options = result->point->options;

        json_write_open(&writer, NULL, '{');
        json_write_text(&writer, "id", result->point->id);
        if (result->point->name)
            json_write_text(&writer, "name", result->point->name);
        json_write_number(&writer, "reg", (double)options->reg);
        json_write_number(&writer, "function", options->function);
        json_write_raw(&writer, "read", result->configured ? "true" : "false");
        json_write_text(&writer, "verdict", probe_verdict_name(result->verdict));
        if (result->status)
            json_write_text(&writer, "why", status_why(result->status));
        if (*result->value)
            json_write_raw(&writer, "v", result->value);
        if (result->point->unit)
            json_write_text(&writer, "unit", result->point->unit);
        json_write_close(&writer, '}');
    }
    json_write_close(&writer, ']');
    json_write_raw(&writer, "doubt", is_doubtful(probe, &fits, &asked) ? "true" : "false");
    json_write_close(&writer, '}');
}

static int run(struct probe *probe, const char *operand)
{
    struct borrow borrow = {0};
    char place[320];
    size_t fits, asked;

    if (bench_open(&probe->bench) != 0)
        return EXIT_CODE_SYSTEM;
    int code =
        probe->flags->profile ? load_profile_device(probe, operand) : load_device(probe, operand);

    if (code == EXIT_CODE_OK)
        code = list_points(probe);
    if (code == EXIT_CODE_OK)
        code = borrow_line(probe, &borrow, place, sizeof place);
    probe->bench.borrow = &borrow;
    if (code == EXIT_CODE_OK)
        code = ask_all(probe, &borrow);
    borrow_return(&borrow);
    bench_close(&probe->bench);
    if (code == EXIT_CODE_OK) {
        if (probe->flags->json) {
            print_json(probe);
        } else {
            print_table(probe);
            print_offer(probe);
        }
        code =
            count_listed(probe, true) || count_unknown(probe) || is_doubtful(probe, &fits, &asked)
                ? EXIT_CODE_FAILED
                : EXIT_CODE_OK;
    }
    config_free(probe->own);
    config_free(probe->profile);
    free(probe->results);
    return code;
}

int command_probe(int argc, char **argv)
{
    struct probe_flags given = {.socket = gateway_socket_path()};
    const struct args_flag flags[] = {
        {"config", 'c', "FILE", FIND_CONFIG_HELP, &given.config, NULL},
        {"profile", 'P', "NAME",
         "a device that is not configured: its profile, or the file\n"
         "of one (./NAME.json); the operand is then its PORT, HOST\nor BUS of the gateway",
         &given.profile, NULL},
        {"unit", 'a', "N", "with --profile: its unit; the profile's, or 1", &given.unit, NULL},
        {"line", 'l', "SETTINGS", "with --profile: of a serial port; the profile's, or 9600 8E1",
         &given.line, NULL},
        {"frames", 'f', "KIND", "with --profile: rtu, ascii, tcp", &given.frames, NULL},
        {"json", 'J', NULL, "as one JSON object", NULL, &given.json},
        COMMAND_SOCKET_FLAG(&given.socket),
        {0},
    };
    const struct args_command command = {
        .name = "sluice probe",
        .operands = " DEVICE | --profile NAME PORT|HOST[:502]|BUS",
        .operands_min = 1,
        .operands_max = 1,
        .about =
            "Finds which points a device has: asks for each point of its configuration, and\n"
            "for all that its profile knows, one by one.\n\n"
            "  has            there is a value, and one that can be\n"
            "  has not        the device refuses it (exceptions 1 to 3)\n"
            "  not available  the register is there and says that it has no value\n"
            "  implausible    the value is outside of min and max, has no text in the enum, or\n"
            "                 is a float that no device measures: a wrong order or model?\n",
        .after =
            "Exit status: 1 a point that is read is not there, or not for certain, or hardly\n"
            "anything fits, or the device does not answer; 2 there is no such device, bus or\n"
            "profile; 3 errors in the configuration or the profile; 4 there is no daemon, and no\n"
            "configuration; 5 the port cannot be used. One that the daemon polls is borrowed\n"
            "from it.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (!given.profile && (given.unit || given.line || given.frames)) {
        fprintf(stderr, "sluice probe: --unit, --line and --frames go with --profile; of a device "
                        "of the configuration they stand there\n");
        return EXIT_CODE_USAGE;
    }
    struct probe probe = {.flags = &given};
    return run(&probe, argv[first]);
}
