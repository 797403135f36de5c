/* Gives new devices their units and the settings of their line, one after the other. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/assign_profile.h"
#include "cli/bench.h"
#include "cli/borrow.h"
#include "cli/command.h"
#include "cli/place.h"
#include "core/clock.h"
#include "core/error.h"

#define TIMEOUT_NS (400 * NS_PER_MS)
#define PROMPT_MS  1000 /* how often the lease is looked at while a person connects a device */

struct assignment {
    struct bench bench;
    struct assign_profile profile;
    struct assign_job job;
    struct borrow borrow;
    bool json;
};

/* Waits for a line on standard input: 1, 0 when it is "q" or there is none, ERR_CLOSED. */
static int await_enter(struct assignment *assignment, const char *words)
{
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = assignment->bench.stop_fd, .events = POLLIN}};
    char line[64];
    size_t size = 0;

    fprintf(stderr, "%s", words);
    for (;;) {
        int ready = poll(fds, 2, PROMPT_MS);

        if (!borrow_keep(&assignment->borrow) || fds[1].revents || (ready < 0 && errno != EINTR))
            return ERR_CLOSED;
        if (ready <= 0 || !fds[0].revents)
            continue;
        /* Byte by byte: what is behind the line is the next one's. */
        if (read(STDIN_FILENO, &line[size], 1) != 1)
            return 0;
        if (line[size] == '\n')
            return size > 0 && line[0] == 'q' ? 0 : 1;
        size += size < sizeof line - 1;
    }
}

static void tell(const struct assignment *assignment, bool verified)
{
    const struct assign_job *job = &assignment->job;
    char text[24];

    bench_line(&job->line, text);
    if (assignment->json)
        printf("{\"kind\":\"assigned\",\"from\":%u,\"to\":%u,\"line\":\"%s\",\"verified\":%s}\n",
               job->from, job->to, text, verified ? "true" : "false");
    else if (verified)
        printf("unit %u is unit %u now, and answers at %s\n", job->from, job->to, text);
    else
        printf("unit %u was told to be unit %u at %s: it is when it was switched off and on\n",
               job->from, job->to, text);
    fflush(stdout);
}

/* What a person has to do is of interest once it is known that the device is there. */
static void tell_setup(void *context)
{
    const struct assignment *assignment = context;

    if (assignment->profile.setup[0] && !assignment->json)
        fprintf(stderr, "%s\n", assignment->profile.setup);
}

/* One device. `ask`: there is a person who can switch it off and on. Returns an exit code. */
static int assign_device(struct assignment *assignment, bool ask)
{
    char why[640] = "";
    int result = assign(&assignment->job, &assignment->bench.host, why, sizeof why);

    if (result == ASSIGN_RESTART && ask) {
        result = await_enter(assignment, "switch the device off and on, then press Enter\n");
        result = result <= 0
                     ? ERR_CLOSED
                     : assign_verify(&assignment->job, &assignment->bench.host, why, sizeof why);
    }
    if (result == ASSIGN_DONE || result == ASSIGN_RESTART) {
        tell(assignment, result == ASSIGN_DONE);
        return EXIT_CODE_OK;
    }
    if (result == ERR_CLOSED && !*why)
        snprintf(why, sizeof why, "stopped");
    fprintf(stderr, "sluice assign: %s\n", why);
    if (result == ERR_EXCEPTION && assignment->profile.setup[0])
        fprintf(stderr, "This model says: %s\n", assignment->profile.setup);
    return bench_exit_code(result);
}

static int assign_row(struct assignment *assignment, int64_t start, int64_t number)
{
    int code = EXIT_CODE_OK;

    for (int64_t i = 0; i < number; i++) {
        char words[160];
        int result;

        snprintf(words, sizeof words,
                 "connect the device that is to be unit %" PRId64 " (%" PRId64 " of %" PRId64
                 "), then press Enter; q ends\n",
                 start + i, i + 1, number);
        result = await_enter(assignment, words);
        if (result <= 0)
            return result == 0 ? code : EXIT_CODE_FAILED;
        assignment->job.to = (uint8_t)(start + i);
        code = assign_device(assignment, true);
        if (code == EXIT_CODE_SYSTEM)
            return code;
        if (code != EXIT_CODE_OK)
            i--; /* the same again: a person can see to it */
    }
    return code;
}

static int run(struct assignment *assignment, int64_t to, int64_t start, int64_t number)
{
    int code = borrow_port(&assignment->borrow);

    if (code == EXIT_CODE_OK && !assignment->profile.sure)
        fprintf(stderr, "nobody has compared these registers with a device of this model: %s\n",
                assignment->profile.source);
    if (code == EXIT_CODE_OK && to) {
        assignment->job.to = (uint8_t)to;
        code = assign_device(assignment, isatty(STDIN_FILENO));
    } else if (code == EXIT_CODE_OK) {
        code = assign_row(assignment, start, number);
    }
    borrow_return(&assignment->borrow);
    return code;
}

static int wrong(const char *sentence)
{
    fprintf(stderr, "sluice assign: %s\n", sentence);
    return EXIT_CODE_USAGE;
}

/* The settings that it is to have, and their codes. */
static int prepare_line(struct assignment *assignment, const char *format, int64_t baud)
{
    const struct assign_profile *profile = &assignment->profile;
    const struct assign_format *codes;
    struct assign_job *job = &assignment->job;
    char text[64], why[256];

    job->line = job->bus.line;
    if (baud)
        job->line.baud = (int32_t)baud;
    if (baud && !assign_profile_code(profile, job->line.baud, &job->baud_code))
        return wrong(profile->baud_count
                         ? "the profile has no such baud: see \"assign\" in it"
                         : "the profile does not say by which register the baud is set");
    if (!format)
        return EXIT_CODE_OK;
    snprintf(text, sizeof text, "%" PRId32 " %.16s", job->line.baud, format);
    if (port_parse_settings(text, &job->line, why, sizeof why) != 0)
        return wrong("--format is data bits, parity and stop bits, as 8N1 or 8E1");
    codes = assign_profile_format(profile, &job->line);
    if (!codes)
        return wrong(profile->format_count
                         ? "the profile has no such format: see \"assign\" in it"
                         : "the profile does not say by which register parity and stop bits are "
                           "set");
    job->format_code = codes->code;
    job->stop_code = codes->stop_code;
    return EXIT_CODE_OK;
}

/* The job, from the profile and what the command line says otherwise. */
static int prepare(struct assignment *assignment, const char *line, int64_t unit)
{
    struct assign_job *job = &assignment->job;
    char why[256], sentence[400];

    job->map = assignment->profile.map;
    job->found = tell_setup;
    job->context = assignment;
    job->bus.line = assignment->profile.line;
    job->timeout_ns = TIMEOUT_NS;
    job->bus.timeout_ns = TIMEOUT_NS;
    if (line && port_parse_settings(line, &job->bus.line, why, sizeof why) != 0) {
        snprintf(sentence, sizeof sentence, "--line: %s", why);
        return wrong(sentence);
    }
    if (job->bus.line.baud == 0)
        return wrong("the profile does not say what a new device's line is set to: say it with "
                     "--line");
    if (unit == 0)
        return wrong("the profile does not say which unit a new device has: say it with --unit");
    job->from = (uint8_t)unit;
    /* Slow lines take longer for the same bytes. */
    job->timeout_ns += 64 * port_byte_ns(&job->bus.line);
    return EXIT_CODE_OK;
}

/* What has no folder is taken for a bus or a host. */
static int tell_no_port(const char *operand)
{
    fprintf(stderr,
            "sluice assign: units are given on a serial port, and %s is none: name it with its "
            "folder, as /dev/ttyUSB0%s%s, or by the id of a bus with a port\n",
            operand, strchr(operand, ':') ? "" : " or ./", strchr(operand, ':') ? "" : operand);
    return EXIT_CODE_USAGE;
}

struct assign_texts {
    const char *to, *start, *count, *unit, *baud, *format, *line, *profile, *operand;
};

static int set_up(struct assignment *assignment, const struct assign_texts *texts)
{
    static const char name[] = "sluice assign";
    int64_t to = 0, start = 0, number = 1, unit = 0, baud = 0;
    enum sniff_protocol protocol;
    int code;

    if (!bench_number(texts->to, name, "to", 1, 247, &to) ||
        !bench_number(texts->start, name, "start", 1, 247, &start) ||
        !bench_number(texts->count, name, "count", 1, 247, &number) ||
        !bench_number(texts->unit, name, "unit", 1, 247, &unit) ||
        !bench_number(texts->baud, name, "baud", 300, 921600, &baud) ||
        !bench_target(&assignment->job.bus, &protocol, texts->operand, "rtu", name))
        return EXIT_CODE_USAGE;
    if (!texts->profile)
        return wrong("--profile is needed: sluice profile list shows them");
    if ((to != 0) == (start != 0))
        return wrong("either --to N, or --start N with --count, is needed");
    if (texts->count && !start)
        return wrong("--count goes with --start: --to is for one device");
    if (start + number - 1 > 247)
        return wrong("units end at 247");
    if (!assignment->job.bus.port)
        return tell_no_port(texts->operand);
    code = assign_profile_read(&assignment->profile, texts->profile);
    if (code != EXIT_CODE_OK)
        return code;
    code = prepare(assignment, texts->line, unit ? unit : assignment->profile.unit);
    if (code == EXIT_CODE_OK)
        code = prepare_line(assignment, texts->format, baud);
    if (code != EXIT_CODE_OK)
        return code;
    if (bench_open(&assignment->bench) != 0)
        return EXIT_CODE_SYSTEM;
    assignment->bench.borrow = &assignment->borrow;
    code = run(assignment, to, start, number);
    bench_close(&assignment->bench);
    return code;
}

#define ASSIGN_ABOUT                                                                               \
    "Gives a device its unit, its baud with --baud and its parity and stop bits with\n"            \
    "--format, by the registers that its profile names, and makes sure that it answers\n"          \
    "there. Nothing is written while two devices answer at the old unit, or where somebody\n"      \
    "answers at the new one already. With --start new devices get theirs one after the\n"          \
    "other, each connected alone.\n"                                                               \
    "A port that the daemon polls is borrowed from it, as by sluice scan. A BUS of the\n"          \
    "running gateway is named by its id.\n"

int command_assign(int argc, char **argv)
{
    static struct assignment assignment;
    static struct place place;
    struct assign_texts texts = {0};
    const char *socket = gateway_socket_path();
    const struct args_flag flags[] = {
        {"profile", 'P', "NAME", "the device's profile, or the file of one (./NAME.json)",
         &texts.profile, NULL},
        {"to", 't', "N", "the unit that it is to have", &texts.to, NULL},
        {"start", 'S', "N", "for several: the unit of the first one", &texts.start, NULL},
        {"count", 'c', "N", "for several: how many; 1 unless given", &texts.count, NULL},
        {"baud", 'b', "BAUD", "the baud that it is to have; as it is unless given", &texts.baud,
         NULL},
        {"format", 'p', "FORMAT", "the data bits, parity and stop bits that it is to have, as 8E1",
         &texts.format, NULL},
        {"unit", 'a', "N", "the unit that it has; as new unless given", &texts.unit, NULL},
        {"line", 'l', "SETTINGS", "the line that it has; as new unless given", &texts.line, NULL},
        {"force", 'F', NULL, "although the register does not hold the unit that it has", NULL,
         &assignment.job.force},
        {"echo", 'e', NULL, "the adapter returns what is sent", NULL, &assignment.job.bus.echo},
        {"json", 'J', NULL, "a JSON object a device", NULL, &assignment.json},
        COMMAND_SOCKET_FLAG(&socket),
        {0},
    };
    const struct args_command command = {
        .name = "sluice assign",
        .operands = " PORT|BUS",
        .operands_min = 1,
        .operands_max = 1,
        .about = ASSIGN_ABOUT,
        .after =
            "Exit status: 1 the device does not answer or refuses, a unit is taken, or the "
            "profile\n"
            "does not say how it is set; 2 there is no such bus or profile; 4 it can only be a\n"
            "bus, and no daemon answers; 5 the port or a file cannot be used.\n\n"
            "Examples: sluice assign /dev/ttyUSB0 --profile eastron-sdm120 --to 7 --baud 9600 "
            "--format 8E1\n"
            "          sluice assign /dev/ttyUSB0 --profile eastron-sdm120 --start 10 --count 5\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    int code = place_find(&place, argv[first], socket, command.name);
    if (code != EXIT_CODE_OK)
        return code;
    texts.operand = place.at;
    assignment.borrow = (struct borrow){.socket = socket, .port = place.at, .by = command.name};
    return set_up(&assignment, &texts);
}
