/* sluice network: what is set for the machine's network interfaces, and changing it. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/secret.h"
#include "core/candidates.h"
#include "core/error.h"
#include "daemon/network_apply.h"

#define API "/api/v1/network"

static void print_list(const char *label, const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        printf("%s%s", label, cJSON_GetStringValue(item));
        label = ", ";
    }
}

static void print_interface(const cJSON *interface)
{
    const char *address = answer_text(interface, "address"),
               *router = answer_text(interface, "router");
    const char *ssid = answer_text(interface, "ssid"), *apn = answer_text(interface, "apn");

    printf("%-12s  %s%s%s", answer_text(interface, "name"), answer_text(interface, "method"),
           *address ? " " : "", address);
    printf("%s%s", *router ? ", router " : "", router);
    print_list(", name servers ", cJSON_GetObjectItem(interface, "dns"));
    print_list(", time servers ", cJSON_GetObjectItem(interface, "ntp"));
    printf("%s%s%s", *ssid ? ", Wi-Fi \"" : "", ssid, *ssid ? "\"" : "");
    printf("%s%s\n", *apn ? ", access point " : "", apn);
}

static void print_state(const cJSON *root)
{
    const cJSON *interface, *interfaces = cJSON_GetObjectItem(root, "interfaces");
    const char *why_not = answer_text(root, "why_not"), *why = answer_text(root, "why");

    cJSON_ArrayForEach(interface, interfaces) print_interface(interface);
    if (cJSON_GetArraySize(interfaces) == 0)
        printf("nothing is set here: the network is as the system has it\n");
    printf("managed by %s\n", answer_text(root, "by"));
    if (*why_not)
        printf("%s\n", why_not);
    if (cJSON_IsObject(cJSON_GetObjectItem(root, "pending")))
        printf("a change waits to be confirmed, and goes back by itself within two minutes:\n"
               "  sluice network confirm\n");
    else if (*why)
        printf("the last change: %s\n", why);
}

/* Sends a request and prints the state that comes back. */
static int ask(const char *socket_path, const char *method, const char *path, const char *body)
{
    char *answer = NULL;
    int code = client_send_body(socket_path, method, path, body, &answer);

    if (code == EXIT_CODE_OK) {
        cJSON *root = cJSON_Parse(answer);
        print_state(root);
        cJSON_Delete(root);
    }
    free(answer);
    return code;
}

static int show(const char *socket_path, bool json)
{
    char *body = NULL;
    int code = client_get_body(socket_path, API, &body);

    if (code == EXIT_CODE_OK && json) {
        fputs(body, stdout);
    } else if (code == EXIT_CODE_OK) {
        cJSON *root = cJSON_Parse(body);
        print_state(root);
        cJSON_Delete(root);
    }
    free(body);
    return code;
}

/* EXIT_CODE_OK where the machine has it; else EXIT_CODE_USAGE after telling which it has, or why
 * nobody can say. */
static int must_be_there(const char *socket_path, const char *name)
{
    struct candidates candidates;
    char *body = NULL, words[256];
    int code = client_get_body(socket_path, "/api/v1/system", &body);
    bool found = false;

    if (code != EXIT_CODE_OK)
        return code;
    cJSON *root = cJSON_Parse(body);
    const cJSON *network = cJSON_GetObjectItemCaseSensitive(root, "network"), *interface;
    candidates_init(&candidates, name);
    cJSON_ArrayForEach(interface, cJSON_GetObjectItemCaseSensitive(network, "interfaces"))
    {
        candidates_offer(&candidates, answer_text(interface, "name"));
        found |= strcmp(answer_text(interface, "name"), name) == 0;
    }
    cJSON_Delete(root);
    free(body);
    if (found)
        return EXIT_CODE_OK;
    candidates_text(&candidates, words, sizeof words);
    fprintf(stderr, "sluice network: this machine has no interface \"%s\"%s\n", name, words);
    return EXIT_CODE_USAGE;
}

struct wanted {
    const char *router, *dns, *ntp, *ssid, *apn;
    bool passphrase, pin;
};

/* "a,b" as a list. */
static void add_list(cJSON *object, const char *key, const char *commas)
{
    cJSON *list = commas ? cJSON_AddArrayToObject(object, key) : NULL;
    char *copy = commas ? strdup(commas) : NULL, *rest = NULL;

    for (char *part = copy ? strtok_r(copy, ", ", &rest) : NULL; part;
         part = strtok_r(NULL, ", ", &rest))
        cJSON_AddItemToArray(list, cJSON_CreateString(part));
    free(copy);
}

/* False, told, when there is none. */
static bool add_secret(cJSON *object, const char *key, const char *of)
{
    char secret[128];
    bool given = secret_ask(of, secret, sizeof secret);

    if (given)
        cJSON_AddStringToObject(object, key, secret);
    explicit_bzero(secret, sizeof secret);
    return given;
}

static void add_text(cJSON *object, const char *key, const char *text)
{
    if (text)
        cJSON_AddStringToObject(object, key, text);
}

static int set(const char *socket_path, const char *name, const char *address,
               const struct wanted *wanted)
{
    bool dhcp = strcmp(address, "dhcp") == 0;
    char path[CLIENT_PATH_SIZE_MAX];
    int code = EXIT_CODE_USAGE;

    if (!network_name_valid(name)) {
        fprintf(stderr, "sluice network: \"%s\" is no name that an interface may have\n", name);
        return code;
    }
    code = must_be_there(socket_path, name);
    if (code != EXIT_CODE_OK)
        return code;
    code = EXIT_CODE_USAGE;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "method", dhcp ? "dhcp" : "static");
    add_text(object, "address", dhcp ? NULL : address);
    add_text(object, "router", wanted->router);
    add_list(object, "dns", wanted->dns);
    add_list(object, "ntp", wanted->ntp);
    add_text(object, "ssid", wanted->ssid);
    add_text(object, "apn", wanted->apn);
    if ((!wanted->passphrase ||
         add_secret(object, "passphrase", wanted->ssid ? wanted->ssid : name)) &&
        (!wanted->pin || add_secret(object, "pin", name))) {
        char *body = cJSON_PrintUnformatted(object);
        snprintf(path, sizeof path, API "/%s", name);
        code = body ? ask(socket_path, "PUT", path, body) : EXIT_CODE_SYSTEM;
        if (body)
            explicit_bzero(body, strlen(body));
        cJSON_free(body);
    }
    cJSON_Delete(object);
    return code;
}

/* As must_be_there, but one that the machine has no more may still be set. */
static int must_be_set_or_there(const char *socket_path, const char *name)
{
    const cJSON *interface;
    char *body = NULL;
    int code = client_get_body(socket_path, API, &body);
    bool found = false;

    if (code != EXIT_CODE_OK)
        return code;
    cJSON *root = cJSON_Parse(body);
    cJSON_ArrayForEach(interface, cJSON_GetObjectItemCaseSensitive(root, "interfaces"))
    {
        found |= strcmp(answer_text(interface, "name"), name) == 0;
    }
    cJSON_Delete(root);
    free(body);
    return found ? EXIT_CODE_OK : must_be_there(socket_path, name);
}

static int drop(const char *socket_path, const char *name)
{
    char path[CLIENT_PATH_SIZE_MAX];
    int code = must_be_set_or_there(socket_path, name);

    if (code != EXIT_CODE_OK)
        return code;
    snprintf(path, sizeof path, API "/%s", name);
    return ask(socket_path, "DELETE", path, "");
}

/* Root's part, for the system's units. */
static int apply(const char *state, bool starting)
{
    char why[NETWORK_WHY_SIZE] = "";
    int error = network_apply(&network_this_machine, state, starting, why);

    if (!error)
        return EXIT_CODE_OK;
    fprintf(stderr, "sluice network: %s\n", *why ? why : error_text(error));
    return EXIT_CODE_SYSTEM;
}

int command_network(int argc, char **argv)
{
    const char *socket_path = gateway_socket_path();
    struct wanted wanted = {0};
    bool json = false, starting = false;
    const struct args_flag flags[] = {
        {"router", 'r', "ADDRESS", "by which other networks are reached", &wanted.router, NULL},
        {"dns", 'd', "LIST", "at most three addresses of name servers, with commas", &wanted.dns,
         NULL},
        {"ntp", 'n', "LIST", "at most three time servers, with commas", &wanted.ntp, NULL},
        {"ssid", 0, "NAME", "the Wi-Fi's name", &wanted.ssid, NULL},
        {"passphrase", 0, NULL, "asks for the Wi-Fi's passphrase", NULL, &wanted.passphrase},
        {"apn", 0, "NAME", "the access point of a mobile network", &wanted.apn, NULL},
        {"pin", 0, NULL, "asks for the card's PIN", NULL, &wanted.pin},
        {"json", 'J', NULL, "show as JSON", NULL, &json},
        {"starting", 0, NULL, "with apply: the machine starts", NULL, &starting},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice network",
        .operands = " [show | set INTERFACE dhcp|ADDRESS | reset INTERFACE | confirm | revert]",
        .operands_max = 3,
        .about = "Sets the network interfaces of this machine, through systemd-networkd or\n"
                 "NetworkManager.\n\n"
                 "  show     what is set; what is done without an operand\n"
                 "  set      an address from the network (dhcp), or one of its own with its\n"
                 "           prefix, as 192.168.7.20/24\n"
                 "  reset    the interface is again as the system has it\n"
                 "  confirm  keeps the change; without it, it goes back after two minutes\n"
                 "  revert   takes it back at once\n"
                 "  apply FOLDER  root's part of it, for the system's units\n",
        .after =
            "Exit status: 1 no change waits, or nothing was set; 2 there is no such interface,\n"
            "what is asked for cannot be, or the daemon refuses, and says why; 4 the daemon does\n"
            "not answer; 5 the system did not take it.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    int count = argc - first;
    const char *what = count > 0 ? argv[first] : "show";
    if (strcmp(what, "show") == 0 && count <= 1)
        return show(socket_path, json);
    if (strcmp(what, "set") == 0 && count == 3)
        return set(socket_path, argv[first + 1], argv[first + 2], &wanted);
    if (strcmp(what, "reset") == 0 && count == 2)
        return drop(socket_path, argv[first + 1]);
    if (strcmp(what, "confirm") == 0 && count == 1)
        return ask(socket_path, "POST", API "/confirm", "{}");
    if (strcmp(what, "revert") == 0 && count == 1)
        return ask(socket_path, "POST", API "/revert", "{}");
    if (strcmp(what, "apply") == 0 && count == 2)
        return apply(argv[first + 1], starting);
    fprintf(stderr, "sluice network: expected are show, set INTERFACE dhcp or ADDRESS, reset "
                    "INTERFACE, confirm or revert; see --help\n");
    return EXIT_CODE_USAGE;
}
