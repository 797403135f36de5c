#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/command.h"
#include "config/quantity.h"
#include "core/clock.h"
#include "core/command.h"
#include "core/status.h"

struct write_arguments {
    const char *device, *point, *value, *ttl, *id, *socket_path;
    bool wait, json;
};

static int parse_ttl(const char *text, int64_t *ttl_ms)
{
    char why[160];
    int64_t ns;

    if (!text)
        return EXIT_CODE_OK;
    if (quantity_duration(text, &ns, why, sizeof why) || ns < NS_PER_MS) {
        fprintf(stderr, "sluice write: --ttl %s is no time. Expected: 500ms, 10s, 5m\n", text);
        return EXIT_CODE_USAGE;
    }
    *ttl_ms = ns / NS_PER_MS;
    if (*ttl_ms <= COMMAND_TTL_MAX_MS)
        return EXIT_CODE_OK;
    fprintf(stderr, "sluice write: --ttl %s is too long: a command waits for 1h at most\n", text);
    return EXIT_CODE_USAGE;
}

/* The value goes as a text: the daemon knows the point's type, and what its texts mean. */
static char *request_body(const struct write_arguments *arguments, int64_t ttl_ms)
{
    cJSON *root = cJSON_CreateObject();
    uint64_t random = 0;
    char id[COMMAND_ID_SIZE_MAX];
    char *body = NULL;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = (uint64_t)clock_mono(&clock_system);
    snprintf(id, sizeof id, "cli-%016" PRIx64, random);
    if (cJSON_AddStringToObject(root, "id", arguments->id ? arguments->id : id) &&
        cJSON_AddStringToObject(root, "op", "write") &&
        cJSON_AddStringToObject(root, "d", arguments->device) &&
        cJSON_AddStringToObject(root, "p", arguments->point) &&
        cJSON_AddStringToObject(root, "v", arguments->value) &&
        (ttl_ms == 0 || cJSON_AddNumberToObject(root, "ttl", (double)ttl_ms)))
        body = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return body;
}

/* Who is to do something about it: the caller (2), the gateway's disk or load (5), the device (1).
 */
static int code_of(const char *why)
{
    static const struct {
        uint16_t status;
        int code;
    } codes[] = {
        {STATUS_NO_POINT, EXIT_CODE_USAGE},      {STATUS_NOT_WRITABLE, EXIT_CODE_USAGE},
        {STATUS_VALUE_REFUSED, EXIT_CODE_USAGE}, {STATUS_MALFORMED, EXIT_CODE_USAGE},
        {STATUS_NOT_STORED, EXIT_CODE_SYSTEM},   {STATUS_TOO_MANY, EXIT_CODE_SYSTEM},
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(status_why(codes[i].status), why) == 0)
            return codes[i].code;
    }
    return EXIT_CODE_FAILED;
}

static int tell(const struct write_arguments *arguments, const cJSON *answer)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(answer, "v");
    char *printed = value && !cJSON_IsNull(value) ? cJSON_PrintUnformatted(value) : NULL;
    int code = EXIT_CODE_OK;

    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "accepted"))) {
        if (!arguments->wait)
            printf("accepted, id %s\n", answer_text(answer, "id"));
    } else if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "ok"))) {
        if (printed)
            printf("%s/%s is %s\n", arguments->device, arguments->point, printed);
        else
            printf("%s/%s is written\n", arguments->device, arguments->point);
    } else {
        code = code_of(answer_text(answer, "why"));
        fprintf(stderr, "sluice write: %s/%s: %s: %s%s%s\n", arguments->device, arguments->point,
                answer_text(answer, "why"), answer_text(answer, "help"),
                printed ? "; the device holds " : "", printed ? printed : "");
    }
    free(printed);
    return code;
}

/* The answers are lines; the last one counts. A wait ends with what came of the command. */
static int tell_all(const struct write_arguments *arguments, char *body)
{
    int code = EXIT_CODE_SYSTEM;
    bool ended = false;
    char *rest = body;

    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        cJSON *answer = *line ? cJSON_Parse(line) : NULL;

        if (answer && arguments->json)
            puts(line);
        ended |= cJSON_HasObjectItem(answer, "ok") || (answer && !arguments->wait);
        if (answer)
            code = arguments->json && cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(answer, "ok"))
                       ? code_of(answer_text(answer, "why"))
                   : arguments->json ? EXIT_CODE_OK
                                     : tell(arguments, answer);
        cJSON_Delete(answer);
    }
    if (ended)
        return code;
    fprintf(stderr,
            "sluice write: the daemon ended before it answered: nobody knows whether the command "
            "was executed; read %s/%s before you repeat it\n",
            arguments->device, arguments->point);
    return EXIT_CODE_SYSTEM;
}

static int send_command(const struct write_arguments *arguments)
{
    char path[CLIENT_PATH_SIZE_MAX];
    char *request, *answer = NULL;
    int64_t ttl_ms = 0;
    int code = parse_ttl(arguments->ttl, &ttl_ms);

    if (code)
        return code;
    request = request_body(arguments, ttl_ms);
    strcpy(path, "/api/v1/commands");
    if (arguments->wait)
        client_add_query(path, "wait", "1");
    code = request ? client_send_body(arguments->socket_path, "POST", path, request, &answer)
                   : EXIT_CODE_SYSTEM;
    if (code == EXIT_CODE_OK || (code == EXIT_CODE_SYSTEM && answer))
        code = tell_all(arguments, answer);
    free(request);
    free(answer);
    return code;
}

int command_write(int argc, char **argv)
{
    struct write_arguments arguments = {.socket_path = gateway_socket_path()};
    const struct args_flag flags[] = {
        {"ttl", 't', "TIME", "execute it within this time or never, 1h at most;\n30s unless given",
         &arguments.ttl, NULL},
        {"wait", 'w', NULL, "wait for what comes of it, and print what was read back", NULL,
         &arguments.wait},
        {"id", 'i', "ID", "the command's id: the same id is never executed twice", &arguments.id,
         NULL},
        {"json", 'J', NULL, "print the answers as JSON, one a line", NULL, &arguments.json},
        COMMAND_SOCKET_FLAG(&arguments.socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice write",
        .operands = " DEVICE POINT VALUE",
        .operands_min = 3,
        .operands_max = 3,
        .about = "Writes a value to a point that is marked with \"write\" in the configuration.\n"
                 "VALUE is a number in the point's unit, true or false, or a text; for a point\n"
                 "with an \"enum\" its text or its number.\n",
        .after = "Exit status: 0 accepted (with --wait: done, and verified); 1 the device refused\n"
                 "or did not answer, or the time was over; 2 no such point, not writable, or a\n"
                 "value that it cannot take; 4 the daemon does not answer; 5 the journal cannot\n"
                 "store the command, or there are too many.\n\n"
                 "Example: sluice write --wait boiler mode auto\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    arguments.device = argv[first];
    arguments.point = argv[first + 1];
    arguments.value = argv[first + 2];
    return send_command(&arguments);
}
