#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/offline.h"
#include "core/clock.h"
#include "core/error.h"
#include "journal/reader.h"

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

    text_init(&text, lines->line, LINE_SIZE);
    struct stream stream;
    feed_event_json(&text, event, journal_stream(lines->journal, event->stream, &stream));
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

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsString(item) ? item->valuestring : "";
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
    if (strcmp(text_of(event, "k"), "state") != 0)
        return NULL;
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(event, "v")) ? "up" : "DOWN";
}

static void print_row(const char *line, int64_t at_ns)
{
    cJSON *event = cJSON_Parse(line);
    const cJSON *time = cJSON_GetObjectItemCaseSensitive(event, "t");

    if (event) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(event, "v");
        char *printed = value ? cJSON_PrintUnformatted(value) : NULL;
        char name[2 * ID_SIZE_MAX + 4];

        if (*text_of(event, "u"))
            snprintf(name, sizeof name, "uplink %s", text_of(event, "u"));
        else
            snprintf(name, sizeof name, "%s%s%s", text_of(event, "d"),
                     *text_of(event, "p") ? "/" : "", text_of(event, "p"));
        const char *word = state_word(event);
        printf("%-36s %16s  %-9s ", name, word ? word : printed ? printed : "",
               word ? "" : text_of(event, "q"));
        if (time)
            print_age(at_ns / NS_PER_MS - (int64_t)time->valuedouble);
        printf("  %s\n", text_of(event, "why"));
        free(printed);
    }
    cJSON_Delete(event);
}

static void print_table(char *body, int64_t at_ns)
{
    char time[32];
    char *rest = body;

    clock_format(at_ns, time);
    printf("State at %s\n%-36s %16s  %-9s %-10s\n", time, "point", "value", "quality", "age");
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        if (*line)
            print_row(line, at_ns);
    }
}

int command_state(int argc, char **argv)
{
    const char *at = "now", *journal = NULL, *socket_path = GATEWAY_SOCKET_PATH;
    bool json = false;
    int64_t at_ns = 0;
    const struct args_flag flags[] = {
        {"at", 'a', "TIME", "the moment; now unless given", &at, NULL},
        {"json", 'J', NULL, "a JSON object a line instead of a table", NULL, &json},
        {"journal", 'j', "DIR", "read this folder instead of asking the daemon", &journal, NULL},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice state",
        .operands = "",
        .about = "Shows value, quality and age of every point as they were at a moment, rebuilt\n"
                 "from the journal. TIME is 2026-11-23T16:20 (UTC unless it ends in an offset\n"
                 "such as +01:00), -15m, now, or milliseconds since 1970.\n",
        .after = "Exit status: 1 when the journal does not reach back so far.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (clock_parse(at, clock_wall(&clock_system), &at_ns)) {
        fprintf(stderr, "sluice state: --at %s is no time. Try sluice state --help.\n", at);
        return EXIT_CODE_USAGE;
    }
    char *body = NULL;
    size_t size;
    FILE *memory = open_memstream(&body, &size);
    int code = EXIT_CODE_SYSTEM;
    if (memory && journal) {
        code = state_offline(journal, at_ns, memory);
    } else if (memory) {
        char path[CLIENT_PATH_SIZE_MAX] = "/api/v1/state";
        char milliseconds[24];
        snprintf(milliseconds, sizeof milliseconds, "%" PRId64, at_ns / NS_PER_MS);
        client_add_query(path, "at", milliseconds);
        code = client_get(socket_path, path, memory);
    }
    if (memory)
        fclose(memory);
    if (code == EXIT_CODE_OK && json)
        fputs(body, stdout);
    else if (code == EXIT_CODE_OK)
        print_table(body, at_ns);
    free(body);
    return code;
}
