/* The text of a backup's configuration, or what was made of a template, in place of the one in
 * force. */
#ifndef SLUICE_WEB_RESTORE_TEXT_H
#define SLUICE_WEB_RESTORE_TEXT_H

#include "web/export_api.h"

/*
 * Applies it as somebody would who had edited the file: on trial, for as long as one needs to log
 * in anew. That nothing would change is no failure. ERR_CONFIG: it has mistakes. `reply` is filled
 * in with what went wrong, and is left alone at 0.
 */
int restore_text(const struct export_given *given, const struct route_request *request,
                 const char *text, const char *comment, struct config_answer *answer,
                 struct http_reply *reply);

/*
 * Fills `reply` in with all mistakes of a template, by their places in it as it was given: in what
 * was made of it (`made`, NULL where that failed) they may be others. False where it has none, or
 * none that is left in what was made of it.
 */
bool restore_text_mistakes(const struct export_given *given, const char *text, const char *made,
                           struct http_reply *reply);

#endif
