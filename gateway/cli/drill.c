/* An outage drill: cuts an uplink off for some minutes while an independent subscriber listens, and
 * counts what was missing, what came twice, and how long the backlog took. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/balance.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/end_signals.h"
#include "cli/find_config.h"
#include "cli/find_uplink.h"
#include "cli/told.h"
#include "config/config.h"
#include "core/clock.h"
#include "core/error.h"
#include "uplink/client.h"

#define HOLD_MS      60000 /* of the cut, and of the claim that nobody else drills meanwhile */
#define RENEW_NS     (20 * NS_PER_S)
#define TELL_NS      (2 * NS_PER_S)
#define CONNECT_NS   (15 * NS_PER_S)
#define DRAIN_MAX_NS (INT64_C(3600) * NS_PER_S)
#define HEAR_NS      (5 * NS_PER_S)
#define MINUTES_MAX  240
#define END_SIZE     320
#define QUIET_NS     (3 * NS_PER_S) /* for what is on its way when all is acknowledged */

static const char MAY_NOT_READ[] =
    "the broker does not let this gateway's user read its own topics, so nothing can be counted: "
    "allow it, or listen with sluice audit as another user";

static const char ENDED[] = "ended before its time; the uplink goes on";

enum phase { PHASE_LISTEN, PHASE_CUT, PHASE_DRAIN, PHASE_QUIET, PHASE_OVER };

struct drill {
    const struct uplink_options *options;
    const char *socket_path;
    bool json;
    struct mqtt *client;
    struct balance *balance;
    struct told told;
    char prefix[160]; /* "sluice/plant7/" */
    enum phase phase;
    char by[64];
    bool claimed, listening, heard, failed;
    int64_t cut_ns; /* how long the cut lasts */
    int64_t begun_ns, renew_ns, tell_ns, back_ns, drained_ns;
    double newest_at_end; /* the newest event when the cut ended: all up to it must drain */
    uint64_t backlog_peak;
};

/* What the daemon says of the uplink. */
struct look {
    bool online;
    double backlog, low, newest;
};

static void fail(struct drill *drill, const char *sentence)
{
    if (!drill->failed)
        fprintf(stderr, "sluice drill: %s\n", sentence);
    drill->failed = true;
}

static bool look(struct drill *drill, struct look *seen)
{
    char *body = NULL, cursor[96];
    const cJSON *each;

    memset(seen, 0, sizeof *seen);
    if (client_get_body(drill->socket_path, "/api/v1/status", &body)) {
        fail(drill, "the daemon does not answer any more; its uplink goes on by itself");
        return false;
    }
    cJSON *status = cJSON_Parse(body);
    free(body);
    cJSON_ArrayForEach(each, cJSON_GetObjectItemCaseSensitive(status, "uplinks"))
    {
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(each, "id");
        const cJSON *state = cJSON_GetObjectItemCaseSensitive(each, "state");
        if (!cJSON_IsString(id) || strcmp(id->valuestring, drill->options->id) != 0)
            continue;
        seen->online = cJSON_IsString(state) && strcmp(state->valuestring, "online") == 0;
        seen->backlog = (double)answer_count(each, "backlog");
    }
    snprintf(cursor, sizeof cursor, "uplink/%s", drill->options->id);
    const cJSON *consumers = cJSON_GetObjectItemCaseSensitive(status, "consumers");
    seen->low = answer_number(cJSON_GetObjectItemCaseSensitive(consumers, cursor), "low");
    seen->newest = answer_number(cJSON_GetObjectItemCaseSensitive(status, "journal"), "newest");
    cJSON_Delete(status);
    return true;
}

/* Asks the daemon for "for_ms=N" and the like of the uplink, in this drill's name. */
static bool ask(struct drill *drill, const char *query, char *sentence, size_t sentence_size)
{
    char path[CLIENT_PATH_SIZE_MAX], answer[512];

    snprintf(path, sizeof path, "/api/v1/uplinks/%s/hold?%s", drill->options->id, query);
    client_add_query(path, "by", drill->by);
    return client_try_post(drill->socket_path, path, answer, sizeof answer, sentence,
                           sentence_size) == EXIT_CODE_OK;
}

/* The uplink is this drill's alone for another while: before the subscriber connects, since that
 * of a second drill would end the first's. In the cut it is kept cut, too. */
static void renew(struct drill *drill, int64_t now_ns)
{
    char query[64], sentence[512];

    snprintf(query, sizeof query, "claim_ms=%d", HOLD_MS);
    if (drill->phase == PHASE_CUT)
        snprintf(query, sizeof query, "for_ms=%d&claim_ms=%d", HOLD_MS, HOLD_MS);
    if (ask(drill, query, sentence, sizeof sentence))
        drill->claimed = true;
    else
        fail(drill, sentence);
    drill->renew_ns = now_ns + RENEW_NS;
}

static void let_go(struct drill *drill)
{
    char query[64], sentence[512];

    snprintf(query, sizeof query, "for_ms=0&claim_ms=%d", HOLD_MS);
    if (!ask(drill, query, sentence, sizeof sentence))
        fail(drill, sentence);
}

/* Where nobody answers any more both end by themselves. */
static void give_back(struct drill *drill)
{
    char sentence[512];

    ask(drill, drill->phase == PHASE_CUT ? "for_ms=0&claim_ms=0" : "claim_ms=0", sentence,
        sizeof sentence);
}

static void tell(struct drill *drill, const char *phase, double left_s, double backlog)
{
    char line[TOLD_LINE_SIZE];

    snprintf(line, sizeof line, "{\"phase\":\"%s\",\"left_s\":%.0f,\"backlog\":%.0f}", phase,
             left_s, backlog);
    told_line(&drill->told, line, true);
    if (drill->json)
        printf("%s\n", line);
    else if (left_s > 0)
        printf("%-9s %5.0f s left, %.0f events wait\n", phase, left_s, backlog);
    else
        printf("%-9s %.0f events wait\n", phase, backlog);
    fflush(stdout);
}

static void on_connected(void *context, bool session_present, int version, uint16_t receive_maximum,
                         uint32_t packet_size_max)
{
    struct drill *drill = context;
    char filter[192];

    (void)session_present;
    (void)version;
    (void)receive_maximum;
    (void)packet_size_max;
    snprintf(filter, sizeof filter, "%s#", drill->prefix);
    if (mqtt_subscribe(drill->client, filter, 1))
        fail(drill, "the subscriber cannot subscribe");
}

static void on_failed(void *context, int error, const char *sentence)
{
    (void)error;
    fail(context, sentence);
}

static void on_lost(void *context, int reason, const char *sentence)
{
    struct drill *drill = context;

    (void)reason;
    if (drill->phase != PHASE_OVER)
        fail(drill, sentence);
}

static void on_subscribed(void *context, const char *topic, int reason)
{
    struct drill *drill = context;

    (void)topic;
    if (reason >= 0x80)
        fail(drill, MAY_NOT_READ);
    drill->listening = true;
    drill->begun_ns = clock_mono(&clock_system);
}

static void on_message(void *context, const char *topic, const void *payload, size_t size, int qos,
                       bool retained, bool duplicate)
{
    struct drill *drill = context;
    size_t prefix_size = strlen(drill->prefix);

    (void)qos;
    (void)duplicate;
    drill->heard = true;
    if (strncmp(topic, drill->prefix, prefix_size) == 0 &&
        balance_message(drill->balance, topic + prefix_size, payload, size, retained) == ERR_NOMEM)
        fail(drill, "out of memory");
}

/* Some brokers grant the subscription and deliver nothing: the retained status must have come. */
static void listen_step(struct drill *drill, int64_t now_ns)
{
    if (!drill->listening)
        return;
    if (drill->heard) {
        drill->begun_ns = now_ns;
        drill->phase = PHASE_CUT;
        renew(drill, now_ns);
    } else if (now_ns > drill->begun_ns + HEAR_NS) {
        fail(drill, MAY_NOT_READ);
    }
}

static void cut_step(struct drill *drill, int64_t now_ns)
{
    struct look seen;
    int64_t left_ns = drill->begun_ns + drill->cut_ns - now_ns;

    if (now_ns < drill->tell_ns && left_ns > 0)
        return;
    if (!look(drill, &seen))
        return;
    drill->tell_ns = now_ns + TELL_NS;
    if (seen.backlog > (double)drill->backlog_peak)
        drill->backlog_peak = (uint64_t)seen.backlog;
    tell(drill, "cut off", left_ns > 0 ? (double)left_ns / (double)NS_PER_S : 0, seen.backlog);
    if (left_ns > 0)
        return;
    drill->newest_at_end = seen.newest;
    let_go(drill);
    drill->begun_ns = now_ns;
    drill->phase = PHASE_DRAIN;
}

static void drain_step(struct drill *drill, int64_t now_ns)
{
    struct look seen;

    if (!look(drill, &seen))
        return;
    if (now_ns >= drill->tell_ns) {
        tell(drill, seen.online ? "draining" : "returning", 0, seen.backlog);
        drill->tell_ns = now_ns + TELL_NS;
    }
    if (seen.online && drill->back_ns == 0)
        drill->back_ns = now_ns - drill->begun_ns;
    if (seen.online && seen.low > drill->newest_at_end) {
        drill->drained_ns = now_ns - drill->begun_ns - drill->back_ns;
        drill->begun_ns = now_ns;
        drill->phase = PHASE_QUIET;
    } else if (now_ns > drill->begun_ns + DRAIN_MAX_NS) {
        fail(drill, "the backlog did not drain within an hour: see sluice doctor");
    }
}

static void step(struct drill *drill, int64_t now_ns)
{
    if (now_ns >= drill->renew_ns)
        renew(drill, now_ns);
    switch (drill->phase) {
    case PHASE_LISTEN:
        listen_step(drill, now_ns);
        return;
    case PHASE_CUT:
        cut_step(drill, now_ns);
        return;
    case PHASE_DRAIN:
        drain_step(drill, now_ns);
        return;
    case PHASE_QUIET:
        if (now_ns > drill->begun_ns + QUIET_NS)
            drill->phase = PHASE_OVER;
        return;
    case PHASE_OVER:
        return;
    }
}

static void conduct(struct drill *drill)
{
    struct pollfd ends[] = {{.fd = mqtt_fd(drill->client), .events = POLLIN},
                            {.fd = end_signals_open(), .events = POLLIN}};

    renew(drill, clock_mono(&clock_system));
    if (!drill->failed && mqtt_connect(drill->client, CONNECT_NS))
        fail(drill, "the subscriber cannot connect");
    while (drill->phase != PHASE_OVER && !drill->failed) {
        poll(ends, 2, 200);
        if (ends[1].revents)
            fail(drill, ENDED);
        mqtt_process(drill->client);
        step(drill, clock_mono(&clock_system));
        /* A job once the uplink is its own: one that is refused is none. */
        if (drill->claimed && !told_keep(&drill->told))
            fail(drill, ENDED);
    }
    if (drill->claimed)
        give_back(drill);
    if (ends[1].fd >= 0)
        close(ends[1].fd);
}

static int print_end(struct drill *drill, double minutes)
{
    struct balance_report report;
    char line[END_SIZE];

    if (balance_draw(drill->balance, &report))
        return EXIT_CODE_SYSTEM;
    double back_s = (double)drill->back_ns / (double)NS_PER_S;
    double drained_s = (double)drill->drained_ns / (double)NS_PER_S;
    snprintf(line, sizeof line,
             "{\"phase\":\"end\",\"cut_s\":%.0f,\"waited\":%" PRIu64
             ",\"return_s\":%.1f,\"drain_s\":%.1f,\"events\":%" PRIu64 ",\"missing\":%" PRIu64
             ",\"duplicates\":%" PRIu64 ",\"proven\":%s}",
             minutes * 60, drill->backlog_peak, back_s, drained_s, report.events,
             report.hole_events, report.duplicates, report.proven ? "true" : "false");
    told_line(&drill->told, line, true);
    if (drill->json)
        printf("%s\n", line);
    else
        printf("\nAfter %g minute%s without the broker %" PRIu64 " event%s had waited.\n"
               "The uplink's next attempt came %.1f s later; %.1f s after it all had arrived.\n"
               "Missing: %" PRIu64 ". Twice: %" PRIu64 " (with the same key). %s\n",
               minutes, minutes == 1 ? "" : "s", drill->backlog_peak,
               drill->backlog_peak == 1 ? "" : "s", back_s, drained_s, report.hole_events,
               report.duplicates,
               report.proven ? "Nothing is missing: proven." : "Not proven: see sluice audit.");
    return report.proven ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

/* As whoever wants to drill the same uplink is told. */
static void name_drill(struct drill *drill)
{
    char began[32];

    clock_format(clock_wall(&clock_system), began);
    snprintf(drill->by, sizeof drill->by, "process %d, since %s", (int)getpid(), began);
}

static int run(struct drill *drill, const char *gateway, double minutes)
{
    char id[CLIENT_ID_SIZE + 8], password[SECRET_SIZE], sentence[320];
    struct uplink_url url;
    struct mqtt_options options = {
        .client_id = id,
        .clean_start = true,
        .context = drill,
        .connected = on_connected,
        .failed = on_failed,
        .lost = on_lost,
        .subscribed = on_subscribed,
        .message = on_message,
    };

    if (client_url(drill->options, &url, sentence, sizeof sentence) ||
        (drill->options->password_file &&
         client_password(drill->options->password_file, password, sentence, sizeof sentence))) {
        fail(drill, sentence);
        return EXIT_CODE_SYSTEM;
    }
    client_id(drill->options, gateway, id);
    snprintf(id + strlen(id), sizeof id - strlen(id), "-drill");
    client_options(drill->options, &url, &options);
    options.password = drill->options->password_file ? password : NULL;
    snprintf(drill->prefix, sizeof drill->prefix, "%s/%s/", drill->options->root, gateway);
    name_drill(drill);
    drill->balance = balance_open(drill->options->id);
    int error = drill->balance ? mqtt_open(&drill->client, &options) : ERR_NOMEM;
    explicit_bzero(password, sizeof password);
    if (error)
        fail(drill, error_text(error));
    else
        conduct(drill);
    int code = drill->failed ? EXIT_CODE_SYSTEM : print_end(drill, minutes);
    told_end(&drill->told, code);
    mqtt_close(drill->client);
    balance_close(drill->balance);
    return code;
}

int command_drill(int argc, char **argv)
{
    const char *path = NULL, *minutes_text = "2";
    struct drill drill = {.socket_path = gateway_socket_path()};
    struct config_parts parts;
    struct config *config = NULL;
    const struct args_flag flags[] = {
        {"minutes", 'm', "N", "how long; 2 unless given, 240 at most", &minutes_text, NULL},
        {"config", 'c', "FILE", FIND_CONFIG_HELP, &path, NULL},
        {"json", 'J', NULL, "a JSON object a line", NULL, &drill.json},
        COMMAND_SOCKET_FLAG(&drill.socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice drill",
        .operands = " [UPLINK]",
        .operands_max = 1,
        .about =
            "An outage drill: cuts an uplink of the running gateway off, as a network does\n"
            "that fails, lets it come back after some minutes, and reports how many events\n"
            "waited, how long they took, how many are missing and how many came twice. What\n"
            "arrives is counted by a subscriber at the broker, which uses the uplink's own\n"
            "user with \"-drill\" behind the client id. Ctrl-C ends it at once; whatever\n"
            "happens to the drill, the uplink goes on within a minute. An uplink has one drill\n"
            "at a time: a second one is refused with who runs the first. The page shows it as a\n"
            "job (GET /api/v1/jobs), and may end it.\n",
        .after = "Exit status: 1 something is missing; 2 there is no such uplink; 3 errors in the\n"
                 "configuration; 4 the daemon does not answer; 5 it could not be carried out.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);
    char *end;

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    double minutes = strtod(minutes_text, &end);
    if (*end || !(minutes > 0) || minutes > MINUTES_MAX) {
        fprintf(stderr, "sluice drill: --minutes takes a number above 0 and up to %d, not \"%s\"\n",
                MINUTES_MAX, minutes_text);
        return EXIT_CODE_USAGE;
    }
    drill.cut_ns = (int64_t)(minutes * 60 * (double)NS_PER_S);
    /* Before the broker is troubled: without a daemon there is nothing to cut off. */
    int code = client_must_find(drill.socket_path);
    if (code == EXIT_CODE_OK)
        code = find_config(&config, &parts, path, drill.socket_path, command.name);
    if (code != EXIT_CODE_OK)
        return code;
    struct config_uplink *uplink = find_uplink(config, argv[first], command.name);
    code = EXIT_CODE_USAGE;
    if (uplink) {
        struct uplink_options *options = uplink->options;
        drill.options = options;
        drill.told = (struct told){
            .socket = drill.socket_path, .kind = "drill", .of = options->id, .by = command.name};
        code = run(&drill, config->site.id, minutes);
    }
    config_free(config);
    return code;
}
