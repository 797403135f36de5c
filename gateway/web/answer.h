/* An object of JSON that is written as an answer. */
#ifndef SLUICE_WEB_ANSWER_H
#define SLUICE_WEB_ANSWER_H

#include "config/json_write.h"
#include "web/http.h"

struct answer {
    char *text;
    size_t size;
    struct json_writer writer;
};

/* Opens the object. False, with `reply` filled in, when out of memory. */
bool answer_begin(struct answer *answer, struct http_reply *reply);

/* Closes it and fills `reply` in. */
void answer_end(struct answer *answer, struct http_reply *reply, int status);

#endif
