/* Points of a device between a configuration and a table (csv.h), for people who keep them in a
 * spreadsheet. */
#ifndef SLUICE_CONFIG_POINTS_H
#define SLUICE_CONFIG_POINTS_H

#include <stdio.h>

#include "config/config.h"

/*
 * Writes the points that a device of the configuration `path` says itself as a table. Returns 0;
 * ERR_NOT_FOUND when there is no such device, ERR_CONFIG for a file that cannot be used so, told;
 * ERR_IO when the file cannot be read (told) or nothing be written, ERR_NOMEM.
 */
int points_export(const char *path, const char *device, char separator,
                  const struct config_parts *parts, FILE *out, config_tell_fn *tell, void *context);

/*
 * Checks a table as it would be checked in a configuration, and writes its points as the list that
 * "points" takes. `driver` is the name of theirs; NULL: the one that knows most of the columns.
 * Returns 0; ERR_CONFIG after every error was told; ERR_NOT_FOUND for a driver that is none (told),
 * ERR_IO when the table cannot be read (told) or nothing be written, ERR_NOMEM.
 */
int points_import(const char *path, const char *driver, const struct config_parts *parts, FILE *out,
                  config_tell_fn *tell, void *context);

#endif
