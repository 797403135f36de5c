#include "cli/find_uplink.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "core/candidates.h"
#include "daemon/gateway.h"
#include "uplink/uplink.h"

struct config_uplink *find_uplink(const struct config *config, const char *id, const char *command)
{
    struct candidates candidates;
    char words[256];

    if (!config->uplink_count) {
        fprintf(stderr, "%s: %s has no uplink; docs/configuration.md shows one\n", command,
                config->path);
        return NULL;
    }
    candidates_init(&candidates, id ? id : "");
    for (size_t i = 0; i < config->uplink_count; i++) {
        struct uplink_options *options = config->uplinks[i].options;

        if (!id || strcmp(config->uplinks[i].id, id) == 0) {
            options->first = i == 0;
            return &config->uplinks[i];
        }
        candidates_offer(&candidates, config->uplinks[i].id);
    }
    candidates_text(&candidates, words, sizeof words);
    fprintf(stderr, "%s: there is no uplink \"%s\"%s\n", command, id, words);
    return NULL;
}

const char *find_config(const char *given, const char *socket_path, char out[PATH_MAX])
{
    char *body = NULL;

    if (given)
        return given;
    snprintf(out, PATH_MAX, "%s", GATEWAY_CONFIG_PATH);
    if (!client_finds_daemon(socket_path) || client_get_body(socket_path, "/api/v1/status", &body))
        return out;
    cJSON *status = cJSON_Parse(body);
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(status, "config");
    const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(config, "path"));
    if (path)
        snprintf(out, PATH_MAX, "%s", path);
    cJSON_Delete(status);
    free(body);
    return out;
}
