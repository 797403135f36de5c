#include "cli/find_uplink.h"

#include <stdio.h>
#include <string.h>

#include "core/candidates.h"
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
