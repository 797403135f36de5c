/* Rows and shapes in the words of JSON Schema. Used by schema.c. */
#ifndef SLUICE_CONFIG_SCHEMA_ROWS_H
#define SLUICE_CONFIG_SCHEMA_ROWS_H

#include "config/json_write.h"
#include "config/shape.h"

/* Rows as properties, but for those that `before` (may be NULL) has, too. */
void schema_rows(struct json_writer *writer, const struct option *rows,
                 const struct option *before);

/* "required" where anything is: of rows, of `more` on top of them, and of parts; each may be NULL.
 */
void schema_required(struct json_writer *writer, const struct option *rows,
                     const struct option *more, const struct part *parts);

/* Opens an object that has no other keys than those that are to be named. */
void schema_begin(struct json_writer *writer, const char *key, const char *help);

/* An object that consists of rows only: those of its shape and `extra` (may be NULL). */
void schema_plain(struct json_writer *writer, const char *key, const struct shape *shape,
                  const struct option *extra);

/* "report", which is defined once. */
void schema_report_reference(struct json_writer *writer);

/* A point of `shape`. In a profile it must have all that its driver needs; elsewhere a profile may
 * bring that. */
void schema_point(struct json_writer *writer, const char *key, const struct shape *shape,
                  const struct option *extra);

/* The keys that may stand in an object, for a driver's share of it. */
void schema_names(struct json_writer *writer, const struct shape *shape,
                  const struct option *extra);

#endif
