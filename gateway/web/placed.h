/*
 * The files and profiles of a backup, put in their places. They come before the configuration,
 * which is checked against them, and are taken away again when it is refused.
 */
#ifndef SLUICE_WEB_PLACED_H
#define SLUICE_WEB_PLACED_H

#include <stdbool.h>

#include "web/backup.h"
#include "web/http.h"

struct placed;

/* Looks where each of them belongs, and what is there. `place` and `backup` outlive it. ERR_NOMEM.
 * placed_close(NULL) is fine. */
int placed_open(struct placed **placed, const struct backup_place *place,
                const struct backup *backup);
void placed_close(struct placed *placed);

/* Whether one of them is another than that which the configuration in force uses, with `reply`
 * filled in: a change that goes back has no other file to go back to. */
bool placed_refuse_used(const struct placed *placed, struct http_reply *reply);

/* Writes those that differ from what is there. 0, or an error with `reply` filled in. */
int placed_write(struct placed *placed, struct http_reply *reply);

/* Puts back what was there before. What cannot be put back is logged. */
void placed_undo(const struct placed *placed);

#endif
