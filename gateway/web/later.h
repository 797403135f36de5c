/* Handlers that may wait: for a disk, for the daemon's loop. */
#ifndef SLUICE_WEB_LATER_H
#define SLUICE_WEB_LATER_H

#include "web/route.h"

/* Has `fn` answer in the handler's place, on another thread, where it may wait for some seconds;
 * what it gets as its request is a copy of this one, for as long as it runs. */
void later_answer(const struct route_request *request, struct http_reply *reply, route_fn *fn,
                  void *context);

#endif
