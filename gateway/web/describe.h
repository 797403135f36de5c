/* What a file of certificates, keys or passwords is, in words and in fields. */
#ifndef SLUICE_WEB_DESCRIBE_H
#define SLUICE_WEB_DESCRIBE_H

#include "config/json_write.h"
#include "tls/inspect.h"

/*
 * Writes "kind", "sentence" and what fits the kind into an open object. Keys and certificates are
 * matched with the files beside the configuration (`config_path`), but the one called `but` (NULL:
 * with all). `now_s` is the wall clock, UTC.
 */
void describe_file(struct json_writer *writer, const struct inspect *inspect,
                   const char *config_path, const char *but, int64_t now_s);

#endif
