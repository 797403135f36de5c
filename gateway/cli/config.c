/* sluice config: the changes of the configuration that there were, and back. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/command.h"
#include "core/clock.h"

#define API           "/api/v1/config"
#define ARRIVE_NS     (60 * NS_PER_S) /* for what is on its way */
#define LOOK_AGAIN_MS 100

/* What a path answers with; NULL with an exit code, told. */
static cJSON *get(const char *socket_path, const char *path, int *code)
{
    char *body = NULL;
    cJSON *root;

    *code = client_get_body(socket_path, path, &body);
    if (*code)
        return NULL;
    root = cJSON_Parse(body);
    free(body);
    if (!root) {
        fprintf(stderr, "sluice config: the daemon's answer cannot be read\n");
        *code = EXIT_CODE_SYSTEM;
    }
    return root;
}

static cJSON *post(const char *socket_path, const char *path, cJSON *body, int *code)
{
    char *printed = cJSON_PrintUnformatted(body), *answer = NULL;
    cJSON *root = NULL;

    *code =
        printed ? client_send_body(socket_path, "POST", path, printed, &answer) : EXIT_CODE_SYSTEM;
    if (*code == EXIT_CODE_OK && !(root = cJSON_Parse(answer)))
        *code = EXIT_CODE_SYSTEM;
    free(answer);
    free(printed);
    cJSON_Delete(body);
    return root;
}

/* Local time to the second. */
static void moment(int64_t ms, char out[32])
{
    time_t seconds = ms / 1000;
    struct tm parts;

    if (!localtime_r(&seconds, &parts) || strftime(out, 32, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        snprintf(out, 32, "?");
}

static void print_change(const cJSON *change)
{
    const char *comment = answer_text(change, "comment"), *why = answer_text(change, "why"),
               *words = answer_text(change, "words");
    char at[32];

    moment(answer_whole(change, "at"), at);
    printf("%4s  %s  %-9s  %s%s%s", answer_text(change, "change"), at, answer_text(change, "state"),
           answer_text(change, "by"), *words ? ": " : "", words);
    printf("%s%s%s%s%s\n", *comment ? " (" : "", comment, *comment ? ")" : "", *why ? "; " : "",
           why);
}

static int list(const char *socket_path, bool json)
{
    int code;

    if (json)
        return client_get(socket_path, API "/history", stdout);
    cJSON *root = get(socket_path, API "/history", &code);
    const cJSON *change, *changes = cJSON_GetObjectItem(root, "changes");

    cJSON_ArrayForEach(change, changes) print_change(change);
    if (root && cJSON_GetArraySize(changes) == 0)
        fprintf(stderr, "sluice config: no change is kept\n");
    cJSON_Delete(root);
    return code;
}

/* The newest change, for a command that names none; "" where there is none. */
static int newest(const char *socket_path, char out[32])
{
    int code;
    cJSON *root = get(socket_path, API "/history", &code);
    const cJSON *changes = cJSON_GetObjectItem(root, "changes");

    snprintf(out, 32, "%s", answer_text(cJSON_GetArrayItem(changes, 0), "change"));
    if (!code && !*out) {
        fprintf(stderr, "sluice config: no change is kept\n");
        code = EXIT_CODE_FAILED;
    }
    cJSON_Delete(root);
    return code;
}

/* A change that somebody has named, with what it differs by from another; NULL with an exit code: a
 * name that no change has is a mistake of the command line. */
static cJSON *get_change(const char *socket_path, const char *change, const char *with, int *code)
{
    char path[CLIENT_PATH_SIZE_MAX];

    snprintf(path, CLIENT_PATH_SIZE_MAX, API "/history/%.32s", change);
    client_add_query(path, "with", with);
    cJSON *root = get(socket_path, path, code);
    if (*code == EXIT_CODE_FAILED)
        *code = EXIT_CODE_USAGE;
    return root;
}

/* The earlier one is the old one, in whichever order they were named. */
static void print_difference(const cJSON *root)
{
    const char *change = answer_text(root, "change"), *with = answer_text(root, "with"),
               *lines = answer_text(root, "lines");
    bool later = strtoull(with, NULL, 10) > strtoull(change, NULL, 10);
    const char *old = later ? change : with, *new = later ? with : change;

    if (*old)
        printf("--- change %s\n+++ change %s\n", old, new);
    else
        printf("--- nothing, as no earlier change is kept\n+++ change %s\n", new);
    if (*lines)
        fputs(lines, stdout);
    else
        fprintf(stderr, "sluice config: no line differs\n");
}

static int diff(const char *socket_path, const char *change, const char *with)
{
    char last[32];
    int code = change ? 0 : newest(socket_path, last);

    if (code)
        return code;
    cJSON *root = get_change(socket_path, change ? change : last, with, &code);
    if (root)
        print_difference(root);
    cJSON_Delete(root);
    return code;
}

/* What is given up where a configuration is kept that has an uplink no more. */
static void tell_undelivered(const cJSON *answer, const char *when)
{
    const cJSON *left, *all = cJSON_GetObjectItem(answer, "undelivered");

    cJSON_ArrayForEach(left, all)
    {
        uint64_t events = answer_count(left, "events");

        fprintf(stderr,
                "sluice config: %" PRIu64
                " event%s still to be delivered by uplink %s, which is not there any more%s: "
                "nobody goes on with %s, nor with what comes until the change is kept; the alarm "
                "that tells of it counts all\n",
                events, events == 1 ? " is" : "s are", answer_text(left, "uplink"), when,
                events == 1 ? "it" : "them");
    }
}

/* The change that waits, after telling what is given up with it where somebody `keeps` it; NULL
 * with an exit code. */
static char *pending(const char *socket_path, bool keeps, int *code)
{
    cJSON *root = get(socket_path, API, code);
    const char *change = answer_text(cJSON_GetObjectItem(root, "pending"), "change");
    char *copy = *change ? strdup(change) : NULL;

    if (copy && keeps)
        tell_undelivered(root, "");
    cJSON_Delete(root);
    if (!*code && !copy) {
        fprintf(stderr, "sluice config: no change waits to be confirmed\n");
        *code = EXIT_CODE_FAILED;
    }
    return copy;
}

static int64_t seconds_until(int64_t wall_ns)
{
    int64_t left_ns = wall_ns - clock_wall(&clock_system);

    return left_ns > 0 ? (left_ns + NS_PER_S - 1) / NS_PER_S : 0;
}

/* What becomes of the change that waits: "/confirm" keeps it, "/revert" takes it back. */
static int settle(const char *socket_path, const char *path, bool keeps, const char *done,
                  const char *which)
{
    int code;
    char *change = pending(socket_path, keeps, &code);

    if (!change)
        return code;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "change", change);
    cJSON *root = post(socket_path, path, body, &code);
    if (root && cJSON_IsNumber(cJSON_GetObjectItem(root, "until")))
        printf("change %s%s is applied and not kept yet: %s. When that is over within %" PRId64
               " s it is kept, else it goes back; \"sluice config\" tells which\n",
               change, which, answer_text(root, "why"), seconds_until(answer_time(root, "until")));
    else if (root)
        printf("change %s is %s\n", change, done);
    cJSON_Delete(root);
    free(change);
    return code;
}

static int confirm(const char *socket_path)
{
    return settle(socket_path, API "/confirm", true, "kept", "");
}

static int take_back(const char *socket_path)
{
    return settle(socket_path, API "/revert", false, "taken back", "");
}

static bool is_online(const cJSON *status, const char *uplink)
{
    const cJSON *each, *all = cJSON_GetObjectItem(status, "uplinks");

    cJSON_ArrayForEach(each, all)
    {
        if (strcmp(answer_text(each, "id"), uplink) == 0)
            return strcmp(answer_text(each, "state"), "online") == 0;
    }
    return false;
}

/* Whether an uplink delivers all that is stored at this moment. Of one that works something is on
 * its way at any time, so that what counts is not whether anything waits. */
static bool delivers(const char *socket_path, const char *uplink, int *code)
{
    int64_t until_ns = clock_mono(&clock_system) + ARRIVE_NS;
    bool online = true, first = true;
    double newest = 0, low = 0;
    char cursor[96];

    snprintf(cursor, sizeof cursor, "uplink/%.80s", uplink);
    while (online && low <= newest && clock_mono(&clock_system) < until_ns) {
        if (!first)
            poll(NULL, 0, LOOK_AGAIN_MS);
        cJSON *status = get(socket_path, "/api/v1/status", code);
        if (!status)
            return false;
        if (first)
            newest = answer_number(cJSON_GetObjectItem(status, "journal"), "newest");
        low = answer_number(cJSON_GetObjectItem(cJSON_GetObjectItem(status, "consumers"), cursor),
                            "low");
        online = is_online(status, uplink);
        first = false;
        cJSON_Delete(status);
    }
    return low > newest;
}

/* Whether the uplinks that an earlier text does not have are not behind. */
static bool gives_up_nothing(const char *socket_path, const cJSON *earlier, int *code)
{
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "text", answer_text(earlier, "text"));
    cJSON *answer = post(socket_path, API "/check", body, code);
    const cJSON *left, *all = cJSON_GetObjectItem(answer, "undelivered");
    bool behind = false;
    cJSON_ArrayForEach(left, all)
    {
        if (*code == EXIT_CODE_OK && !behind)
            behind = !delivers(socket_path, answer_text(left, "uplink"), code);
    }
    if (*code == EXIT_CODE_OK && behind) {
        tell_undelivered(answer, " then");
        fprintf(stderr, "sluice config: nothing was changed: see that the uplink is online and has "
                        "caught up (sluice status, sluice doctor), or give them up with --force\n");
        *code = EXIT_CODE_FAILED;
    }
    cJSON_Delete(answer);
    return *code == EXIT_CODE_OK;
}

/* Applies an earlier text once more, and keeps it: whoever stands at the machine needs no way
 * back. What came while an uplink was taken away is told when it is kept. */
static int restore(const char *socket_path, const char *change, bool force)
{
    char comment[80], which[80];
    int code;
    cJSON *earlier = get_change(socket_path, change, NULL, &code), *now = NULL, *applied = NULL;

    if (earlier && (force || gives_up_nothing(socket_path, earlier, &code)))
        now = get(socket_path, API, &code);
    if (now) {
        cJSON *body = cJSON_CreateObject();
        snprintf(comment, sizeof comment, "as it was with change %.20s", change);
        cJSON_AddStringToObject(body, "text", answer_text(earlier, "text"));
        cJSON_AddStringToObject(body, "base", answer_text(now, "revision"));
        cJSON_AddStringToObject(body, "comment", comment);
        applied = post(socket_path, API "/apply", body, &code);
    }
    cJSON_Delete(earlier);
    cJSON_Delete(now);
    cJSON_Delete(applied);
    snprintf(comment, sizeof comment, "kept: the configuration is that of change %.20s again",
             change);
    snprintf(which, sizeof which, " (the configuration of change %.20s again)", change);
    return code ? code : settle(socket_path, API "/confirm", true, comment, which);
}

int command_config(int argc, char **argv)
{
    const char *socket_path = gateway_socket_path();
    bool json = false, force = false;
    const struct args_flag flags[] = {
        {"json", 'J', NULL, "history: as JSON", NULL, &json},
        {"force", 'F', NULL, "revert CHANGE: although an uplink that it lacks is behind", NULL,
         &force},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice config",
        .operands = " [history | diff [CHANGE [OTHER]] | confirm | revert [CHANGE]]",
        .operands_max = 3,
        .about =
            "The changes of the configuration that there were.\n\n"
            "  history  lists them, newest first; what is done without an operand\n"
            "  diff     shows what a change (the newest unless given) changed of the one\n"
            "           that was kept before it, or how it differs from another: lines\n"
            "           with - are as they were with the earlier one, with + as they\n"
            "           are with the later one, in whichever order you name them\n"
            "  confirm  keeps the change that waits to be confirmed, and tells what is given up\n"
            "           where events wait for an uplink that is not there any more\n"
            "  revert   takes that one back at once; with a CHANGE, the configuration is\n"
            "           again as it was with that\n",
        .after =
            "Exit status: 1 no change waits or is kept, or events would be given up; 2 there is\n"
            "no such change, or the daemon refuses, and says why; 4 the daemon does not answer.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    const char *what = first < argc ? argv[first] : "history";
    const char *change = first + 1 < argc ? argv[first + 1] : NULL;
    const char *other = first + 2 < argc ? argv[first + 2] : NULL;
    if (strcmp(what, "diff") == 0)
        return diff(socket_path, change, other);
    if (strcmp(what, "history") == 0 && !change)
        return list(socket_path, json);
    if (strcmp(what, "confirm") == 0 && !change)
        return confirm(socket_path);
    if (strcmp(what, "revert") == 0 && !other)
        return change ? restore(socket_path, change, force) : take_back(socket_path);
    fprintf(stderr, "sluice config: expected are history, diff, confirm or revert; see --help\n");
    return EXIT_CODE_USAGE;
}
