/* Two configurations compared by what they mean, and not by how they are written. */
#ifndef SLUICE_CONFIG_DIFFERENCE_H
#define SLUICE_CONFIG_DIFFERENCE_H

#include "config/json.h"
#include "config/json_write.h"

#define DIFFERENCE_MAX       500 /* changes that are told; what is above is counted */
#define DIFFERENCE_PATH_SIZE 256

/*
 * Writes a list of {"at": "devices.boiler.name", "from": VALUE, "to": VALUE} under `key`; "from" is
 * missing where something is new and "to" where it is gone. Entries of lists are matched by their
 * ids, lists of others are compared as a whole. `old` may be NULL (nothing was there). Returns how
 * many there are, also above DIFFERENCE_MAX. Any thread.
 */
unsigned difference_write(struct json_writer *writer, const char *key, const struct json *old,
                          const struct json *new);

/* The places alone, in words of at most `size` bytes: "devices.boiler.name, uplinks.cloud and 3
 * more". Returns how many. */
unsigned difference_words(const struct json *old, const struct json *new, char *out, size_t size);

#endif
