#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/secret.h"
#include "core/candidates.h"
#include "core/event.h"
#include "core/text.h"
#include "web/route.h"

#define SECRET_SIZE 300
#define BODY_SIZE   1024

/* What accounts and tokens differ in. */
struct kind {
    const char *command, *word, *list, *path;
    bool password; /* one is asked for; else a token is answered */
};

static const struct kind accounts = {"sluice accounts", "account", "accounts", "/api/v1/accounts",
                                     true};
static const struct kind tokens = {"sluice tokens", "token", "tokens", "/api/v1/tokens", false};

/* Names go into a path as they are. */
static bool name_fits(const struct kind *kind, const char *name)
{
    if (id_valid(name))
        return true;
    fprintf(stderr, "%s: a name has small letters, digits, - and _; found \"%s\"\n", kind->command,
            name);
    return false;
}

/* Before a password is asked for. */
static bool role_fits(const struct kind *kind, const char *role)
{
    if (route_role(role) != ROLE_ANYBODY)
        return true;
    fprintf(stderr, "%s: a role is viewer, operator or owner; found \"%s\"\n", kind->command, role);
    return false;
}

static void put(struct text *text, const char *key, const char *value)
{
    text_printf(text, "%s\"%s\":", text->size > 1 ? "," : "", key);
    text_json_string(text, value, strlen(value));
}

static int list(const char *socket_path, const struct kind *kind, bool json)
{
    char *body = NULL;
    int code;

    if (json)
        return client_get(socket_path, kind->path, stdout);
    code = client_get_body(socket_path, kind->path, &body);
    if (code != EXIT_CODE_OK)
        return code;
    cJSON *root = cJSON_Parse(body);
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(root, kind->list), *entry;
    cJSON_ArrayForEach(entry, all)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "name"));
        const char *role = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "role"));

        printf("%-20s %s\n", name ? name : "?", role ? role : "?");
    }
    if (cJSON_GetArraySize(all) == 0)
        fprintf(stderr, "there are none yet\n");
    cJSON_Delete(root);
    free(body);
    return EXIT_CODE_OK;
}

/* EXIT_CODE_OK where there is one of that name; else EXIT_CODE_USAGE after telling which there are,
 * and `next`; or why nobody can say. */
static int must_be_there(const char *socket_path, const struct kind *kind, const char *name,
                         const char *next)
{
    struct candidates candidates;
    char *body = NULL, words[256];
    int code = client_get_body(socket_path, kind->path, &body);
    bool found = false;

    if (code != EXIT_CODE_OK)
        return code;
    cJSON *root = cJSON_Parse(body);
    const cJSON *entry;
    candidates_init(&candidates, name);
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(root, kind->list))
    {
        candidates_offer(&candidates, answer_text(entry, "name"));
        found |= strcmp(answer_text(entry, "name"), name) == 0;
    }
    cJSON_Delete(root);
    free(body);
    if (found)
        return EXIT_CODE_OK;
    candidates_text(&candidates, words, sizeof words);
    fprintf(stderr, "%s: there is no %s \"%s\"%s%s\n", kind->command, kind->word, name, words,
            next);
    return EXIT_CODE_USAGE;
}

/* Sends what is to be set, and tells `done`. */
static int set(const char *socket_path, const char *name, const char *role, const char *password,
               const char *done)
{
    char path[CLIENT_PATH_SIZE_MAX], body[BODY_SIZE], *answer = NULL;
    struct text text;

    snprintf(path, sizeof path, "%s/%s", accounts.path, name);
    text_init(&text, body, sizeof body);
    text_string(&text, "{");
    if (role)
        put(&text, "role", role);
    if (password)
        put(&text, "password", password);
    text_string(&text, "}");
    int code = client_send_body(socket_path, "PUT", path, body, &answer);
    free(answer);
    explicit_bzero(body, sizeof body);
    if (code == EXIT_CODE_OK)
        printf("%s %s\n", name, done);
    return code;
}

static int add_account(const char *socket_path, const char *name, const char *role)
{
    char password[SECRET_SIZE];
    int code = EXIT_CODE_USAGE;

    if (secret_ask(name, password, sizeof password))
        code = set(socket_path, name, role, password, "can log in now");
    explicit_bzero(password, sizeof password);
    return code;
}

static int add_token(const char *socket_path, const char *name, const char *role)
{
    char body[BODY_SIZE], *answer = NULL;
    struct text text;

    text_init(&text, body, sizeof body);
    text_string(&text, "{");
    put(&text, "name", name);
    put(&text, "role", role);
    text_string(&text, "}");
    int code = client_send_body(socket_path, "POST", tokens.path, body, &answer);
    if (code == EXIT_CODE_OK) {
        cJSON *root = cJSON_Parse(answer);
        const char *token = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "token"));

        fprintf(stderr, "this is shown once; send it as \"Authorization: Bearer TOKEN\":\n");
        printf("%s\n", token ? token : "?");
        cJSON_Delete(root);
    }
    free(answer);
    return code;
}

static int take_away(const char *socket_path, const struct kind *kind, const char *name)
{
    char path[CLIENT_PATH_SIZE_MAX], *answer = NULL;
    int code = must_be_there(socket_path, kind, name, "");

    if (code != EXIT_CODE_OK)
        return code;
    snprintf(path, sizeof path, "%s/%s", kind->path, name);
    code = client_send_body(socket_path, "DELETE", path, "", &answer);
    free(answer);
    if (code == EXIT_CODE_OK)
        printf("%s is removed\n", name);
    return code;
}

static int change_role(const char *socket_path, const char *name, const char *role)
{
    int code = must_be_there(socket_path, &accounts, name, "");

    return code == EXIT_CODE_OK ? set(socket_path, name, role, NULL, "has the new role") : code;
}

/* add NAME ROLE, role NAME ROLE, remove NAME, or nothing. */
static int act(const char *socket_path, const struct kind *kind, bool json, int count, char **words)
{
    const char *what = count > 0 ? words[0] : "";

    if (count == 0)
        return list(socket_path, kind, json);
    if (count > 1 && !name_fits(kind, words[1]))
        return EXIT_CODE_USAGE;
    if (count == 3 && strcmp(what, "remove") != 0 && !role_fits(kind, words[2]))
        return EXIT_CODE_USAGE;
    if (count == 3 && strcmp(what, "add") == 0)
        return (kind->password ? add_account : add_token)(socket_path, words[1], words[2]);
    if (count == 3 && strcmp(what, "role") == 0 && kind->password)
        return change_role(socket_path, words[1], words[2]);
    if (count == 2 && strcmp(what, "remove") == 0)
        return take_away(socket_path, kind, words[1]);
    fprintf(stderr, "%s: expected are add NAME ROLE, %sremove NAME, or nothing; see --help\n",
            kind->command, kind->password ? "role NAME ROLE, " : "");
    return EXIT_CODE_USAGE;
}

static int run(const struct kind *kind, const char *operands, const char *about, int argc,
               char **argv)
{
    const char *socket_path = gateway_socket_path();
    bool json = false;
    const struct args_flag flags[] = {
        {"json", 'J', NULL, "the list as JSON", NULL, &json},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = kind->command,
        .operands = operands,
        .operands_max = 3,
        .about = about,
        .after =
            "Exit status: 2 there is none of that name, or it cannot be so; 4 the daemon does\n"
            "not answer.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    return act(socket_path, kind, json, argc - first, argv + first);
}

int command_accounts(int argc, char **argv)
{
    return run(&accounts, " [add NAME ROLE | role NAME ROLE | remove NAME]",
               "Lists who may log in to the page, adds an account (its password is asked for),\n"
               "changes its role, or removes it. Roles: viewer sees, operator also writes points,\n"
               "owner also configures.\n",
               argc, argv);
}

int command_tokens(int argc, char **argv)
{
    return run(&tokens, " [add NAME ROLE | remove NAME]",
               "Lists the tokens by which programs may use the API, makes one (it is shown once),\n"
               "or removes it. Roles as of accounts.\n",
               argc, argv);
}

int command_password(int argc, char **argv)
{
    const char *socket_path = gateway_socket_path(), *role = NULL;
    char password[SECRET_SIZE];
    const struct args_flag flags[] = {
        {"role", 'r', "ROLE", "of an account that is new, or of a damaged file's first: owner",
         &role, NULL},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice password",
        .operands = " ACCOUNT",
        .operands_min = 1,
        .operands_max = 1,
        .about = "Sets a new password of an account, for whoever has lost it: it is asked for, or\n"
                 "read from standard input where that is no terminal. All sessions of the account\n"
                 "end.\n",
        .after = "Exit status: 2 the password is too short, or there is no such account (then\n"
                 "--role makes it); 4 the daemon does not answer.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (!name_fits(&accounts, argv[first]) || (role && !role_fits(&accounts, role)))
        return EXIT_CODE_USAGE;
    int code = EXIT_CODE_OK;
    if (!role)
        code = must_be_there(socket_path, &accounts, argv[first],
                             ". With --role it is made, as --role owner");
    if (code != EXIT_CODE_OK)
        return code;
    code = EXIT_CODE_USAGE;
    if (secret_ask(argv[first], password, sizeof password))
        code = set(socket_path, argv[first], role, password,
                   "has the new password; all sessions of the account have ended");
    explicit_bzero(password, sizeof password);
    return code;
}
