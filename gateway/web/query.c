#include "web/query.h"

#include <errno.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/error.h"

int query_time(const struct http_request *request, const char *key, int64_t *wall_ns)
{
    const char *text = http_query(request, key);

    return text ? clock_parse(text, clock_wall(&clock_system), wall_ns) : 0;
}

int query_u64(const struct http_request *request, const char *key, uint64_t *value)
{
    const char *text = http_query(request, key);
    char *end;

    if (!text)
        return 0;
    if (*text < '0' || *text > '9')
        return ERR_INVALID;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return *end || errno ? ERR_INVALID : 0;
}
