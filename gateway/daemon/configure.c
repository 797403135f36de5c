#include "daemon/configure.h"

#include <stdlib.h>

#include "core/error.h"
#include "web/config_api.h"

struct configure {
    struct change *change;
    struct config_api *config;
};

static int mount_config(struct configure *configure, struct api *api, struct running *running,
                        const struct configure_given *given)
{
    struct config_keeper keeper = {
        .parts = given->parts, .first = given->first, .journal = running->journal};
    int error;

    change_keeper(given->change, &keeper);
    error = config_api_open(&configure->config, &keeper);
    if (error)
        return error;
    struct routes routes = config_api_routes(configure->config);
    return api_mount(api, &routes);
}

int configure_open(struct configure **out, struct api *api, struct running *running,
                   const struct configure_given *given)
{
    struct configure *configure = calloc(1, sizeof *configure);

    *out = configure;
    if (!configure)
        return ERR_NOMEM;
    configure->change = given->change;
    int error = mount_config(configure, api, running, given);
    if (!error)
        change_resume(given->change);
    return error;
}

void configure_stop(struct configure *configure)
{
    if (configure)
        change_pause(configure->change);
}

void configure_close(struct configure *configure)
{
    if (configure)
        config_api_close(configure->config);
    free(configure);
}
