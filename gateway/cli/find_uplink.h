/* Which uplink of a configuration a command is meant for. */
#ifndef SLUICE_CLI_FIND_UPLINK_H
#define SLUICE_CLI_FIND_UPLINK_H

#include "config/config.h"

/*
 * The uplink `id`, or the first one where `id` is NULL, with its place (the first or not) filled
 * into its options. NULL after `command` has told on standard error that there is none, and which
 * there are.
 */
struct config_uplink *find_uplink(const struct config *config, const char *id, const char *command);

#endif
