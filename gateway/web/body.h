/* The JSON object that a request brings. What is wrong with it is answered with 400. */
#ifndef SLUICE_WEB_BODY_H
#define SLUICE_WEB_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/json.h"
#include "web/http.h"

struct body {
    struct arena *arena;
    const struct json *root; /* an object */
};

/* Reads the request's body. 0; or an error with `reply` filled in, and then there is nothing to
 * close. What is read lives until body_close, which wipes it. */
int body_read(struct body *body, const struct http_request *request, struct http_reply *reply);
void body_close(struct body *body);

/*
 * The value of a key that may be absent: *value is then left as it is. 0; or ERR_INVALID, when it
 * is of another type, with `reply` filled in. A null counts as absent.
 */
int body_text(const struct body *body, const char *key, const char **value,
              struct http_reply *reply);
int body_integer(const struct body *body, const char *key, int64_t *value,
                 struct http_reply *reply);
int body_object(const struct body *body, const char *key, const struct json **value,
                struct http_reply *reply);

#endif
