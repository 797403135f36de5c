/* What this server has to offer: its own tables, against which docs/openapi.json is held. */
#include "web/api_inside.h"

#include "core/text.h"
#include "web/reply.h"

static void fill(void *context, struct text *text)
{
    const struct api *api = context;
    bool first = true;

    text_string(text, "{\"routes\":[");
    for (size_t t = 0; t < api->table_count; t++) {
        for (size_t i = 0; i < api->tables[t].count; i++) {
            const struct route *row = &api->tables[t].rows[i];

            text_printf(text, "%s\n{\"method\":\"%s\",\"path\":\"%s\",\"role\":\"%s\"}",
                        first ? "" : ",", row->method, row->path, route_role_word(row->role));
            first = false;
        }
    }
    text_string(text, "]}\n");
}

static void get_routes(void *context, const struct route_request *request, struct http_reply *reply)
{
    (void)request;
    reply_filled(reply, fill, context);
}

static const struct route rows[] = {
    {"GET", "/api/v1/routes", ROLE_VIEWER, get_routes, 0},
};

struct routes api_offer_routes(struct api *api)
{
    return (struct routes){rows, sizeof rows / sizeof *rows, api};
}
