/* A profile by its file, where a command takes the name of one. */
#ifndef SLUICE_CLI_PROFILE_PATH_H
#define SLUICE_CLI_PROFILE_PATH_H

#include <limits.h>
#include <stdbool.h>

#include "config/config.h"

struct profile_path {
    char folder[PATH_MAX], name[NAME_MAX + 1];
};

/* Whether it is the path of a file that a configuration could name, as "./acme-m1.json" is. */
bool profile_is_file(const char *text);

/* Whether a slash or the ending says that it is a path, and not a profile's name. */
bool profile_is_path(const char *text);

/*
 * Where *name is a path, puts the file's folder in front of the others in `parts` and its name into
 * *name; `room` outlives both. False after telling, in the name of `command`, that the file cannot
 * be read, or is no NAME.json.
 */
bool profile_path_take(struct profile_path *room, struct config_parts *parts, const char **name,
                       const char *command);

#endif
