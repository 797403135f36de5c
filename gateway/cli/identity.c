/* sluice identity: was the machine replaced, or its card copied? */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "core/event.h"
#include "core/text.h"

#define API "/api/v1/identity"

static int print_look(const char *body)
{
    cJSON *root = cJSON_Parse(body);
    const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "state"));
    bool sure = state && strcmp(state, "sure") == 0;

    if (sure)
        printf("this gateway is on the machine that it was on\n");
    else if (state && strcmp(state, "copied") == 0)
        printf("this gateway is a copy, and has still the other one's id: nothing is published "
               "until it has its own: sluice identity copied --id NEWID\n");
    else if (state)
        printf(
            "this gateway is on another machine than before. Was the machine replaced, or the "
            "card copied? Nothing is published until that is said:\n"
            "  sluice identity replaced             the one before is gone; this one goes on\n"
            "  sluice identity copied --id NEWID    there are two now; this one gets its own id\n");
    cJSON_Delete(root);
    return state ? sure ? EXIT_CODE_OK : EXIT_CODE_FAILED : EXIT_CODE_SYSTEM;
}

static int look(const char *socket_path, bool json)
{
    char *body = NULL;
    int code;

    if (json)
        return client_get(socket_path, API, stdout);
    code = client_get_body(socket_path, API, &body);
    if (code == EXIT_CODE_OK)
        code = print_look(body);
    free(body);
    return code;
}

static int say(const char *socket_path, const char *word, const char *id, bool json)
{
    char body[128], *answer = NULL;
    struct text text;

    text_init(&text, body, sizeof body);
    text_printf(&text, "{\"answer\":\"%s\"", word);
    if (id)
        text_printf(&text, ",\"id\":\"%s\"", id);
    text_string(&text, "}");
    int code = client_send_body(socket_path, "POST", API, body, &answer);
    if (code == EXIT_CODE_OK && json)
        fputs(answer, stdout);
    else if (code == EXIT_CODE_OK && id)
        printf("this gateway is %s now, with a journal of its own\n", id);
    else if (code == EXIT_CODE_OK && strcmp(word, "replaced") == 0)
        printf("it goes on, and publishes what it has stored meanwhile\n");
    else if (code == EXIT_CODE_OK) {
        printf("nothing is published until it has its own id: sluice identity copied --id NEWID\n");
        code = EXIT_CODE_FAILED;
    }
    free(answer);
    return code == EXIT_CODE_USAGE ? EXIT_CODE_FAILED : code;
}

static int act(const char *socket_path, const char *word, const char *id, bool json)
{
    if (!word)
        return look(socket_path, json);
    if (strcmp(word, "replaced") != 0 && strcmp(word, "copied") != 0) {
        fprintf(stderr, "sluice identity: expected are replaced, copied, or nothing; see --help\n");
        return EXIT_CODE_USAGE;
    }
    if (id && !id_valid(id)) {
        fprintf(stderr, "sluice identity: an id has small letters, digits, - and _; found \"%s\"\n",
                id);
        return EXIT_CODE_USAGE;
    }
    return say(socket_path, word, id, json);
}

int command_identity(int argc, char **argv)
{
    const char *socket_path = gateway_socket_path(), *id = NULL;
    bool json = false;
    const struct args_flag flags[] = {
        {"id", 0, "NEWID", "of a copy: its own id", &id, NULL},
        {"json", 'J', NULL, "the state as JSON", NULL, &json},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice identity",
        .operands = " [replaced | copied]",
        .operands_max = 1,
        .about =
            "Shows whether this gateway is still on the machine that it was on. Where a card was\n"
            "put into another board it answers the question that only a person can: the board\n"
            "was replaced, and this gateway goes on; or the card was copied, and this one needs\n"
            "an id of its own. Until that is said everything is stored and nothing published.\n",
        .after = "Exit status: 1 the question is open, a copy has no id of its own yet, or the "
                 "answer is\n"
                 "refused; 4 the daemon does not answer.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    return act(socket_path, first < argc ? argv[first] : NULL, id, json);
}
