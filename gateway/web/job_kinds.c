#include "web/job_kinds.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "web/reply.h"

#define ARGUMENTS_MAX 14

/* These stand for what the setting says. */
static const char SOCKET[] = "socket", CONFIG[] = "config";

/* How a key of the request stands on the command line. The last one is no key: the setting has it.
 */
enum form { FORM_TEXT, FORM_WHOLE, FORM_SWITCH, FORM_OPERAND, FORM_NODE_FILE };

struct argument {
    const char *key;
    const char *flag; /* "--units"; NULL for an operand */
    enum form form;
    bool needed;
};

struct job_kind {
    const char *name;
    const char *begin[8]; /* the command, and what it always gets */
    struct argument arguments[ARGUMENTS_MAX];
};

static const struct job_kind kinds[] = {
    {"scan",
     {"scan", "--json", "--socket", SOCKET},
     {{"line", "--line", FORM_TEXT, false},
      {"bauds", "--baud", FORM_TEXT, false},
      {"formats", "--format", FORM_TEXT, false},
      {"units", "--units", FORM_TEXT, false},
      {"timeout_ms", "--timeout", FORM_WHOLE, false},
      {"ask", "--ask", FORM_TEXT, false},
      {"frames", "--frames", FORM_TEXT, false},
      {"listen_s", "--listen", FORM_WHOLE, false},
      {"all", "--all", FORM_SWITCH, false},
      {"force", "--force", FORM_SWITCH, false},
      {"quick", "--quick", FORM_SWITCH, false},
      {"on", NULL, FORM_OPERAND, true}}},
    {"read",
     {"read", "--explain", "--json", "--socket", SOCKET},
     {{"line", "--line", FORM_TEXT, false},
      {"frames", "--frames", FORM_TEXT, false},
      {"unit", "--unit", FORM_WHOLE, false},
      {"reg", "--reg", FORM_WHOLE, true},
      {"table", "--table", FORM_TEXT, false},
      {"count", "--count", FORM_WHOLE, false},
      {"expect", "--expect", FORM_TEXT, false},
      {"within", "--within", FORM_TEXT, false},
      {"samples", "--samples", FORM_WHOLE, false},
      {"interval_ms", "--interval", FORM_WHOLE, false},
      {"timeout_ms", "--timeout", FORM_WHOLE, false},
      {"all", "--all", FORM_SWITCH, false},
      {"on", NULL, FORM_OPERAND, true}}},
    {"probe",
     {"probe", "--json", "--socket", SOCKET, "--config", CONFIG},
     {{"profile", "--profile", FORM_TEXT, false},
      {"unit", "--unit", FORM_WHOLE, false},
      {"line", "--line", FORM_TEXT, false},
      {"frames", "--frames", FORM_TEXT, false},
      {"on", NULL, FORM_OPERAND, true}}},
    {"assign",
     {"assign", "--json", "--socket", SOCKET},
     {{"profile", "--profile", FORM_TEXT, true},
      {"to", "--to", FORM_WHOLE, true},
      {"baud", "--baud", FORM_WHOLE, false},
      {"unit", "--unit", FORM_WHOLE, false},
      {"line", "--line", FORM_TEXT, false},
      {"force", "--force", FORM_SWITCH, false},
      {"on", NULL, FORM_OPERAND, true}}},
    {"doctor",
     {"doctor", "--json", "--socket", SOCKET, "--config", CONFIG},
     {{"uplink", NULL, FORM_OPERAND, true}}},
    {"drill",
     {"drill", "--json", "--socket", SOCKET, "--config", CONFIG},
     {{"minutes", "--minutes", FORM_WHOLE, true}, {"uplink", NULL, FORM_OPERAND, true}}},
    {"trace",
     {"trace", "--json", "--socket", SOCKET},
     {{"for_s", "--for", FORM_WHOLE, true}, {"on", NULL, FORM_OPERAND, true}}},
    {"node-status",
     {"node", "status", "--json", "--socket", SOCKET, "--config", CONFIG},
     {{"on", NULL, FORM_OPERAND, true}}},
    {"node-update",
     {"node", "update", "--json", "--socket", SOCKET, "--config", CONFIG},
     {{"older", "--older", FORM_SWITCH, false},
      {"no_confirm", "--no-confirm", FORM_SWITCH, false},
      {"on", NULL, FORM_OPERAND, true},
      {"file", NULL, FORM_NODE_FILE, true}}},
    {"node-confirm",
     {"node", "confirm", "--json", "--socket", SOCKET, "--config", CONFIG},
     {{"on", NULL, FORM_OPERAND, true}}},
    {"node-rollback",
     {"node", "rollback", "--json", "--socket", SOCKET, "--config", CONFIG},
     {{"on", NULL, FORM_OPERAND, true}}},
};

const char *job_kind_name(const struct job_kind *kind)
{
    return kind->name;
}

static int put(struct job_command *command, const char *argument)
{
    if (command->count == PROGRAM_ARGUMENTS_MAX)
        return ERR_TOO_LARGE;
    command->arguments[command->count++] = argument;
    command->arguments[command->count] = NULL;
    return 0;
}

static int put_copy(struct job_command *command, const char *text)
{
    size_t size = strlen(text) + 1;

    if (size > sizeof command->storage - command->used)
        return ERR_TOO_LARGE;
    char *copy = memcpy(command->storage + command->used, text, size);
    command->used += size;
    return put(command, copy);
}

static int refuse(struct http_reply *reply, const char *key, const char *words)
{
    char sentence[240];

    snprintf(sentence, sizeof sentence, "%.80s: %s", key, words);
    reply_error(reply, 400, sentence);
    return ERR_INVALID;
}

static int put_value(struct job_command *command, const struct argument *argument, const char *text,
                     struct http_reply *reply)
{
    int error = 0;

    /* Behind "--" nothing is taken for a flag; a flag's value never is. */
    if (argument->form == FORM_OPERAND)
        error = put(command, "--");
    else
        error = put(command, argument->flag);
    error = error ? error : put_copy(command, text);
    if (error)
        return refuse(reply, argument->key, "too long");
    if (argument->form == FORM_OPERAND)
        command->subject = command->arguments[command->count - 1];
    return 0;
}

static int put_argument(struct job_command *command, const struct argument *argument,
                        const struct json *value, struct http_reply *reply)
{
    char number[24];
    int64_t whole;

    switch (argument->form) {
    case FORM_SWITCH:
        if (value->type != JSON_BOOL)
            return refuse(reply, argument->key, "true or false is expected");
        return value->truth && put(command, argument->flag)
                   ? refuse(reply, argument->key, "too many arguments")
                   : 0;
    case FORM_WHOLE:
        if (!json_integer(value, &whole))
            return refuse(reply, argument->key, "a whole number is expected");
        snprintf(number, sizeof number, "%" PRId64, whole);
        return put_value(command, argument, number, reply);
    case FORM_TEXT:
    case FORM_OPERAND:
    case FORM_NODE_FILE:
        if (value->type != JSON_STRING || value->size == 0)
            return refuse(reply, argument->key, "a text is expected");
        return put_value(command, argument, value->text, reply);
    }
    return ERR_INVALID;
}

/* Whether every key of the request is one of the kind. */
static int check_keys(const struct job_kind *kind, const struct body *body,
                      struct http_reply *reply)
{
    for (const struct json *value = body->root->first; value; value = value->next) {
        bool known = strcmp(value->key, "kind") == 0;
        for (size_t i = 0; i < ARGUMENTS_MAX && kind->arguments[i].key && !known; i++)
            known = kind->arguments[i].form != FORM_NODE_FILE &&
                    strcmp(kind->arguments[i].key, value->key) == 0;
        if (!known)
            return refuse(reply, value->key, "no job of this kind has that");
    }
    return 0;
}

const struct job_kind *job_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static int tell_kinds(struct http_reply *reply)
{
    char list[200] = "expected is one of";

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t size = strlen(list);
        snprintf(list + size, sizeof list - size, "%s %s", i ? "," : "", kinds[i].name);
    }
    return refuse(reply, "kind", list);
}

static int put_begin(struct job_command *command, const struct job_setting *setting)
{
    int error = 0;

    for (const char *const *word = command->kind->begin; *word && !error; word++)
        error = put(command, *word == SOCKET   ? setting->socket_path
                             : *word == CONFIG ? setting->config_path
                                               : *word);
    return error;
}

/* What was uploaded for it, as the last operand. */
static int put_node_file(struct job_command *command, const struct job_setting *setting,
                         struct http_reply *reply)
{
    if (access(setting->node_file, R_OK) != 0)
        return refuse(reply, "file", "upload one first: PUT /api/v1/node/file");
    return put(command, setting->node_file) ? refuse(reply, "file", "too many arguments") : 0;
}

int job_command_read(struct job_command *command, const struct job_setting *setting,
                     const struct body *body, struct http_reply *reply)
{
    const char *name = "";
    int error = body_text(body, "kind", &name, reply);

    if (error)
        return error;
    memset(command, 0, sizeof *command);
    command->kind = job_kind_find(name);
    if (!command->kind)
        return tell_kinds(reply);
    error = check_keys(command->kind, body, reply);
    error = error ? error : put_begin(command, setting);
    for (size_t i = 0; i < ARGUMENTS_MAX && command->kind->arguments[i].key && !error; i++) {
        const struct argument *argument = &command->kind->arguments[i];
        const struct json *value = json_find(body->root, argument->key);

        if (argument->form == FORM_NODE_FILE)
            error = put_node_file(command, setting, reply);
        else if (value && value->type != JSON_NULL)
            error = put_argument(command, argument, value, reply);
        else if (argument->needed)
            error = refuse(reply, argument->key, "is missing");
    }
    return error;
}
