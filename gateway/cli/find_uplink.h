/* Which configuration, and which uplink of it, a command is meant for. */
#ifndef SLUICE_CLI_FIND_UPLINK_H
#define SLUICE_CLI_FIND_UPLINK_H

#include <limits.h>

#include "config/config.h"

/*
 * The uplink `id`, or the first one where `id` is NULL, with its place (the first or not) filled
 * into its options. NULL after `command` has told on standard error that there is none, and which
 * there are.
 */
struct config_uplink *find_uplink(const struct config *config, const char *id, const char *command);

/* For the flag that names the configuration to such a command. */
#define FIND_CONFIG_HELP                                                                           \
    "the configuration; unless given that of the daemon, or /etc/sluice/sluice.json"

/* The path of the configuration: `given`, else that of the daemon on the socket, else, where none
 * answers, the default; in `out` where it was found out. */
const char *find_config(const char *given, const char *socket_path, char out[PATH_MAX]);

#endif
