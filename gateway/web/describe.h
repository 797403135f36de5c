/* What a file of certificates, keys or passwords is, in words and in fields. */
#ifndef SLUICE_WEB_DESCRIBE_H
#define SLUICE_WEB_DESCRIBE_H

#include "config/json_write.h"
#include "tls/inspect.h"

/* The keys and certificates beside the configuration: to look at one of them takes a millisecond,
 * or on a small board ten. NULL: there is no memory, and nothing is matched. */
struct neighbours;
struct neighbours *neighbours_open(const char *config_path);
void neighbours_close(struct neighbours *neighbours);

/*
 * Writes "kind", "sentence" and what fits the kind into an open object. Keys and certificates are
 * matched with the neighbours, but the one called `but` (NULL: with all). `now_s` is the wall
 * clock, UTC.
 */
void describe_file(struct json_writer *writer, const struct inspect *inspect,
                   const struct neighbours *neighbours, const char *but, int64_t now_s);

#endif
