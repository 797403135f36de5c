/* Which profiles a configuration's devices use. The user's own are on no other gateway. */
#ifndef SLUICE_WEB_PROFILES_USE_H
#define SLUICE_WEB_PROFILES_USE_H

#include "config/config.h"
#include "config/json.h"
#include "web/files_api.h"

/* Calls `each` with the name and the path of each of the user's own, once, in the order of the
 * devices. `root` may be NULL. */
void profiles_use_each(const struct json *root, const struct config_parts *parts,
                       void (*each)(void *context, const char *name, const char *path),
                       void *context);

/* Where the configuration's file uses the profile of that name first, own or not, as
 * "devices[0].profile"; "" where it does not. */
void profiles_user(const char *config_path, const char *name, char out[FILES_USER_SIZE]);

#endif
