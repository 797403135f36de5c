/* The files that a refused configuration names and that are not there: whoever puts them there can
 * ask again. */
#ifndef SLUICE_WEB_NEEDS_H
#define SLUICE_WEB_NEEDS_H

#include "config/config.h"
#include "config/json_write.h"

/*
 * Writes the names of the files, as PUT /api/v1/files/NAME takes them, as the list "needs" into an
 * open object: those that `text` names where a file has to be, and that are not beside the
 * configuration. Which of them hold a private key or a password, by the options that name them, is
 * in the lists "keys" and "passwords".
 */
void needs_write(struct json_writer *writer, const struct config_parts *parts, const char *text,
                 const char *config_path);

#endif
