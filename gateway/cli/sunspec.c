/* A SunSpec device says itself what it has: this writes that down as its profile. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/borrow.h"
#include "cli/command.h"
#include "cli/place.h"
#include "config/config.h"
#include "core/clock.h"
#include "core/decimal.h"
#include "core/error.h"
#include "core/text.h"
#include "modbus/read.h"
#include "modbus/sunspec.h"

#define MODELS_FILE   "sunspec/models.tsv"
#define TEXT_SIZE_MAX 65 /* of manufacturer and model, as a profile allows */
#define LINE_SIZE_MAX 2048

struct device {
    struct modbus_read read;
    struct place place;
    struct bench bench;
    struct borrow borrow;
    char why[256];
    int error; /* of the last read: 0, the device's exception, or the way's to it */
    uint16_t image[65536 + SUNSPEC_READ_MAX]; /* what was read, by its register */
    size_t filled;                            /* while one request is read */
    uint16_t *wanted;
    char vendor[TEXT_SIZE_MAX], model[TEXT_SIZE_MAX];
    const char *category;
    FILE *points;
    size_t point_count, read_count;
    struct sunspec_point serial; /* the register of its serial number; none of no registers */
};

static void take_register(void *context, int64_t reg, const struct value *value, uint16_t status)
{
    struct device *device = context;

    (void)reg;
    (void)status;
    device->wanted[device->filled++] = (uint16_t)value->u;
}

/* A sunspec_read_fn. */
static int read_registers(void *context, uint16_t address, uint16_t count, uint16_t *registers)
{
    struct device *device = context;

    device->read.reg = address;
    device->read.count = count;
    device->filled = 0;
    device->wanted = &device->image[address];
    device->error =
        modbus_read_once(&device->read, take_register, device, device->why, sizeof device->why);
    if (device->error)
        return device->error;
    device->why[0] = '\0';
    memcpy(registers, &device->image[address], count * sizeof registers[0]);
    return 0;
}

static void take_model(void *context, const struct sunspec_model *model)
{
    struct device *device = context;

    fprintf(stderr, "model %u at %u: %s\n", model->number, model->address,
            model->label ? model->label : "not known, passed over");
    if (model->number >= 201 && model->number <= 214 && !device->category)
        device->category = "energy-meter";
    if ((model->number >= 101 && model->number <= 113) || model->number == 701)
        device->category = "inverter";
}

/* Printable ASCII of a text in registers, without blanks behind it. */
static void take_text(const struct device *device, const struct sunspec_point *point,
                      char out[TEXT_SIZE_MAX])
{
    size_t size = 0;

    for (unsigned i = 0; i < 2u * point->registers && size < TEXT_SIZE_MAX - 1; i++) {
        unsigned letter = device->image[point->address + i / 2] >> (i % 2 ? 0 : 8) & 0xFF;
        if (letter == 0)
            break;
        out[size++] = letter >= ' ' && letter < 0x7F ? (char)letter : '?';
    }
    while (size > 0 && out[size - 1] == ' ')
        size--;
    out[size] = '\0';
}

static void put_key(struct text *text, const char *key, const char *value)
{
    if (!*value)
        return;
    text_printf(text, ", \"%s\": ", key);
    text_json_string(text, value, strlen(value));
}

/* "1=OFF;2=SLEEPING" as an object. */
static void put_enum(struct text *text, const char *enums)
{
    if (!*enums)
        return;
    text_string(text, ", \"enum\": {");
    for (const char *at = enums, *end; *at; at = *end ? end + 1 : end) {
        const char *is = strchr(at, '=');
        end = at + strcspn(at, ";");
        if (!is || is > end)
            continue;
        text_printf(text, "%s\"%.*s\": ", at > enums ? ", " : "", (int)(is - at), at);
        text_json_string(text, is + 1, (size_t)(end - is - 1));
    }
    text_string(text, "}");
}

static void put_scale(struct text *text, const struct sunspec_point *point)
{
    double scale = strtod(point->factor, NULL);

    if (point->power >= 0)
        scale *= decimal_power[point->power];
    else
        scale /= decimal_power[-point->power];
    if (scale != 1)
        text_printf(text, ", \"scale\": %.10g", scale);
    if (point->scale_address >= 0)
        text_printf(text, ", \"scale_reg\": %" PRId32 ", \"scale_by\": \"power\"",
                    point->scale_address);
}

static void take_point(void *context, const struct sunspec_point *point)
{
    struct device *device = context;
    char line[LINE_SIZE_MAX];
    struct text text;

    if (strcmp(point->id, "manufacturer") == 0)
        take_text(device, point, device->vendor);
    if (strcmp(point->id, "model") == 0)
        take_text(device, point, device->model);
    if (strcmp(point->id, "serial_number") == 0)
        device->serial = *point;
    text_init(&text, line, sizeof line);
    text_string(&text, device->point_count ? ",\n    { \"id\": " : "    { \"id\": ");
    text_json_string(&text, point->id, strlen(point->id));
    put_key(&text, "name", point->name);
    text_printf(&text, ", \"reg\": %u", point->address);
    if (strcmp(point->type, "u16") != 0)
        put_key(&text, "type", point->type);
    if (strcmp(point->type, "string") == 0)
        text_printf(&text, ", \"length\": %u", point->registers);
    put_scale(&text, point);
    if (*point->na)
        text_printf(&text, ", \"na\": %s", point->na);
    put_key(&text, "unit", point->unit);
    put_key(&text, "ucum", point->ucum);
    put_key(&text, "class", point->class);
    put_key(&text, "state", point->state);
    put_enum(&text, point->enums);
    if (!point->read)
        text_string(&text, ", \"read\": false");
    text_string(&text, " }");
    fwrite(text.data, 1, text.size, device->points);
    device->point_count++;
    device->read_count += point->read;
}

static void print_text(const char *key, const char *value)
{
    char line[LINE_SIZE_MAX];
    struct text text;

    text_init(&text, line, sizeof line);
    text_printf(&text, "  \"%s\": ", key);
    text_json_string(&text, value, strlen(value));
    printf("%.*s,\n", (int)text.size, text.data);
}

static void print_profile(const struct device *device, const char *points)
{
    printf("{\n");
    print_text("vendor", *device->vendor ? device->vendor : "unknown");
    print_text("model", *device->model ? device->model : "SunSpec device");
    print_text("category", device->category ? device->category : "sunspec");
    printf("  \"drivers\": [\"%s\"],\n", device->read.host ? "modbus-tcp" : "modbus-rtu");
    print_text("confidence", "medium");
    printf("  \"source\": { \"document\": \"the device's own SunSpec models\" },\n");
    print_text("notes", "what the device says of itself; compare the signs of its powers and the "
                        "power factor with its display, where makers differ");
    printf("  \"numbering\": \"0-based\",\n");
    if (device->serial.registers)
        printf("  \"identity_reg\": %u,\n  \"identity_type\": \"string\",\n"
               "  \"identity_length\": %u,\n",
               device->serial.address, (unsigned)device->serial.registers);
    printf("  \"points\": [\n%s\n  ]\n}\n", points);
}

static int find_models(struct sunspec_models **models)
{
    struct config_parts parts;
    int error = ERR_NOT_FOUND;

    gateway_config_parts(&parts);
    for (size_t i = 0; parts.profile_folders[i] && error == ERR_NOT_FOUND; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/" MODELS_FILE, parts.profile_folders[i]);
        error = sunspec_models_open(models, path);
    }
    if (error)
        fprintf(stderr, "sluice sunspec: " MODELS_FILE " in the folders of profiles: %s\n",
                error_text(error));
    return error;
}

static int tell_failure(const struct device *device, int32_t marker)
{
    bool answered = device->error == 0 || device->error == ERR_EXCEPTION;
    const char *why = *device->why ? device->why : error_text(marker);

    if (answered && marker == ERR_NOT_FOUND)
        why = "the device has no SunSpec marker at 40000, 0 or 50000";
    else if (answered && marker == ERR_INVALID && !*device->why)
        why = "the device's chain of models has no end";
    fprintf(stderr, "sluice sunspec: %s\n", why);
    borrow_hint(&device->borrow, device->error);
    return answered ? EXIT_CODE_FAILED : bench_exit_code(device->error);
}

static int walk(struct device *device, const struct sunspec_models *models)
{
    const struct sunspec_visitor visitor = {take_model, take_point, device};
    char *points = NULL;
    size_t size = 0;
    int code = EXIT_CODE_OK;

    device->points = open_memstream(&points, &size);
    int32_t marker =
        device->points ? sunspec_walk(models, read_registers, device, &visitor) : ERR_NOMEM;
    if (device->points)
        fclose(device->points);
    if (marker >= 0) {
        print_profile(device, points);
        fprintf(stderr, "%zu points from register %" PRId32 " on, %zu of them read by default\n",
                device->point_count, marker, device->read_count);
    } else {
        code = tell_failure(device, marker);
    }
    free(points);
    return code;
}

/* Over a line, which only one can have at a time, it is borrowed where the gateway polls it. */
static int walk_borrowed(struct device *device, const struct sunspec_models *models,
                         const char *socket)
{
    bool is_line =
        device->place.is_port || (device->read.frames && strcmp(device->read.frames, "tcp") != 0);
    int code = EXIT_CODE_OK;

    device->borrow =
        (struct borrow){.socket = socket, .port = device->place.at, .by = "sluice sunspec"};
    if (bench_open(&device->bench) != 0)
        return EXIT_CODE_SYSTEM;
    device->bench.borrow = &device->borrow;
    device->read.waits = &device->bench.host;
    if (is_line)
        code = borrow_port(&device->borrow);
    if (code == EXIT_CODE_OK)
        code = walk(device, models);
    borrow_return(&device->borrow);
    bench_close(&device->bench);
    return code;
}

/* All that can be wrong is told before a line is taken from its polls. */
static int run(struct device *device, const char *socket)
{
    struct sunspec_models *models;
    int code;

    device->read.reg = 0;
    device->read.count = 1;
    if (modbus_read_check(&device->read, device->why, sizeof device->why) != 0) {
        fprintf(stderr, "sluice sunspec: %s\n", device->why);
        return EXIT_CODE_USAGE;
    }
    if (find_models(&models))
        return EXIT_CODE_SYSTEM;
    code = walk_borrowed(device, models, socket);
    sunspec_models_close(models);
    return code;
}

int command_sunspec(int argc, char **argv)
{
    const char *unit = NULL, *line = NULL, *frames = NULL, *socket = gateway_socket_path();
    int64_t number = 1;
    bool echo = false;
    const struct args_flag flags[] = {
        {"line", 'l', "SETTINGS", "of a serial port; \"9600 8E1\" unless given", &line, NULL},
        {"frames", 'f', "KIND",
         "rtu, ascii, tcp: what is spoken; unless given tcp with\na HOST and rtu on a PORT",
         &frames, NULL},
        {"unit", 'a', "N", "the device's unit; 1 unless given", &unit, NULL},
        {"echo", 'e', NULL, "the adapter returns what is sent", NULL, &echo},
        COMMAND_SOCKET_FLAG(&socket),
        {0},
    };
    const struct args_command command = {
        .name = "sluice sunspec",
        .operands = " PORT|HOST[:502]|BUS",
        .operands_min = 1,
        .operands_max = 1,
        .about = "Walks along the SunSpec models of a device and prints the profile that reads\n"
                 "all of them. Save it as NAME.json in /etc/sluice/profiles, and the device is\n"
                 "configured by \"profile\": \"NAME\". A port that the daemon polls is borrowed\n"
                 "from it; a BUS of the running gateway is named by its id.\n",
        .after = "Exit status: 1 the device does not answer or has no SunSpec models; 2 there is\n"
                 "no such bus; 4 it can only be one, and no daemon answers; 5 the port cannot be\n"
                 "used.\n\n"
                 "Example: sluice sunspec 10.0.7.30 -a 1 > /etc/sluice/profiles/roof.json\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command), code;

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (!bench_number(unit, command.name, "unit", 0, 255, &number))
        return EXIT_CODE_USAGE;
    struct device *device = calloc(1, sizeof *device);
    if (!device)
        return EXIT_CODE_SYSTEM;
    code = place_find(&device->place, argv[first], socket, command.name);
    device->read = (struct modbus_read){.table = "holding",
                                        .line = place_line(&device->place, line),
                                        .frames = place_frames(&device->place, frames),
                                        .unit = number,
                                        .echo = echo};
    *(device->place.is_port ? &device->read.port : &device->read.host) = device->place.at;
    if (code == EXIT_CODE_OK)
        code = run(device, socket);
    free(device);
    return code;
}
