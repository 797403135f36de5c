#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/patience.h"

/* Asks until the start is confirmed, or patience ends; `*body` is what was answered last. */
static int ask(const char *socket_path, const struct patience *patience, char **body)
{
    bool confirmed = false;

    do {
        free(*body);
        *body = NULL;
        if (!client_finds_daemon(socket_path) ||
            client_get_body(socket_path, "/api/v1/health", body) != EXIT_CODE_OK)
            continue;
        cJSON *health = cJSON_Parse(*body);
        confirmed = answer_truth(health, "confirmed");
        cJSON_Delete(health);
    } while (!confirmed && patience_go_on(patience));
    if (!*body)
        return client_get_body(socket_path, "/api/v1/health", body);
    return confirmed ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

static const char *if_one(const cJSON *health, const char *key, const char *one, const char *more)
{
    return answer_count(health, key) == 1 ? one : more;
}

/* That it is confirmed is about the time since the start; how it is now is another matter. */
static void print(const cJSON *health)
{
    bool confirmed = answer_truth(health, "confirmed");
    uint64_t answering = answer_count(health, "answering"), online = answer_count(health, "online");
    const cJSON *part;

    if (confirmed)
        printf("confirmed: this version has worked here since its start\n");
    else
        printf("not confirmed: %s\n", answer_text(health, "why"));
    printf("  at present %" PRIu64 " of %" PRIu64 " device%s, %" PRIu64 " of %" PRIu64
           " uplink%s online\n",
           answering, answer_count(health, "devices"),
           if_one(health, "devices", " answers", "s answer"), online,
           answer_count(health, "uplinks"), if_one(health, "uplinks", " is", "s are"));
    if (confirmed &&
        (answering < answer_count(health, "devices") || online < answer_count(health, "uplinks")))
        printf("  what is missing worked before, or is one of several: sluice status tells why it "
               "does not now\n");
    cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(health, "alive"))
    {
        if (!cJSON_IsTrue(part))
            printf("  NO SIGN OF LIFE: the %s\n", part->string);
    }
}

int command_health(int argc, char **argv)
{
    const char *socket_path = gateway_socket_path(), *wait = NULL;
    struct patience patience;
    bool json = false;
    const struct args_flag flags[] = {
        PATIENCE_FLAG(&wait, "ask again for so long, until it is confirmed: 10m"),
        {"json", 'J', NULL, "the whole answer as one JSON object", NULL, &json},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice health",
        .operands = "",
        .about =
            "Says whether the gateway has proven itself since it was started: its polls, its\n"
            "journal and its page are alive, a device has answered, and a broker was reached,\n"
            "as far as devices and uplinks are configured. For whoever installs a new version\n"
            "and must know whether to keep it.\n",
        .after = "Exit status: 0 confirmed; 1 not, and why; 4 the daemon does not answer.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);
    char *body = NULL;

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (!patience_begin(&patience, wait, command.name))
        return EXIT_CODE_USAGE;
    int code = ask(socket_path, &patience, &body);
    if (body && json) {
        fputs(body, stdout);
    } else if (body) {
        cJSON *health = cJSON_Parse(body);
        print(health);
        cJSON_Delete(health);
    }
    free(body);
    return code;
}
