#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "wire.h"

enum { RTU = OPTIONS_RTU, TCP = OPTIONS_TCP, LINE = OPTIONS_LINE, ALL = 7 };
enum option_type { TEXT, NUMBER, NUMBER32, NUMBER64, DURATION, FLAG, UNIT };

#define FIELD(name) offsetof(struct options, name)

static const struct option_row {
    const char *name;
    const char *argument;
    unsigned simulators;
    enum option_type type;
    size_t field;
    const char *help;
} rows[] = {
    {"link", "PATH", RTU | LINE, TEXT, FIELD(link), "symbolic link to the line, removed at exit"},
    {"baud", "RATE", RTU | LINE, NUMBER, FIELD(baud), "9600 (sim_line nmea: 4800)"},
    {"format", "8E1", RTU | LINE, TEXT, FIELD(format),
     "data bits, parity, stop bits (sim_line: 8N1)"},
    {"listen", "ADDRESS:PORT", TCP, TEXT, FIELD(listen), "127.0.0.1:0; the port is printed first"},
    {"unit", "SPEC", RTU | TCP, UNIT, 0, "ID[-LAST][:NAME][,key[=value]]..., repeatable"},
    {"registers", "N", RTU | TCP, NUMBER32, FIELD(registers), "for units without regs= (20)"},
    {"name", "NAME", LINE, TEXT, FIELD(name), "the device in the truth file (nmea, scale)"},
    {"every", "TIME", LINE, DURATION, FIELD(every_ns), "between talker bursts and SIR values (1s)"},
    {"point", "NAME", ALL, TEXT, FIELD(point), "the point in the truth file (counter)"},
    {"control", "PATH", ALL, TEXT, FIELD(control), "unix socket for commands"},
    {"truth", "FILE", ALL, TEXT, FIELD(truth), "append each value that really went out"},
    {"late-after", "TIME", ALL, DURATION, FIELD(late_after_ns),
     "the reader's time-out (see README)"},
    {"ready-file", "PATH", ALL, TEXT, FIELD(ready_file), "written when the line can be used"},
    {"seed", "N", ALL, NUMBER64, FIELD(seed), "of noise and bit errors"},
    {"strict", NULL, RTU, FLAG, FIELD(strict),
     "requests that violate the silence are not answered"},
    {"check-baud", NULL, RTU | LINE, FLAG, FIELD(check_baud),
     "requests at another rate are garbage"},
    {"realtime", NULL, ALL, FLAG, FIELD(realtime), "SCHED_FIFO when permitted"},
    {"stay", NULL, ALL, FLAG, FIELD(stay), "outlive the process that started this one"},
};

#define ROWS (sizeof rows / sizeof rows[0])

static const char *program(enum options_simulator simulator)
{
    return simulator == OPTIONS_RTU ? "sim_rtu" : simulator == OPTIONS_TCP ? "sim_tcp" : "sim_line";
}

static void usage(enum options_simulator simulator)
{
    printf("usage: %s [options]%s\n       %s --tell PATH COMMAND...\n\n", program(simulator),
           simulator == OPTIONS_LINE ? " nmea|scale" : "", program(simulator));
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].simulators & (unsigned)simulator)
            printf("  --%-10s %-13s %s\n", rows[i].name, rows[i].argument ? rows[i].argument : "",
                   rows[i].help);
    }
    puts("  --tell     PATH COMMAND  sends commands to a running simulator's control socket");
}

static void refuse(enum options_simulator simulator, const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", program(simulator), what, why);
    exit(2);
}

static int store(struct options *options, const struct option_row *row, const char *value)
{
    void *field = (char *)options + row->field;
    unsigned long long number = 0;
    char *end = NULL;

    if (row->type == NUMBER || row->type == NUMBER32 || row->type == NUMBER64) {
        number = strtoull(value, &end, 0);
        if (end == value || *end || (row->type != NUMBER64 && (number == 0 || number > 10000000)))
            return -1;
    }
    switch (row->type) {
    case TEXT:
        *(const char **)field = value;
        return 0;
    case NUMBER:
        *(int *)field = (int)number;
        return 0;
    case NUMBER32:
        *(uint32_t *)field = (uint32_t)number;
        return 0;
    case NUMBER64:
        *(uint64_t *)field = number;
        return 0;
    case DURATION:
        return wire_parse_duration(value, (int64_t *)field);
    case FLAG:
    case UNIT:
        break;
    }
    *(bool *)field = true;
    return 0;
}

static const struct option_row *find(enum options_simulator simulator, const char *text,
                                     size_t length)
{
    for (size_t i = 0; i < ROWS; i++) {
        if ((rows[i].simulators & (unsigned)simulator) && strlen(rows[i].name) == length &&
            memcmp(rows[i].name, text, length) == 0)
            return &rows[i];
    }
    return NULL;
}

/* Handles argv[at] and returns the index of the last argument used. */
static int parse_one(struct options *options, enum options_simulator simulator, int at,
                     char *argv[])
{
    const char *argument = argv[at];
    const char *value = strchr(argument, '=');
    const struct option_row *row;
    char error[256];

    if (strncmp(argument, "--", 2) != 0) {
        if (simulator != OPTIONS_LINE || options->kind)
            refuse(simulator, argument, "not an option");
        options->kind = argument;
        return at;
    }
    row = find(simulator, argument + 2,
               value ? (size_t)(value - argument - 2) : strlen(argument + 2));
    if (!row || (value && row->type == FLAG))
        refuse(simulator, argument, "no such option, see --help");
    if (value)
        value++;
    else if (row->type != FLAG && !(value = argv[++at]))
        refuse(simulator, argument, "a value is missing");
    if (row->type == UNIT) {
        if (units_add(&options->units, value, error, sizeof error) < 0)
            refuse(simulator, "--unit", error);
    } else if (store(options, row, value) < 0) {
        refuse(simulator, argument, "the value cannot be used");
    }
    return at;
}

void options_parse(struct options *options, enum options_simulator simulator, int argc,
                   char *argv[])
{
    memset(options, 0, sizeof *options);
    options->listen = "127.0.0.1:0";
    options->every_ns = WIRE_S;
    options->seed = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            usage(simulator);
            exit(0);
        }
        if (strcmp(argv[i], "--tell") == 0 && i + 2 < argc)
            exit(control_tell(argv[i + 1], argc - i - 2, argv + i + 2));
        i = parse_one(options, simulator, i, argv);
    }
    if (options->seed == 0)
        options->seed = 1;
    if (simulator != OPTIONS_LINE && options->units.count == 0)
        refuse(simulator, "--unit", "at least one is needed");
    for (size_t i = 0; i < options->units.count; i++) {
        struct unit *unit = &options->units.unit[i];

        if (!unit->registers)
            unit->registers = options->registers ? options->registers : UNIT_REGISTERS_DEFAULT;
    }
}
