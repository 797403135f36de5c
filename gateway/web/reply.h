/* The replies that most routes give: JSON, an error in a sentence, a body of unknown size. */
#ifndef SLUICE_WEB_REPLY_H
#define SLUICE_WEB_REPLY_H

#include "core/text.h"
#include "web/http.h"

/* Takes `body` (malloc'd) over. */
void reply_json(struct http_reply *reply, int status, char *body, size_t size);

/* {"error":"SENTENCE"}: what happened, why, and what to do. */
void reply_error(struct http_reply *reply, int status, const char *sentence);

/* The same with "next": what to do, as a sentence of its own. */
void reply_refusal(struct http_reply *reply, int status, const char *sentence, const char *next);

/* The status and sentence of an error for which a route has no better words. */
void reply_failure(struct http_reply *reply, int error);

/* 200 with what `fill` writes as JSON: called again with twice the room until nothing is cut, so it
 * must write the same, or a little more, each time. */
void reply_filled(struct http_reply *reply, void (*fill)(void *context, struct text *text),
                  void *context);

/* Frees the headers that http_reply_header added, for whoever throws a reply away. */
void reply_free_headers(struct http_reply *reply);

#endif
