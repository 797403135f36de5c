/* The device profiles that a gateway can use: those in its profile folders, by name. */
#ifndef SLUICE_CONFIG_CATALOG_H
#define SLUICE_CONFIG_CATALOG_H

#include <limits.h>

#include "config/config.h"
#include "config/json.h"

/* Texts are "" and lists NULL where the profile does not say. */
struct catalog_profile {
    const char *name, *path;
    const char *vendor, *model, *category, *confidence, *notes;
    bool unverified;           /* as long as no device says that it is verified */
    const struct json *root;   /* the whole of it */
    const struct json *points; /* a list, or NULL */
};

struct catalog;

/*
 * Reads all profiles. Of two of one name the one of the earlier folder counts. A file that is no
 * JSON object is told through `tell` and left out. ERR_NOMEM. catalog_close(NULL) is fine.
 */
int catalog_open(struct catalog **catalog, const struct config_parts *parts, config_tell_fn *tell,
                 void *context);
void catalog_close(struct catalog *catalog);

/* In the order of their names. */
size_t catalog_count(const struct catalog *catalog);
const struct catalog_profile *catalog_at(const struct catalog *catalog, size_t index);

/* The profile of that name; NULL, with the name nearest to it in *nearest (NULL: none is near). */
const struct catalog_profile *catalog_find(const struct catalog *catalog, const char *name,
                                           const char **nearest);

/* How many points it has, and how many of them are read by default. */
size_t catalog_points(const struct catalog_profile *profile, size_t *read);

/* Whether it has a point of that id, read by default or not. */
bool catalog_has_point(const struct catalog_profile *profile, const char *id);

/* A device that a profile is tried on. */
struct catalog_use {
    const char *profile;         /* its name */
    const struct driver *driver; /* of its bus; NULL: the one that the profile names first */
    /* How the bus is reached: one of host and port, and its line; NULL: the profile's factory
     * setting, or an example. */
    const char *host, *port, *line;
    int64_t unit; /* -1: the profile's factory setting, or 1 */
    bool all;     /* all points that the profile knows; else those that it reads by default */
};

/*
 * Makes the smallest configuration that such a device is in: one bus with one device. 0; ERR_CONFIG
 * after every error was told, ERR_NOT_FOUND after telling that there is no such profile; ERR_NOMEM.
 */
int catalog_use(struct config **config, const struct catalog_use *use,
                const struct config_parts *parts, config_tell_fn *tell, void *context);

/*
 * Checks a profile that is in a file NAME.json as completely as `check` checks a configuration
 * that uses all of it. 0; ERR_CONFIG after every error was told, or why it could not be done (told,
 * too).
 */
int catalog_check(const char *path, const struct config_parts *parts, config_tell_fn *tell,
                  void *context);

/* Whether a configuration may name a profile so: plain names only, since a profile is looked for in
 * its folders and nowhere else. */
bool catalog_name_valid(const char *name);

/*
 * The file that a configuration means by that name (a shipped one may stand in an archive:
 * core/shelf.h). 0 with its path, and whether it is one of the user's own; ERR_NOT_FOUND.
 */
int catalog_file(const struct config_parts *parts, const char *name, char path[PATH_MAX],
                 bool *own);

/* The folder of the user's own profiles: the first whose profiles are not the shipped ones; NULL:
 * there is none. It need not be there yet. */
const char *catalog_own_folder(const struct config_parts *parts);

#endif
