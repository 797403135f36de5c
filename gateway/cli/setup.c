/* What a person needs who opens the page for the first time. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/patience.h"

static cJSON *get(const char *socket_path, const char *path, int *code)
{
    char *body = NULL;

    *code = client_get_body(socket_path, path, &body);
    cJSON *root = body ? cJSON_Parse(body) : NULL;
    free(body);
    return root;
}

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* Where the page is, and how to tell that it is this gateway that answers. */
static void print_page(const cJSON *web, const char *setup_code)
{
    const cJSON *url, *urls = cJSON_GetObjectItemCaseSensitive(web, "urls");
    const char *fingerprint = text_of(web, "fingerprint"), *error = text_of(web, "error");

    if (cJSON_GetArraySize(urls) == 0) {
        printf("There is no page: %s\n",
               error && *error ? error : "\"web\" of the configuration turns it off");
        return;
    }
    printf("Open in a browser:\n");
    cJSON_ArrayForEach(url, urls)
    {
        printf("  %s\n", url->valuestring);
    }
    if (fingerprint && *fingerprint)
        printf("The browser warns once of a certificate that it does not know. Its SHA-256 is\n"
               "  %s\n",
               fingerprint);
    if (setup_code)
        printf("Setup code: %s\n", setup_code);
    else
        printf("The gateway has an owner: log in.\n");
}

/* The same for programs: with what there is. */
static void write_page(const cJSON *web, const char *setup_code)
{
    static const char *const keys[] = {"urls", "fingerprint", "self_signed", "error"};
    cJSON *object = cJSON_CreateObject();

    cJSON_AddBoolToObject(object, "owner", setup_code == NULL);
    if (setup_code)
        cJSON_AddStringToObject(object, "code", setup_code);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(web, keys[i]);

        if (value)
            cJSON_AddItemToObject(object, keys[i], cJSON_Duplicate(value, true));
    }
    char *text = cJSON_PrintUnformatted(object);
    if (text)
        printf("%s\n", text);
    cJSON_free(text);
    cJSON_Delete(object);
}

static int show(const char *socket_path, bool page, bool json)
{
    int code;
    cJSON *root = get(socket_path, "/api/v1/setup", &code);

    if (code != EXIT_CODE_OK)
        return code;
    const char *setup_code = text_of(root, "code");
    if (page || json) {
        cJSON *status = get(socket_path, "/api/v1/status", &code);
        if (code == EXIT_CODE_OK)
            (json ? write_page : print_page)(cJSON_GetObjectItemCaseSensitive(status, "web"),
                                             setup_code);
        cJSON_Delete(status);
        if (code == EXIT_CODE_OK && !page && !setup_code)
            code = EXIT_CODE_FAILED;
    } else if (setup_code) {
        printf("%s\n", setup_code);
    } else {
        fprintf(stderr,
                "sluice setup: the gateway has an owner already; \"sluice accounts\" lists who may "
                "log in, \"sluice password NAME\" sets a lost password anew\n");
        code = EXIT_CODE_FAILED;
    }
    cJSON_Delete(root);
    return code;
}

int command_setup(int argc, char **argv)
{
    const char *socket_path = gateway_socket_path(), *wait = NULL;
    struct patience patience;
    bool page = false, json = false;
    const struct args_flag flags[] = {
        {"page", 'p', NULL, "show where the page is, too, and its certificate", NULL, &page},
        {"json", 'J', NULL, "the code and where the page is as one JSON object", NULL, &json},
        PATIENCE_FLAG(&wait, "wait so long for a daemon that starts: 30s"),
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice setup",
        .operands = "",
        .about =
            "Shows the setup code, by which the first visitor of the page becomes the owner of\n"
            "the gateway.\n",
        .after = "Exit status: 1 the gateway has an owner already (0 with --page); 4 the daemon\n"
                 "does not answer.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (!patience_begin(&patience, wait, command.name))
        return EXIT_CODE_USAGE;
    while (!client_finds_daemon(socket_path) && patience_go_on(&patience))
        ;
    return show(socket_path, page, json);
}
