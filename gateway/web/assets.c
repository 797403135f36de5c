#include "web/assets.h"

#include <string.h>
#include <strings.h>

#include "web/assets_inside.h"
#include "web/reply.h"

/* Nothing but our own files, and nobody may show them inside a page of his own. */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
#define FOR_EVER "public, max-age=31536000, immutable"

static const struct asset *find(const char *path)
{
    for (const struct asset *asset = assets_list; asset->path; asset++) {
        if (strcmp(asset->path, path) == 0)
            return asset;
    }
    return NULL;
}

/* The names below /assets/ carry a hash of what is in them. */
static bool is_hashed(const struct asset *asset)
{
    return strncmp(asset->path, "/assets/", 8) == 0;
}

/* Without the header anything may be sent (RFC 9110, 12.5.3). */
static bool takes_gzip(const struct http_request *request)
{
    const char *accepted = http_header(request, "Accept-Encoding");

    for (const char *word = accepted; word && *word; word += *word != '\0') {
        word += strspn(word, " \t");
        size_t size = strcspn(word, ",; \t"), whole = strcspn(word, ",");
        bool named =
            (size == 4 && strncasecmp(word, "gzip", 4) == 0) || (size == 1 && *word == '*');
        const char *weight = memchr(word, '=', whole);

        /* "q=0", "q=0.0", "q=0.000" */
        if (named && !(weight && strspn(weight + 1, "0.") == (size_t)(word + whole - weight - 1)))
            return true;
        word += whole;
    }
    return accepted == NULL;
}

static bool is_known(const struct http_request *request, const struct asset *asset)
{
    const char *tags = http_header(request, "If-None-Match");

    return tags && (strcmp(tags, "*") == 0 || strstr(tags, asset->tag));
}

static void get_asset(void *context, const struct route_request *request, struct http_reply *reply)
{
    const struct asset *asset = find(request->http->path);

    (void)context;
    if (!asset) {
        reply_error(reply, 404, "the page has no such file: load the page again");
        return;
    }
    if (asset->compressed && !takes_gzip(request->http)) {
        reply_error(reply, 406, "the page's files are compressed: accept the encoding gzip");
        return;
    }
    http_reply_header(reply, "ETag", asset->tag);
    http_reply_header(reply, "Cache-Control", is_hashed(asset) ? FOR_EVER : "no-cache");
    http_reply_header(reply, "Content-Security-Policy", POLICY);
    if (is_known(request->http, asset)) {
        reply->status = 304;
        return;
    }
    if (asset->compressed)
        http_reply_header(reply, "Content-Encoding", "gzip");
    reply->status = 200;
    reply->type = asset->type;
    reply->asset = asset->bytes;
    reply->size = asset->size;
}

struct routes assets_routes(void)
{
    static const struct route rows[] = {
        {"GET", "/", ROLE_ANYBODY, get_asset, 0},
        {"GET", "/assets/{name}", ROLE_ANYBODY, get_asset, 0},
    };

    return (struct routes){rows, sizeof rows / sizeof *rows, NULL};
}
