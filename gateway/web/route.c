#include "web/route.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void route_local_caller(const struct http_request *request, struct caller *caller)
{
    *caller = (struct caller){.role = ROLE_OWNER, .local = true, .origin = "socket"};
    snprintf(caller->account, sizeof caller->account, "uid %" PRId64, http_peer_user(request));
}

bool route_matches(const struct route *route, const char *path,
                   char names[ROUTE_NAMES_MAX][ROUTE_NAME_SIZE])
{
    const char *pattern = route->path;
    size_t taken = 0;

    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t size = strcspn(path, "/");

        if (size == 0 || size >= ROUTE_NAME_SIZE || taken == ROUTE_NAMES_MAX)
            return false;
        memcpy(names[taken], path, size);
        names[taken++][size] = '\0';
        path += size;
        pattern = strchr(pattern, '}') + 1;
    }
    return *path == '\0';
}
