/*
 * Routes: which method and path leads to which handler, and who may go there. Each part of the API
 * is a table of rows; docs/openapi.json describes the same, and a test holds both together.
 */
#ifndef SLUICE_WEB_ROUTE_H
#define SLUICE_WEB_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "web/http.h"

#define ROUTE_NAMES_MAX    2
#define ROUTE_NAME_SIZE    128
#define CALLER_NAME_SIZE   64
#define CALLER_ORIGIN_SIZE HTTP_ADDRESS_SIZE

/* What somebody may do; each role may do what the ones before it may. */
enum role {
    ROLE_ANYBODY = 0,
    ROLE_VIEWER,   /* sees everything but secrets */
    ROLE_OPERATOR, /* writes points, too */
    ROLE_OWNER,    /* configures, too */
};

/* Who asks. */
struct caller {
    enum role role;
    char account[CALLER_NAME_SIZE];  /* "anna", "token:grafana", "uid 1000"; "": nobody known */
    char origin[CALLER_ORIGIN_SIZE]; /* the address, or "socket" */
    bool local;                      /* over the unix socket */
};

struct route_request {
    const struct http_request *http;
    const struct caller *caller;
    char names[ROUTE_NAMES_MAX][ROUTE_NAME_SIZE]; /* what stands for {…} in the path */
};

typedef void route_fn(void *context, const struct route_request *request, struct http_reply *reply);

struct route {
    const char *method; /* "GET" */
    const char *path;   /* "/api/v1/files/{name}": a segment in braces takes any text */
    enum role role;     /* the least */
    route_fn *handle;   /* on the server's thread: see http.h */
    size_t body_max;    /* 0: HTTP_BODY_SIZE_MAX */
};

/* Rows that share a context, which their handlers get. The rows live as long as the server. */
struct routes {
    const struct route *rows;
    size_t count;
    void *context;
};

/* A role by its word: "viewer", "operator", "owner"; ROLE_ANYBODY for any other. And back. */
enum role route_role(const char *word);
const char *route_role_word(enum role role);

/* Who asks over the unix socket: whoever may open it may do everything. */
void route_local_caller(const struct http_request *request, struct caller *caller);

/* Whether the path (decoded) is that of the row; fills the names in. A name that is empty or longer
 * than ROUTE_NAME_SIZE matches nothing. */
bool route_matches(const struct route *route, const char *path,
                   char names[ROUTE_NAMES_MAX][ROUTE_NAME_SIZE]);

#endif
