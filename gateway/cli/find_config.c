#include "cli/find_config.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "core/candidates.h"
#include "core/error.h"
#include "daemon/gateway.h"

/* The path of the daemon's own; false where none answers. */
static bool ask_daemon(const char *socket_path, char path[PATH_MAX])
{
    char *body = NULL;

    if (!client_finds_daemon(socket_path) ||
        client_get_body(socket_path, "/api/v1/status", &body) != EXIT_CODE_OK)
        return false;
    cJSON *status = cJSON_Parse(body);
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(status, "config");
    snprintf(path, PATH_MAX, "%s", answer_text(config, "path"));
    cJSON_Delete(status);
    free(body);
    return *path != '\0';
}

int find_config(struct config **config, struct config_parts *parts, const char *given,
                const char *socket_path, const char *command)
{
    char path[PATH_MAX];

    if (given)
        snprintf(path, sizeof path, "%s", given);
    else if (!ask_daemon(socket_path, path))
        snprintf(path, sizeof path, "%s", GATEWAY_CONFIG_PATH);
    if (!given && strcmp(path, GATEWAY_CONFIG_PATH) == 0 && access(path, F_OK) != 0) {
        fprintf(stderr,
                "%s: neither a gateway's configuration nor %s can be taken: name a file with "
                "--config, or see to the gateway\n",
                command, path);
        client_must_find(socket_path);
        return EXIT_CODE_NO_DAEMON;
    }
    gateway_config_parts(parts);
    switch (config_load(config, path, parts, config_tell_stdio, stderr)) {
    case 0:
        return EXIT_CODE_OK;
    case ERR_CONFIG:
        return EXIT_CODE_CONFIG;
    default:
        return EXIT_CODE_SYSTEM;
    }
}

bool find_device(const struct config *config, const char *id, const char *command,
                 const struct site_bus **bus, const struct site_device **device)
{
    const struct site *site = &config->site;
    struct candidates candidates;
    char words[256];

    candidates_init(&candidates, id);
    for (size_t i = 0; i < site->bus_count; i++) {
        for (size_t j = 0; j < site->buses[i].device_count; j++) {
            *bus = &site->buses[i];
            *device = &site->buses[i].devices[j];
            if (strcmp((*device)->id, id) == 0)
                return true;
            candidates_offer(&candidates, (*device)->id);
        }
    }
    candidates_text(&candidates, words, sizeof words);
    fprintf(stderr, "%s: %s has no device \"%s\"%s\n", command, config->path, id, words);
    return false;
}
