/* The files that a refused configuration names and that are not there: whoever puts them there can
 * ask again. */
#ifndef SLUICE_WEB_NEEDS_H
#define SLUICE_WEB_NEEDS_H

#include "config/json_write.h"
#include "web/proposal.h"

/*
 * Writes their names, as PUT /api/v1/files/NAME takes them, as the list "needs" into an open
 * object: those that `text` names where the proposal has a mistake. `text` may be another than the
 * proposal's, with its values at the same places.
 */
void needs_write(struct json_writer *writer, const struct proposal *proposal, const char *text,
                 const char *config_path);

#endif
