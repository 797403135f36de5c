/* Handlers that may wait: for a disk, for the daemon's loop; for another program, for root. */
#ifndef SLUICE_WEB_LATER_H
#define SLUICE_WEB_LATER_H

#include "web/route.h"

/* Has `fn` answer in the handler's place, on another thread, where it may wait for some seconds;
 * what it gets as its request is a copy of this one, for as long as it runs. */
void later_answer(const struct route_request *request, struct http_reply *reply, route_fn *fn,
                  void *context);

/* Makes a handler NAME_later that has NAME answer so. */
#define LATER_ROUTE(name)                                                                          \
    static void name##_later(void *context, const struct route_request *request,                   \
                             struct http_reply *reply)                                             \
    {                                                                                              \
        later_answer(request, reply, name, context);                                               \
    }

/* The same for one that waits for another program or for root, who may take half a minute: it keeps
 * none of the others waiting. */
#define SLOW_ROUTE(name)                                                                           \
    static void name##_later(void *context, const struct route_request *request,                   \
                             struct http_reply *reply)                                             \
    {                                                                                              \
        later_answer(request, reply, name, context);                                               \
        reply->slow = true;                                                                        \
    }

#endif
