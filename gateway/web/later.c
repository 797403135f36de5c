#include "web/later.h"

#include <stdlib.h>

#include "core/error.h"
#include "web/reply.h"

struct later {
    struct route_request request;
    struct caller caller;
    route_fn *fn;
    void *context;
};

static void work(void *context, const struct http_request *http, struct http_reply *reply)
{
    struct later *later = context;

    later->request.http = http;
    later->fn(later->context, &later->request, reply);
}

void later_answer(const struct route_request *request, struct http_reply *reply, route_fn *fn,
                  void *context)
{
    struct later *later = malloc(sizeof *later);

    if (!later) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    *later = (struct later){*request, *request->caller, fn, context};
    later->request.caller = &later->caller;
    reply->work = work;
    reply->work_context = reply->owned = later;
    reply->urgent = request->caller->role == ROLE_OWNER;
}
