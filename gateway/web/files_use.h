/* Where the configuration's file names the files of its folder: a file in use is neither replaced
 * nor removed. */
#ifndef SLUICE_WEB_FILES_USE_H
#define SLUICE_WEB_FILES_USE_H

#include "config/config.h"
#include "config/json.h"
#include "config/json_write.h"
#include "web/files_api.h"

struct files_use;

/* Reads the configuration, for as many questions as there are. NULL without memory; a file that
 * cannot be read names nothing. `config_path` outlives it. */
struct files_use *files_use_open(const char *config_path);

/* The same of a text that is no file yet. */
struct files_use *files_use_open_text(const char *config_path, const char *text);
void files_use_close(struct files_use *use);

/*
 * Writes each place that names the file, as "uplinks[0].tls.ca", into an open list (`writer` NULL:
 * nowhere), and the first of them into `first` (NULL is fine; "" where there is none). A place may
 * name it by its absolute path, through a link, or with ${gateway.id} in it. `use` may be NULL.
 */
void files_use_find(const struct files_use *use, const char *name, struct json_writer *writer,
                    char first[FILES_USER_SIZE]);

/*
 * Calls `each` for the texts that name a file which is there, wherever, one text once; `kept`: a
 * backup has it, since it is in the folder of the configuration and has a name as files_name_valid
 * wants it. `use` may be NULL.
 */
void files_use_each(const struct files_use *use,
                    void (*each)(void *context, const struct json *value, bool kept),
                    void *context);

/* Calls `each` for the texts that would name a file of the configuration's folder if there were
 * one, with the name that it would have. `use` may be NULL. */
void files_use_absent(const struct files_use *use,
                      void (*each)(void *context, const struct json *value, const char *name),
                      void *context);

/*
 * Whether what is in the file of that name is a secret: by its name, by an option that names it and
 * expects one, by its bytes (a private key), or because nothing names it and not everybody may read
 * it. `use` NULL: it is taken for one.
 */
bool files_use_secret(const struct files_use *use, const struct config_parts *parts,
                      const char *name, const char *data, size_t size);

#endif
