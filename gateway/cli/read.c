#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/borrow.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/place.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "core/text.h"
#include "modbus/check.h"
#include "modbus/read.h"

/* The widest value that is printed: a string of 125 registers, every byte escaped. */
#define LINE_SIZE      (6 * 500 + 64)
#define LENGTH_MAX     125 /* registers of a string: as many as are read at once */
#define TIMEOUT_MS_MAX 600000

static void print_value(void *context, int64_t reg, const struct value *value, uint16_t status)
{
    const bool *json = context;
    char line[LINE_SIZE];
    struct text text;

    text_init(&text, line, sizeof line);
    if (*json)
        text_printf(&text, "{\"reg\":%" PRId64 ",\"v\":", reg);
    else
        text_printf(&text, "[%" PRId64 "]\t", reg);
    if (*json || value->type != VALUE_NONE)
        text_json_value(&text, value);
    if (*json)
        text_printf(&text, ",\"q\":\"%s\"%s%s%s}", event_quality(status),
                    status ? ",\"why\":\"" : "", status ? status_why(status) : "",
                    status ? "\"" : "");
    else if (status)
        text_string(&text, status_why(status));
    printf("%.*s\n", (int)text.size, text.data);
}

struct read_numbers {
    const char *unit, *reg, *count, *length, *timeout_ms;
};

static int parse_numbers(const struct read_numbers *texts, struct modbus_read *read)
{
    static const char name[] = "sluice read";
    int64_t timeout_ms = 1000;

    if (!bench_number(texts->unit, name, "unit", 0, 255, &read->unit) ||
        !bench_number(texts->reg, name, "reg", 0, 465536, &read->reg) ||
        !bench_number(texts->count, name, "count", 1, MODBUS_READ_MAX, &read->count) ||
        !bench_number(texts->length, name, "length", 1, LENGTH_MAX, &read->length) ||
        !bench_number(texts->timeout_ms, name, "timeout", 1, TIMEOUT_MS_MAX, &timeout_ms))
        return EXIT_CODE_USAGE;
    read->timeout_ns = timeout_ms * NS_PER_MS;
    return EXIT_CODE_OK;
}

/* Two ways to count, which differ by one and more: told apart before anything is asked. */
static int check_numbering(const struct modbus_read *read)
{
    uint16_t address;
    uint8_t function;

    if (read->table)
        return EXIT_CODE_OK;
    if (modbus_resolve_40001(read->reg, &function, &address) != 0) {
        fprintf(stderr,
                "sluice read: --reg %" PRId64 " is no number of a manual, which --reg takes: "
                "40001 is the first holding register, 30001 the first input register, 10001 the "
                "first discrete input, 1 the first coil. Where registers are counted from 0 "
                "(\"address\", often 0x...), say --table: --table holding --reg 0 is --reg 40001\n",
                read->reg);
        return EXIT_CODE_USAGE;
    }
    if (function == MODBUS_COILS && !read->type) {
        fprintf(stderr,
                "sluice read: --reg %" PRId64 " is a coil in the numbers of manuals: holding "
                "register %" PRId64 " is --reg %" PRId64 ", input register %" PRId64
                " is --reg %" PRId64 ". Where registers are counted from 0, say --table holding or "
                "input with it; where the coil is meant, --type bool\n",
                read->reg, read->reg, 40000 + read->reg, read->reg, 30000 + read->reg);
        return EXIT_CODE_USAGE;
    }
    return EXIT_CODE_OK;
}

/* Behind a device's no: a manual's number in place of an address. */
static void hint_numbering(const struct modbus_read *read, int error)
{
    uint16_t address;
    uint8_t function;

    if (error == ERR_EXCEPTION && read->table && read->reg > 9999 &&
        modbus_resolve_40001(read->reg, &function, &address) == 0)
        fprintf(stderr,
                "With --table, --reg counts from 0: where %" PRId64 " is a manual's number, leave "
                "--table out, or say --reg %u\n",
                read->reg, (unsigned)address);
}

/* Whether it is reached over a line, which only one can have at a time. */
static bool is_line(const struct modbus_read *read)
{
    return read->port || (read->frames && strcmp(read->frames, "tcp") != 0);
}

static int read_once(const struct modbus_read *read, bool *json, const struct borrow *borrow)
{
    char why[512] = "";
    int error = modbus_read_once(read, print_value, json, why, sizeof why);

    if (error)
        fprintf(stderr, "sluice read: %s\n", *why ? why : error_text(error));
    hint_numbering(read, error);
    borrow_hint(borrow, error);
    return error == ERR_INVALID ? EXIT_CODE_USAGE : bench_exit_code(error);
}

/* What the command line asks for. */
struct reading {
    struct modbus_read read;
    struct read_numbers texts;
    struct explain_texts explained;
    struct explain_wish wish;
    struct borrow borrow;
    struct place place;
    bool json, explain, all;
};

/* The operand's index, or what args_parse returns. */
static int parse(int argc, char **argv, struct reading *asked)
{
    const struct args_flag flags[] = {
        {"line", 'l', "SETTINGS", "of a serial port; \"9600 8E1\" unless given", &asked->read.line,
         NULL},
        {"frames", 'f', "KIND",
         "rtu, ascii, tcp: what is spoken; unless given tcp with\na HOST and rtu on a PORT",
         &asked->read.frames, NULL},
        {"unit", 'a', "N", "the device's unit; 1 unless given", &asked->texts.unit, NULL},
        {"reg", 'r', "N",
         "the first register, numbered as in manuals (40101: the\n"
         "101st holding register), or from 0 with --table",
         &asked->texts.reg, NULL},
        {"table", 'T', "TABLE", "holding, input, coil, discrete: --reg counts from 0",
         &asked->read.table, NULL},
        {"count", 'c', "N", "how many values; 1 unless given", &asked->texts.count, NULL},
        {"type", 't', "TYPE",
         "bool, u8, i8, u16, i16, u32, i32, u64, i64, f32, f64,\nstring, wide-string; u16 unless "
         "given",
         &asked->read.type, NULL},
        {"order", 'B', "ORDER", "ABCD, CDAB, BADC, DCBA, ABCDEFGH, ...", &asked->read.order, NULL},
        {"length", 'L', "N", "of a string, in registers", &asked->texts.length, NULL},
        {"timeout", 'o', "MS", "for connecting and for each reply; 1000 unless given",
         &asked->texts.timeout_ms, NULL},
        {"echo", 'e', NULL, "the adapter returns what is sent", NULL, &asked->read.echo},
        {"json", 'J', NULL, "a JSON object a line", NULL, &asked->json},
        COMMAND_SOCKET_FLAG(&asked->borrow.socket),
        {"explain", 'x', NULL, "each register in every type and order, read several times", NULL,
         &asked->explain},
        {"expect", 'E', "VALUE",
         "explain: which of the registers are that value, as the\n"
         "device's display shows it",
         &asked->explained.expect, NULL},
        {"within", 'w', "RANGE", "explain: how near, as 2% or 0.5; 1% unless given",
         &asked->explained.within, NULL},
        {"samples", 'n', "N", "explain: how many reads, at most 16; 3 unless given",
         &asked->explained.samples, NULL},
        {"interval", 'i', "MS", "explain: between two reads; 1000 unless given",
         &asked->explained.interval_ms, NULL},
        {"all", 'A', NULL, "explain: also what says nothing new", NULL, &asked->all},
        {"pick", 'p', "N", "explain: print the point for that number", &asked->explained.pick,
         NULL},
        {"id", 'I', "ID", "explain: the id of the point that is picked", &asked->explained.id,
         NULL},
        {"scale", 'S', "FACTOR", "explain: the scale of the point that is picked",
         &asked->explained.scale, NULL},
        {"profile", 'P', "FILE",
         "explain: append the point to that profile of yours,\n"
         "NAME.json; made where it is not there",
         &asked->explained.profile, NULL},
        {0},
    };
    const struct args_command command = {
        .name = "sluice read",
        .operands = " PORT|HOST[:502]|BUS",
        .operands_min = 1,
        .operands_max = 1,
        .about =
            "Reads Modbus registers once: over a serial port when the operand is a path, else\n"
            "over TCP; --frames rtu is for a device server. No configuration and no daemon are\n"
            "needed; a port that the daemon polls is borrowed from it, and goes back by itself.\n"
            "A BUS of the running gateway is named by its id.\n",
        .after =
            "Exit status: 1 the device says no or does not answer; 2 there is no such bus; 4 it\n"
            "can only be one, and no daemon answers; 5 the port cannot be used.\n\n"
            "Examples: sluice read /dev/ttyUSB0 -a 7 -r 40001 -c 4 -t f32 -B CDAB\n"
            "          sluice read 10.0.7.20 -a 1 -T input -r 0 -c 10\n"
            "          sluice read 10.0.7.20 -r 40001 -c 200 --expect 230.1 --within 2%\n"
            "          sluice read 10.0.7.20 -r 40001 -c 200 --pick 55 --id voltage_l1_n\n",
        .flags = flags,
    };
    return args_parse(argc, argv, &command);
}

static int find_place(struct reading *asked, const char *operand)
{
    struct place *place = &asked->place;
    int code = place_find(place, operand, asked->borrow.socket, "sluice read");

    *(place->is_port ? &asked->read.port : &asked->read.host) = place->at;
    asked->read.frames = place_frames(place, asked->read.frames);
    asked->read.line = place_line(place, asked->read.line);
    asked->borrow.port = place->at;
    return code;
}

static bool is_explained(const struct reading *asked)
{
    return asked->explain || asked->explained.expect || asked->explained.pick;
}

/* All that can be wrong is told before a line is taken from its polls. */
static int check_asked(struct reading *asked)
{
    const struct explain_texts *texts = &asked->explained;
    char why[512] = "";
    int code = check_numbering(&asked->read);

    if (code != EXIT_CODE_OK)
        return code;
    if (modbus_read_check(&asked->read, why, sizeof why) != 0) {
        fprintf(stderr, "sluice read: %s\n", why);
        return EXIT_CODE_USAGE;
    }
    asked->wish.all = asked->all;
    asked->wish.json = asked->json;
    if (is_explained(asked) && (asked->read.type || asked->read.order || asked->texts.length)) {
        fprintf(stderr, "sluice read: --type, --order and --length do not go with --explain, "
                        "--expect and --pick, which show every type and order: leave them out\n");
        return EXIT_CODE_USAGE;
    }
    if (is_explained(asked))
        return explain_parse(&asked->wish, texts, &asked->read);
    if (!texts->within && !texts->samples && !texts->interval_ms && !texts->id && !texts->scale &&
        !texts->profile && !asked->all)
        return EXIT_CODE_OK;
    fprintf(stderr, "sluice read: --within, --samples, --interval, --all, --id, --scale and "
                    "--profile go with --explain, --expect or --pick\n");
    return EXIT_CODE_USAGE;
}

int command_read(int argc, char **argv)
{
    struct reading asked = {.read = {.unit = 1, .count = 1},
                            .borrow = {.socket = gateway_socket_path(), .by = "sluice read"}};
    struct bench bench;
    int first = parse(argc, argv, &asked);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (!asked.texts.reg) {
        fprintf(stderr, "sluice read: --reg is needed. Try sluice read --help.\n");
        return EXIT_CODE_USAGE;
    }
    if (parse_numbers(&asked.texts, &asked.read))
        return EXIT_CODE_USAGE;
    int code = find_place(&asked, argv[first]);
    if (code != EXIT_CODE_OK)
        return code;
    code = check_asked(&asked);
    if (code != EXIT_CODE_OK)
        return code;
    /* Ctrl-C is waited for, so that a line that is borrowed goes back at once. */
    if (bench_open(&bench) != 0)
        return EXIT_CODE_SYSTEM;
    bench.borrow = &asked.borrow;
    asked.read.waits = &bench.host;
    code = is_line(&asked.read) ? borrow_port(&asked.borrow) : EXIT_CODE_OK;
    if (code == EXIT_CODE_OK)
        code = is_explained(&asked) ? explain_run(&asked.read, &asked.wish, &asked.borrow)
                                    : read_once(&asked.read, &asked.json, &asked.borrow);
    borrow_return(&asked.borrow);
    bench_close(&bench);
    return code;
}
