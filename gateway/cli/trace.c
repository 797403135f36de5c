/* What goes over a Modbus line or connection, frame by frame: of a bus that the daemon polls by its
 * API, of a port that nobody has open by listening. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/bench.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/place.h"
#include "cli/scan_args.h"
#include "cli/trace_feed.h"
#include "core/clock.h"
#include "core/error.h"
#include "modbus/describe.h"
#include "modbus/overhear.h"

#define LISTEN_NS (2 * NS_PER_S) /* at each setting, where none is given */

struct tracing {
    struct bench bench;
    struct modbus_bus_options bus;
    struct sniff sniff;
    struct trace_feed feed;
    const char *operand, *socket;
    bool json, hex;
    bool heard;       /* anything */
    int64_t until_ns; /* monotonic */
    int64_t wall_ns;  /* what the wall clock is ahead of the monotonic one */
};

static void put_time(struct text *text, int64_t wall_ns)
{
    time_t s = (time_t)(wall_ns / NS_PER_S);
    struct tm parts;

    localtime_r(&s, &parts);
    text_printf(text, "%02d:%02d:%02d.%03d", parts.tm_hour, parts.tm_min, parts.tm_sec,
                (int)(wall_ns / NS_PER_MS % 1000));
}

static void print_words(const struct tracing *tracing, const struct sniff_frame *frame,
                        struct text *text)
{
    put_time(text, frame->begin_ns + tracing->wall_ns);
    if (frame->gap_ns >= 0)
        text_printf(text, " %+7" PRId64 ".%" PRId64 " ms  ", frame->gap_ns / NS_PER_MS,
                    frame->gap_ns / (NS_PER_MS / 10) % 10);
    else
        text_string(text, "               ");
    describe_words(text, frame);
    if (!tracing->hex)
        return;
    text_string(text, "\n             ");
    describe_bytes(text, frame->bytes, frame->size, true);
}

static void print_json(const struct tracing *tracing, const struct sniff_frame *frame,
                       struct text *text)
{
    text_printf(text, "{\"t\":%" PRId64 ",\"mono_us\":%" PRId64 ",",
                (frame->begin_ns + tracing->wall_ns) / NS_PER_MS, frame->begin_ns / NS_PER_US);
    if (frame->kind != SNIFF_CUT) /* of which nobody knows */
        text_printf(text, "\"sound\":%s,", frame->kind == SNIFF_GARBAGE ? "false" : "true");
    describe_json(text, frame);
    if (tracing->hex || frame->kind >= SNIFF_GARBAGE) {
        text_string(text, ",\"hex\":\"");
        describe_bytes(text, frame->bytes, frame->size, false);
        text_string(text, "\"");
    }
    text_string(text, "}");
}

static void take_frame(void *context, const struct sniff_frame *frame)
{
    struct tracing *tracing = context;
    char line[DESCRIBE_SIZE_MAX];
    struct text text;

    tracing->heard = true;
    text_init(&text, line, sizeof line);
    if (tracing->json)
        print_json(tracing, frame, &text);
    else
        print_words(tracing, frame, &text);
    printf("%s\n", line);
    fflush(stdout);
}

/* What befell the port, and what was lost on the way here. */
static void take_note(void *context, const struct trace_record *record)
{
    struct tracing *tracing = context;

    tracing->wall_ns = record->wall_ns - record->mono_ns;
    if (record->lost && tracing->json)
        printf("{\"lost\":%" PRIu64 "}\n", record->lost);
    else if (record->lost)
        printf("... %" PRIu64 " pieces were not kept: too much came\n", record->lost);
    if (record->way >= TRACE_OPENED && tracing->json)
        printf("{\"t\":%" PRId64 ",\"way\":\"%s\"}\n", record->wall_ns / NS_PER_MS,
               record->way == TRACE_OPENED ? "opened" : "closed");
    else if (record->way >= TRACE_OPENED)
        printf("-- the port or connection was %s\n",
               record->way == TRACE_OPENED ? "opened" : "closed");
}

/* The end of a trace of which nothing is to be complained but, perhaps, that there was nothing. */
static int tell_silence(const struct tracing *tracing, const char *where, const char *advice)
{
    if (tracing->heard)
        return EXIT_CODE_OK;
    fprintf(stderr, "sluice trace: nothing was heard %s: %s\n", where, advice);
    return EXIT_CODE_FAILED;
}

/* A fopencookie write function: the daemon's lines as they come. */
static ssize_t take_lines(void *cookie, const char *bytes, size_t size)
{
    struct tracing *tracing = cookie;

    if (!trace_feed(&tracing->feed, bytes, size) || clock_mono(&clock_system) >= tracing->until_ns)
        return 0; /* that ends the copying */
    return (ssize_t)size;
}

static int trace_daemon(struct tracing *tracing)
{
    cookie_io_functions_t functions = {.write = take_lines};
    char path[CLIENT_PATH_SIZE_MAX];
    FILE *out = fopencookie(tracing, "w", functions);
    int code;

    if (!out)
        return EXIT_CODE_SYSTEM;
    setvbuf(out, NULL, _IONBF, 0);
    strcpy(path, "/api/v1/trace");
    client_add_query(path, "bus", tracing->operand);
    code = client_get_until(tracing->socket, path, out, tracing->until_ns);
    fclose(out);
    if (tracing->feed.begun)
        sniff_end(&tracing->sniff, clock_mono(&clock_system));
    if (clock_mono(&clock_system) < tracing->until_ns)
        return code;
    return tell_silence(tracing, "of that bus",
                        "it is not reached, or its devices are asked more seldom than that; see "
                        "sluice status, or trace for longer");
}

static bool take_bytes(void *context, int64_t mono_ns, const uint8_t *bytes, size_t size)
{
    struct tracing *tracing = context;

    tracing->wall_ns = clock_wall(&clock_system) - clock_mono(&clock_system);
    if (size)
        sniff_feed(&tracing->sniff, SNIFF_HEARD, mono_ns, bytes, size);
    else
        sniff_flush(&tracing->sniff);
    return true;
}

/* The first usual setting at which frames are heard. */
static int find_line(struct tracing *tracing, char *why, size_t why_size)
{
    static struct port_settings lines[SCAN_LINES_MAX];
    static struct listen listen;
    const size_t count = scan_usual_lines(tracing->bus.ascii, lines);
    enum listen_verdict verdict = LISTEN_SILENCE;
    char first[24], last[24];
    size_t at = 0;

    fprintf(stderr, "looking for the line's setting; say it with --line to begin at once\n");
    for (; at < count && (at == 0 || clock_mono(&clock_system) < tracing->until_ns); at++) {
        tracing->bus.line = lines[at];
        int error = overhear_line(&tracing->bus, &tracing->bench.host, LISTEN_NS, &listen, &verdict,
                                  why, why_size);
        if (error)
            return error;
        if (verdict == LISTEN_MASTER || verdict == LISTEN_REPLIES) {
            fprintf(stderr, "frames are heard at %s\n", bench_line(&tracing->bus.line, last));
            return 0;
        }
    }
    bench_line(&lines[0], first);
    bench_line(&tracing->bus.line, last);
    if (at < count)
        snprintf(why, why_size,
                 "no frames are heard at %zu of %zu usual settings, %s to %s; each takes %lld s: "
                 "trace for longer, or say --line",
                 at, count, first, last, (long long)(LISTEN_NS / NS_PER_S));
    else
        snprintf(why, why_size,
                 "no frames are heard at any of %zu usual settings, %s to %s: at the last %s",
                 count, first, last, listen_sentence(verdict));
    return ERR_TIMEOUT;
}

static int trace_line(struct tracing *tracing, enum sniff_protocol protocol, bool line_given)
{
    char why[640] = "";
    int error = line_given || !tracing->bus.port ? 0 : find_line(tracing, why, sizeof why);

    if (!error) {
        int64_t byte_ns = tracing->bus.port ? port_byte_ns(&tracing->bus.line) : 0;

        sniff_init(&tracing->sniff, protocol, byte_ns, take_frame, tracing);
        error = overhear(&tracing->bus, &tracing->bench.host, sniff_patience_ns(&tracing->sniff),
                         tracing->until_ns, take_bytes, tracing, why, sizeof why);
        sniff_end(&tracing->sniff, clock_mono(&clock_system));
    }
    if (error == 0 || error == ERR_CLOSED) {
        char line[24], where[32] = "there";

        if (tracing->bus.port)
            snprintf(where, sizeof where, "at %s", bench_line(&tracing->bus.line, line));
        return tell_silence(tracing, where,
                            "nobody asks there, or A and B do not reach this port; without --line "
                            "the usual settings are tried");
    }
    fprintf(stderr, "sluice trace: %s\n", why);
    return error == ERR_TIMEOUT ? EXIT_CODE_FAILED : EXIT_CODE_SYSTEM;
}

/* Whether a daemon has a bus of that name or port: a lease for no time changes nothing. */
static bool daemon_has(const struct tracing *tracing)
{
    char path[CLIENT_PATH_SIZE_MAX], answer[512] = "", sentence[512] = "";
    int code;

    strcpy(path, "/api/v1/lease");
    client_add_query(path, "bus", tracing->operand);
    client_add_query(path, "port", tracing->operand);
    client_add_query(path, "for_ms", "0");
    code = client_try_post(tracing->socket, path, answer, sizeof answer, sentence, sizeof sentence);
    return code == EXIT_CODE_OK || code == EXIT_CODE_USAGE;
}

static int run(struct tracing *tracing, const char *line, const char *frames)
{
    enum sniff_protocol protocol;
    struct place place;
    char why[256];
    int code;

    /* Also where the gateway has the bus, and knows both. */
    if (line && port_parse_settings(line, &tracing->bus.line, why, sizeof why) != 0) {
        fprintf(stderr, "sluice trace: --line: %s\n", why);
        return EXIT_CODE_USAGE;
    }
    if (frames && strcmp(frames, "rtu") != 0 && strcmp(frames, "ascii") != 0) {
        fprintf(stderr, "sluice trace: --frames takes rtu or ascii, not \"%s\"\n", frames);
        return EXIT_CODE_USAGE;
    }
    if (daemon_has(tracing)) {
        trace_feed_init(&tracing->feed, &tracing->sniff, take_frame, take_note, tracing);
        return trace_daemon(tracing);
    }
    code = place_find(&place, tracing->operand, tracing->socket, "sluice trace");
    if (code != EXIT_CODE_OK)
        return code;
    if (!bench_target(&tracing->bus, &protocol, tracing->operand, frames, "sluice trace"))
        return EXIT_CODE_USAGE;
    if (protocol == SNIFF_TCP) {
        fprintf(stderr,
                "sluice trace: no gateway at %s has a bus at %s, and of Modbus TCP only the "
                "gateway's own can be heard\n",
                tracing->socket, tracing->operand);
        return EXIT_CODE_FAILED;
    }
    tracing->bus.connect_timeout_ns = 3 * NS_PER_S;
    if (bench_open(&tracing->bench) != 0)
        return EXIT_CODE_SYSTEM;
    code = trace_line(tracing, protocol, line != NULL);
    bench_close(&tracing->bench);
    return code;
}

int command_trace(int argc, char **argv)
{
    static struct tracing tracing;
    static char path[PATH_MAX];
    const char *line = NULL, *frames = NULL, *for_s = NULL;
    const struct args_flag flags[] = {
        {"line", 'l', "SETTINGS", "of a port that nobody has open; found unless given", &line,
         NULL},
        {"frames", 'f', "KIND", "rtu or ascii, of such a port; rtu unless given", &frames, NULL},
        {"for", 't', "S", "end after so many seconds", &for_s, NULL},
        {"hex", 'x', NULL, "the bytes, too", NULL, &tracing.hex},
        {"json", 'J', NULL, "a JSON object a line", NULL, &tracing.json},
        COMMAND_SOCKET_FLAG(&tracing.socket),
        {0},
    };
    const struct args_command command = {
        .name = "sluice trace",
        .operands = " PORT|BUS",
        .operands_min = 1,
        .operands_max = 1,
        .about =
            "Shows what goes over a Modbus line: each frame with its time, the silence before\n"
            "it, what it asks or answers, and how long the answer took; what is no sound frame\n"
            "is shown as bytes. A bus that the daemon polls goes on being polled; a port that\n"
            "nobody has open is listened to, and nothing is sent.\n",
        .after =
            "Exit status: 1 nothing is heard, or no frames at any setting, or nobody can listen\n"
            "there; 2 there is no such bus; 4 it can only be one, and no daemon answers; 5 the\n"
            "port cannot be used.\n\n"
            "Examples: sluice trace rs485-1\n"
            "          sluice trace /dev/ttyUSB0 --line \"9600 8E1\" --hex --for 60\n",
        .flags = flags,
    };
    int first;
    int64_t seconds = 0;

    tracing.socket = gateway_socket_path();
    first = args_parse(argc, argv, &command);
    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (!bench_number(for_s, "sluice trace", "for", 1, 1000000, &seconds))
        return EXIT_CODE_USAGE;
    tracing.until_ns = seconds ? clock_mono(&clock_system) + seconds * NS_PER_S : INT64_MAX;
    tracing.operand = place_absolute(argv[first], path);
    return run(&tracing, line, frames);
}
