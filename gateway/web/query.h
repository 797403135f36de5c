/* What stands behind the question mark of a request, as times and numbers. */
#ifndef SLUICE_WEB_QUERY_H
#define SLUICE_WEB_QUERY_H

#include "web/http.h"

/* A time as clock_parse takes it, in ns of the wall clock. Leaves `wall_ns` as it is where the key
 * is absent. 0 or ERR_INVALID. */
int query_time(const struct http_request *request, const char *key, int64_t *wall_ns);

/* A whole number, the same way. */
int query_u64(const struct http_request *request, const char *key, uint64_t *value);

#endif
