#include "web/route.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const role_words[] = {
    [ROLE_ANYBODY] = "anybody",
    [ROLE_VIEWER] = "viewer",
    [ROLE_OPERATOR] = "operator",
    [ROLE_OWNER] = "owner",
};

enum role route_role(const char *word)
{
    for (enum role role = ROLE_VIEWER; role <= ROLE_OWNER; role++)
        if (strcmp(word, role_words[role]) == 0)
            return role;
    return ROLE_ANYBODY;
}

const char *route_role_word(enum role role)
{
    return role_words[role];
}

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
