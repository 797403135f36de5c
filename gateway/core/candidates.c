#include "core/candidates.h"

#include <stdio.h>
#include <string.h>

void candidates_init(struct candidates *candidates, const char *found)
{
    candidates->count = 0;
    candidates->more = 0;
    nearest_init(&candidates->nearest, found);
}

void candidates_offer(struct candidates *candidates, const char *name)
{
    size_t size = strlen(name);

    if (size == 0 || size > NEAREST_SIZE_MAX)
        return;
    nearest_offer_part(&candidates->nearest, name);
    if (candidates->nearest.best == name) {
        memcpy(candidates->best, name, size + 1);
        candidates->nearest.best = candidates->best;
    }
    for (size_t i = 0; i < candidates->count; i++) {
        if (strcmp(candidates->listed[i], name) == 0)
            return;
    }
    if (candidates->count == CANDIDATES_MAX)
        candidates->more = 1;
    else
        memcpy(candidates->listed[candidates->count++], name, size + 1);
}

void candidates_text(const struct candidates *candidates, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    if (candidates->nearest.best) {
        snprintf(out, size, "; did you mean \"%s\"?", candidates->nearest.best);
        return;
    }
    for (size_t i = 0; i < candidates->count && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s",
                               i ? ", " : "; there are: ", candidates->listed[i]);
    if (candidates->more && at < size)
        snprintf(out + at, size - at, ", ...");
}
