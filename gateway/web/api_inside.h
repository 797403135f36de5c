/* What the files of the API share. */
#ifndef SLUICE_WEB_API_INSIDE_H
#define SLUICE_WEB_API_INSIDE_H

#include "web/api.h"
#include "web/http.h"
#include "web/route.h"

#define API_TABLES_MAX 32

struct accepter; /* core/accept.h */

struct api {
    struct http *http;
    struct loop *loop;
    struct journal *journal;
    struct api_source source;
    struct gate gate;
    api_known_fn *known;
    void *known_context;
    struct routes tables[API_TABLES_MAX];
    size_t table_count;
    struct {
        const char *path; /* NULL: no body is taken as it comes */
        api_receive_fn *receive;
        void *context;
    } upload;
    int fd; /* of the unix socket; -1 */
    struct accepter *accepter;
    char path[108]; /* as sun_path */
};

/* Wakes the streams of the API that is the context: for whoever fills one. */
void api_wake_streams(void *context);

struct routes api_journal_routes(struct api *api); /* what is stored: events, states of a moment */
struct routes api_offer_routes(struct api *api);   /* what routes there are */
struct routes api_field_routes(struct api *api);   /* what runs: status, commands, buses */

#endif
