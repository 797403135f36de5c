/* Who is on a line: listens, asks every unit, and says what answered. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench.h"
#include "cli/borrow.h"
#include "cli/command.h"
#include "cli/place.h"
#include "cli/scan_args.h"
#include "cli/scan_next.h"
#include "cli/scan_print.h"
#include "core/error.h"
#include "daemon/fitting.h"
#include "modbus/overhear.h"

#define LISTEN_S        3
#define LISTEN_OTHER_NS (NS_PER_S) /* at each other setting, when what came was no frame */

struct scanning {
    struct bench bench;
    struct scan_options options;
    const char *units; /* those of the options, as they were named */
    struct borrow borrow;
    struct fitting *fitting;
    int64_t listen_ns;
    bool json, force;
    bool take; /* a connection of the gateway, too: there may be devices that take one only */
    const char *driver; /* of a bus there */
    struct place place;
    char polled_as[64]; /* the gateway's bus to a host that is asked beside it; "": none */
    struct scan_next next;
    struct port_settings told; /* the setting that progress was last told of */
    int64_t drawn_ns;          /* when it was last drawn */
    bool on_terminal;
};

static void clear_progress(const struct scanning *scanning)
{
    if (scanning->on_terminal)
        fprintf(stderr, "\r\033[K");
}

/* One line that is drawn over on a terminal; elsewhere a line for each setting. */
static void draw(struct scanning *scanning, const struct scan_progress *now)
{
    int64_t moment = clock_mono(&clock_system);
    char line[24], left[32];
    bool news = now->line && memcmp(now->line, &scanning->told, sizeof scanning->told) != 0;

    bench_line(now->line, line);
    scan_print_time(now->left_ns, left);
    if (scanning->on_terminal && (news || moment - scanning->drawn_ns > 100 * NS_PER_MS)) {
        clear_progress(scanning);
        fprintf(stderr, "%s%sunit %u, %zu of %zu asked, %zu found, at most %s left", line,
                *line ? ": " : "", now->unit, now->asked, now->total, now->found, left);
        scanning->drawn_ns = moment;
    } else if (!scanning->on_terminal && news && !scanning->json) {
        fprintf(stderr, "%s: %zu found so far, at most %s left\n", line, now->found, left);
    }
    if (news)
        scanning->told = *now->line;
}

static int on_progress(void *context, const struct scan_progress *now)
{
    struct scanning *scanning = context;

    draw(scanning, now);
    return borrow_keep(&scanning->borrow) ? 0 : ERR_BUSY;
}

static void on_found(void *context, const struct scan_found *found)
{
    struct scanning *scanning = context;
    const char *texts[IDENT_OBJECTS + 2];
    size_t count = 0;

    for (int i = 0; i < IDENT_OBJECTS; i++)
        texts[count++] = found->ident.texts[i];
    texts[count++] = found->sunspec_vendor;
    texts[count++] = found->sunspec_model;
    if (!scanning->fitting && (ident_known(&found->ident) || found->sunspec_vendor[0]))
        scanning->fitting = fitting_open();
    const char *profile = fitting_profile(scanning->fitting, texts, count);
    clear_progress(scanning);
    scan_print_found(found, profile, scanning->json);
    scan_next_take(&scanning->next, found, profile);
    fflush(stdout);
}

static int listen_at(struct scanning *scanning, size_t line, int64_t for_ns, struct listen *listen,
                     enum listen_verdict *verdict, char *why, size_t why_size)
{
    if (scanning->options.bus.port)
        scanning->options.bus.line = scanning->options.lines[line];
    return overhear_line(&scanning->options.bus, &scanning->bench.host, for_ns, listen, verdict,
                         why, why_size);
}

/* Listens at the first setting and, when what comes there is no frame, at the others. Returns an
 * exit code; EXIT_CODE_OK: it may go on. */
static int listen_first(struct scanning *scanning, char *why, size_t why_size)
{
    static struct listen listen; /* with its buffers too large for a stack */
    const struct scan_options *options = &scanning->options;
    enum listen_verdict verdict, other;
    size_t line = 0;
    int error;

    if (scanning->listen_ns == 0 || options->tcp)
        return EXIT_CODE_OK;
    if (!scanning->json)
        fprintf(stderr, "listening for %" PRId64 " s\n", scanning->listen_ns / NS_PER_S);
    error = listen_at(scanning, 0, scanning->listen_ns, &listen, &verdict, why, why_size);
    for (size_t i = 1; !error && verdict >= LISTEN_WRONG_BAUD && i < options->line_count; i++) {
        static struct listen again;

        error = listen_at(scanning, i, LISTEN_OTHER_NS, &again, &other, why, why_size);
        if (!error && (other == LISTEN_MASTER || other == LISTEN_REPLIES)) {
            verdict = other;
            listen = again;
            line = i;
        }
    }
    if (error)
        return error;
    scan_print_heard(&listen, verdict, options->bus.port ? &options->lines[line] : NULL,
                     scanning->json);
    fflush(stdout);
    if ((verdict != LISTEN_MASTER && verdict != LISTEN_REPLIES) || scanning->force)
        return EXIT_CODE_OK;
    fprintf(stderr, "sluice scan: two masters on a line spoil each other's answers: stop the other "
                    "one, or scan all the same with --force\n");
    return EXIT_CODE_FAILED;
}

static int tell_end(struct scanning *scanning, int result, const char *why)
{
    clear_progress(scanning);
    if (result == ERR_CLOSED) {
        fprintf(stderr, "sluice scan: stopped\n");
        return EXIT_CODE_FAILED;
    }
    if (result < 0) {
        if (*why)
            fprintf(stderr, "sluice scan: %s\n", why);
        borrow_hint(&scanning->borrow, result);
        return bench_exit_code(result);
    }
    if (scanning->json)
        scan_print_end(result, scanning->units);
    else if (result == 0)
        printf(scanning->options.tcp
                   ? "nobody answers: check the host, and the units that were asked; a device that "
                     "speaks RTU frames is asked with --frames rtu\n"
                   : "nobody answers: check power, A and B, and the units and settings that were "
                     "asked\n");
    else
        scan_next_print(&scanning->next,
                        scanning->options.bus.port ? scanning->options.bus.port
                                                   : scanning->borrow.port,
                        scanning->driver,
                        scanning->borrow.bus[0]      ? scanning->borrow.bus
                        : scanning->place.bus.bus[0] ? scanning->place.bus.bus
                                                     : scanning->polled_as);
    return result ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

/* Where the gateway is connected to what did not answer, that may be why. */
static void tell_polled(const struct scanning *scanning)
{
    if (scanning->polled_as[0])
        fprintf(stderr,
                "the gateway is connected to this host as bus %s: where the device takes one "
                "connection only, --borrow has it let go of its own meanwhile\n",
                scanning->polled_as);
}

static int run(struct scanning *scanning)
{
    const struct scan_visitor visitor = {on_progress, on_found, scanning};
    const struct scan_options *options = &scanning->options;
    char why[640] = "", most[32];

    /* Others may connect to most devices beside the gateway. */
    bool beside = options->tcp && !scanning->take;

    borrow_units(&scanning->borrow, scanning->next.taken);
    if (beside && !borrow_is_polled(&scanning->borrow, scanning->polled_as))
        scanning->polled_as[0] = '\0';
    int code = beside ? EXIT_CODE_OK : borrow_port(&scanning->borrow);

    if (code == EXIT_CODE_OK) {
        code = listen_first(scanning, why, sizeof why);
        if (code < 0)
            code = tell_end(scanning, code, why);
    }
    if (code == EXIT_CODE_OK) {
        if (!scanning->json)
            fprintf(stderr, "asking %zu unit%s at %zu setting%s: at most %s\n", options->unit_count,
                    options->unit_count == 1 ? "" : "s", options->line_count,
                    options->line_count == 1 ? "" : "s",
                    scan_print_time(scan_most_ns(options), most));
        code = tell_end(scanning, scan(options, &scanning->bench.host, &visitor, why, sizeof why),
                        why);
        if (code != EXIT_CODE_OK)
            tell_polled(scanning);
    }
    borrow_return(&scanning->borrow);
    return code;
}

/* At the setting of a bus's line, unless it is said which are to be tried. */
static int find_place(struct scanning *scanning, const char *operand, const char *socket,
                      struct scan_texts *texts)
{
    struct place *place = &scanning->place;
    int code = place_find(place, operand, socket, "sluice scan");

    if (code != EXIT_CODE_OK || !place->bus.bus[0])
        return code;
    if (!texts->bauds && !texts->formats)
        texts->line = place_line(place, texts->line);
    if (!scanning->json)
        fprintf(stderr, "bus %s is at %s%s%s\n", place->bus.bus, place->at, texts->line ? ", " : "",
                texts->line ? texts->line : "");
    return EXIT_CODE_OK;
}

#define SCAN_ABOUT                                                                                 \
    "Finds the Modbus devices on a serial line (a path, or a name of sluice ports), behind\n"      \
    "a HOST, or on a BUS of the running gateway (its id; at the bus's own line setting\n"          \
    "unless another is given). It listens first, and asks nothing while another master does. "     \
    "Every\n"                                                                                      \
    "answer counts as a device, exceptions too; those that answer are asked who they are\n"        \
    "(function 43/14, SunSpec). On a line it tries the usual settings, the first ten units\n"      \
    "at all of them before the rest, and stops at the first that anybody answers at.\n"            \
    "A port that the daemon polls is borrowed from it: its devices are not read meanwhile,\n"      \
    "and are by themselves when the scan ends, however it ends. So is, with --borrow, a\n"         \
    "connection of its to a HOST that takes no other.\n"

int command_scan(int argc, char **argv)
{
    static struct scanning scanning;
    struct scan_texts texts = {0};
    const char *frames = NULL, *socket = gateway_socket_path();
    bool quick = false;
    enum sniff_protocol protocol;
    const struct args_flag flags[] = {
        {"line", 'l', "SETTINGS", "only these, as \"9600 8E1\"", &texts.line, NULL},
        {"baud", 'b', "LIST", "only these, as 9600,19200", &texts.bauds, NULL},
        {"format", 'p', "LIST", "only these, as 8N1,8E1", &texts.formats, NULL},
        {"units", 'a', "LIST", "only these, as 1-16,100; 1-247 unless given", &texts.units, NULL},
        {"timeout", 'o', "MS", "for an answer; 250 on a port, 600 behind a host", &texts.timeout_ms,
         NULL},
        {"ask", 'k', "REGISTER", "what each unit is asked for; holding:0 unless given", &texts.ask,
         NULL},
        {"frames", 'f', "KIND", "rtu, ascii, tcp; unless given tcp with a HOST, rtu on a port",
         &frames, NULL},
        {"all", 'A', NULL, "go on behind the first setting that somebody answers at", NULL,
         &scanning.options.all},
        {"listen", 'n', "S", "how long to listen first; 3 unless given", &texts.listen_s, NULL},
        {"force", 'F', NULL, "scan although another master asks", NULL, &scanning.force},
        {"borrow", 'B', NULL, "of a HOST: borrow the daemon's connection", NULL, &scanning.take},
        {"quick", 'q', NULL, "do not ask who they are", NULL, &quick},
        {"echo", 'e', NULL, "the adapter returns what is sent", NULL, &scanning.options.bus.echo},
        {"json", 'J', NULL, "a JSON object a line", NULL, &scanning.json},
        COMMAND_SOCKET_FLAG(&socket),
        {0},
    };
    const struct args_command command = {
        .name = "sluice scan",
        .operands = " PORT|HOST[:502]|BUS",
        .operands_min = 1,
        .operands_max = 1,
        .about = SCAN_ABOUT,
        .after =
            "Exit status: 1 nobody answers, or another master asks; 2 there is no such bus; 4 it\n"
            "can only be one, and no daemon answers; 5 the port cannot be used.\n\n"
            "Examples: sluice scan /dev/ttyUSB0\n"
            "          sluice scan /dev/ttyUSB0 --line \"9600 8E1\" --units 1-32 --json\n"
            "          sluice scan 10.0.7.20 --units 1-20\n"
            "          sluice scan rs485-1\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command), code;
    int64_t listen_s = LISTEN_S;

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    code = find_place(&scanning, argv[first], socket, &texts);
    if (code != EXIT_CODE_OK)
        return code;
    const char *target = scanning.place.at;
    if (!bench_target(&scanning.options.bus, &protocol, target,
                      place_frames(&scanning.place, frames), "sluice scan") ||
        !bench_number(texts.listen_s, "sluice scan", "listen", 0, 3600, &listen_s))
        return EXIT_CODE_USAGE;
    scanning.options.tcp = protocol == SNIFF_TCP;
    scanning.driver = protocol == SNIFF_TCP     ? "modbus-tcp"
                      : protocol == SNIFF_ASCII ? "modbus-ascii"
                                                : "modbus-rtu";
    scanning.options.identify = !quick;
    scanning.listen_ns = listen_s * NS_PER_S;
    scanning.on_terminal = isatty(STDERR_FILENO) && !scanning.json;
    scanning.borrow = (struct borrow){.socket = socket, .port = target, .by = "sluice scan"};
    if (!scan_args(&scanning.options, &texts))
        return EXIT_CODE_USAGE;
    scanning.units = texts.units;
    if (bench_open(&scanning.bench) != 0)
        return EXIT_CODE_SYSTEM;
    scanning.bench.borrow = &scanning.borrow;
    code = run(&scanning);
    fitting_close(scanning.fitting);
    bench_close(&scanning.bench);
    return code;
}
