/* Reading the files that a configuration consists of. */
#ifndef SLUICE_CONFIG_FILE_H
#define SLUICE_CONFIG_FILE_H

#include "config/findings.h"

/*
 * Reads and parses `path` (which must outlive the findings), or what stands for it in an archive
 * (core/shelf.h), into `arena`, names the tree to the findings, and tells them all that is wrong.
 * Returns 0 with *root set; ERR_INVALID for a file that
 * is no JSON; else why it cannot be read (ERR_NOT_FOUND, ERR_DENIED, ERR_IO, ERR_NOMEM), which is
 * told, too.
 */
int file_read_json(const struct json **root, struct arena *arena, const char *path,
                   struct findings *findings);

/* The same of a text that was read from there already; copied. */
int file_take_json(const struct json **root, struct arena *arena, const char *path,
                   const char *text, size_t size, struct findings *findings);

/* The same of a table of points (csv.h) whose driver has the rows `driver`. */
int file_read_points(const struct json **root, struct arena *arena, const char *path,
                     const struct option *driver, struct findings *findings);

#endif
