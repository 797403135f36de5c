#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/moment.h"
#include "cli/offline.h"
#include "core/candidates.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "journal/reader.h"

#define TEXT_SIZE 256 /* of what a number stands for */
#define LINE_SIZE (FEED_LINE_SIZE_MAX + 2)

struct lines {
    struct journal *journal;
    FILE *out;
    char *line;
};

static void put_line(void *context, const struct event *event)
{
    struct lines *lines = context;
    struct text text;

    if (status_ends(event->status))
        return;
    text_init(&text, lines->line, LINE_SIZE);
    struct stream stream;
    feed_event_words(&text, event, journal_stream(lines->journal, event->stream, &stream), NULL);
    text_string(&text, "\n");
    fwrite(text.data, 1, text.size, lines->out);
}

static int state_offline(const char *folder, int64_t at_ns, FILE *out)
{
    struct offline offline;
    int code = offline_open(&offline, folder);

    if (code)
        return code;
    struct lines lines = {.journal = offline.journal, .out = out, .line = malloc(LINE_SIZE)};
    int error = lines.line ? journal_state_at(offline.journal, at_ns, put_line, &lines) : ERR_NOMEM;
    char sentence[FEED_REFUSAL_SIZE];
    if (error)
        feed_state_refusal(offline.journal, error, sentence);
    free(lines.line);
    offline_close(&offline);
    if (!error)
        return EXIT_CODE_OK;
    fprintf(stderr, "sluice state: %s\n", sentence);
    return error == ERR_NOT_FOUND ? EXIT_CODE_FAILED : EXIT_CODE_SYSTEM;
}

static void print_age(int64_t age_ms)
{
    if (age_ms < 0)
        age_ms = 0;
    if (age_ms < 10000)
        printf("%6.1f s ", (double)age_ms / 1000);
    else if (age_ms < 600000)
        printf("%6" PRId64 " s ", age_ms / 1000);
    else
        printf("%6" PRId64 " min", age_ms / 60000);
}

/* A state says whether something works, and that is no good or bad value. */
static const char *state_word(const cJSON *event)
{
    if (strcmp(answer_text(event, "k"), "state") != 0)
        return NULL;
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(event, "v")) ? "up" : "DOWN";
}

/* "auto (1)", "DOWN", or the value as it is. */
static void print_value(const cJSON *event)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(event, "v");
    char *printed = value ? cJSON_PrintUnformatted(value) : NULL, room[TEXT_SIZE + 32];
    const char *word = state_word(event), *text = answer_text(event, "text");

    if (*text && printed)
        snprintf(room, sizeof room, "%.*s (%.20s)", TEXT_SIZE, text, printed);
    printf(" %16s %-8s  %-9s ",
           word               ? word
           : *text && printed ? room
           : printed          ? printed
                              : "",
           answer_text(event, "unit"), word ? "" : answer_text(event, "q"));
    free(printed);
}

static void print_row(const char *line, int64_t at_ns)
{
    cJSON *event = cJSON_Parse(line);
    const cJSON *time = cJSON_GetObjectItemCaseSensitive(event, "t");

    if (event) {
        char name[2 * ID_SIZE_MAX + 4];

        if (*answer_text(event, "u"))
            snprintf(name, sizeof name, "uplink %s", answer_text(event, "u"));
        else
            snprintf(name, sizeof name, "%s%s%s", answer_text(event, "d"),
                     *answer_text(event, "p") ? "/" : "", answer_text(event, "p"));
        printf("%-36s", name);
        print_value(event);
        if (time)
            print_age(at_ns / NS_PER_MS - answer_whole(event, "t"));
        printf("  %s\n", answer_text(event, "why"));
    }
    cJSON_Delete(event);
}

/* What is wanted of a state; NULL: all. */
struct wish {
    const char *device, *point;
};

/* As --device names it. */
static const char *device_of(const cJSON *event, char out[ID_SIZE_MAX + 8])
{
    const char *uplink = answer_text(event, "u");

    snprintf(out, ID_SIZE_MAX + 8, "%s%.*s", *uplink ? "uplink:" : "", ID_SIZE_MAX - 1,
             *uplink ? uplink : answer_text(event, "d"));
    return out;
}

struct selection {
    FILE *out;
    size_t rows;
    bool device_known;
    struct candidates devices, points;
};

static void take_row(struct selection *selection, const struct wish *wish, const char *line)
{
    char name[ID_SIZE_MAX + 8];
    cJSON *event = cJSON_Parse(line);
    const char *device = device_of(event, name), *point = answer_text(event, "p");
    bool of_device = !wish->device || strcmp(device, wish->device) == 0;

    selection->device_known |= of_device;
    candidates_offer(&selection->devices, device);
    if (of_device)
        candidates_offer(&selection->points, point);
    if (event && of_device && (!wish->point || strcmp(point, wish->point) == 0)) {
        fprintf(selection->out, "%s\n", line);
        selection->rows++;
    }
    cJSON_Delete(event);
}

/* Keeps the lines of `body` that are wanted, in a text of their own; tells where none is. Returns
 * an exit code. */
static int select_rows(char **body, const struct wish *wish)
{
    struct selection selection = {.rows = 0};
    char *kept = NULL, *rest = *body, there[512];
    size_t size;

    if (!wish->device && !wish->point)
        return EXIT_CODE_OK;
    candidates_init(&selection.devices, wish->device ? wish->device : "");
    candidates_init(&selection.points, wish->point ? wish->point : "");
    selection.out = open_memstream(&kept, &size);
    if (!selection.out)
        return EXIT_CODE_SYSTEM;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        if (*line)
            take_row(&selection, wish, line);
    }
    fclose(selection.out);
    free(*body);
    *body = kept;
    if (selection.rows > 0)
        return EXIT_CODE_OK;
    bool device = wish->device && !selection.device_known;
    candidates_text(device ? &selection.devices : &selection.points, there, sizeof there);
    fprintf(stderr, "sluice state: nothing was known of a %s \"%s\" at that time%s\n",
            device ? "device" : "point", device || !wish->point ? wish->device : wish->point,
            there);
    return EXIT_CODE_USAGE;
}

static void print_table(char *body, int64_t at_ns)
{
    char time[32];
    char *rest = body;

    clock_format(at_ns, time);
    printf("State at %s\n%-36s %16s %-8s  %-9s %-10s\n", time, "point", "value", "unit", "quality",
           "age");
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        if (*line)
            print_row(line, at_ns);
    }
}

int command_state(int argc, char **argv)
{
    const char *at = "now", *journal = NULL, *socket_path = gateway_socket_path();
    struct wish wish = {.device = NULL};
    bool json = false;
    int64_t at_ns = 0;
    const struct args_flag flags[] = {
        {"at", 'a', "TIME", "the moment; now unless given", &at, NULL},
        {"device", 'd', "ID", "only this device", &wish.device, NULL},
        {"point", 'p', "ID", "only this point", &wish.point, NULL},
        {"json", 'J', NULL, "a JSON object a line instead of a table", NULL, &json},
        {"journal", 'j', "DIR", "read this folder instead of asking the daemon", &journal, NULL},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice state",
        .operands = "",
        .about = "Shows value, quality and age of every point as they were at a moment, rebuilt\n"
                 "from the journal, with what numbers stand for where the daemon is "
                 "asked.\n\n" MOMENT_HELP,
        .after =
            "Exit status: 1 the journal does not reach back so far; 2 nothing was known of such a\n"
            "device or point; 4 the daemon does not answer; 5 there is no journal in that\n"
            "folder.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (moment_parse("sluice state", "at", at, &at_ns) != EXIT_CODE_OK)
        return EXIT_CODE_USAGE;
    char *body = NULL;
    size_t size;
    FILE *memory = open_memstream(&body, &size);
    int code = EXIT_CODE_SYSTEM;
    if (memory && journal) {
        code = state_offline(journal, at_ns, memory);
    } else if (memory) {
        char path[CLIENT_PATH_SIZE_MAX];

        strcpy(path, "/api/v1/state?words=1");
        moment_add_query(path, "at", at, at_ns);
        code = client_get(socket_path, path, memory);
    }
    if (memory)
        fclose(memory);
    if (code == EXIT_CODE_OK)
        code = select_rows(&body, &wish);
    if (code == EXIT_CODE_OK && json)
        fputs(body, stdout);
    else if (code == EXIT_CODE_OK)
        print_table(body, at_ns);
    free(body);
    return code;
}
