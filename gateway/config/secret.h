/* Files that the configuration names: passwords, keys, certificates. */
#ifndef SLUICE_CONFIG_SECRET_H
#define SLUICE_CONFIG_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

/*
 * Whether the file or folder can be read, and, when it holds a secret, not by everybody. Carries
 * `hash` on over a file's content, so that a renewed certificate is seen as a change. Returns 0, or
 * an error with the rest of a sentence that begins with the path in `why`.
 */
int secret_check(const char *path, bool secret, uint64_t *hash, char *why, size_t why_size);

enum secret_kind { SECRET_NONE, SECRET_PRIVATE_KEY, SECRET_PASSWORD };

/* What the file holds that an option of that name, wherever it may stand, names. */
enum secret_kind secret_kind(const struct config_parts *parts, const char *key);

/* Whether such an option names a file that has to be there, a secret or not. */
bool file_key(const struct config_parts *parts, const char *key);

#endif
