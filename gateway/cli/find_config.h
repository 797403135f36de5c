/* Which configuration, and which device of it, a command is meant for. */
#ifndef SLUICE_CLI_FIND_CONFIG_H
#define SLUICE_CLI_FIND_CONFIG_H

#include "config/config.h"

/* For the flag that names the configuration to such a command. */
#define FIND_CONFIG_HELP                                                                           \
    "the configuration; unless given that of the daemon, or\n/etc/sluice/sluice.json"

/*
 * Loads the configuration `given`, else that of the daemon on the socket, else, where none answers,
 * the default; `parts` are filled in. Returns an exit code after telling on standard error, by
 * whose command, what is wrong: EXIT_CODE_CONFIG, EXIT_CODE_SYSTEM where the file cannot be read,
 * EXIT_CODE_NO_DAEMON where there is neither a daemon nor the default.
 */
int find_config(struct config **config, struct config_parts *parts, const char *given,
                const char *socket_path, const char *command);

/* The device `id` and its bus. False after telling that there is none, and which there are. */
bool find_device(const struct config *config, const char *id, const char *command,
                 const struct site_bus **bus, const struct site_device **device);

#endif
