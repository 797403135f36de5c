/*
 * The files that a configuration names: certificates, keys, passwords, tables of points. They lie
 * in the folder of the configuration. What is in one is told, but never given back.
 */
#ifndef SLUICE_WEB_FILES_API_H
#define SLUICE_WEB_FILES_API_H

#include "journal/journal.h"
#include "web/route.h"

#define FILES_MAX          256
#define FILES_NAME_SIZE    65
#define FILES_SIZE_MAX     (256 * 1024)
#define FILES_ENDING_COUNT 10
#define FILES_USER_SIZE    128

struct files_api;

/* `config_path` and `journal` (for the audit trail) outlive it. ERR_NOMEM. */
int files_api_open(struct files_api **api, const char *config_path, struct journal *journal);
void files_api_close(struct files_api *api);

struct routes files_api_routes(struct files_api *api);

/* Whether a file may have that name: letters, digits, - _ and . within, 64 at most, with an ending
 * that says what is in it. */
bool files_name_valid(const char *name);

/* Whether what is in a file of that name is a secret: a key, a password. */
bool files_is_secret(const char *name);

/* Where the configuration's file names the file first, as "uplinks[0].tls.ca"; "" where it does
 * not.
 */
void files_user(const char *config_path, const char *name, char out[FILES_USER_SIZE]);

/* The path of a file in the configuration's folder. */
void files_path(const char *config_path, const char *name, char *out, size_t size);

/* Calls `each` for the first FILES_MAX files in the order of their names. Returns how many there
 * are, which may be more; ERR_NOMEM. A folder that cannot be read has none. */
int files_each(const char *config_path, void (*each)(void *context, const char *name),
               void *context);

#endif
