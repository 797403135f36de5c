/* A device or point that nobody has is no empty answer: whoever mistyped it is told. */
#include <stdio.h>
#include <string.h>

#include "core/candidates.h"
#include "core/error.h"
#include "web/feed.h"

bool feed_asks(const struct feed_query *query, const struct stream *stream, const char *device,
               const char *point)
{
    if ((!device || strcmp(stream->device, device) == 0) &&
        (!point || strcmp(stream->point, point) == 0))
        return true;
    return query->was && query->was(query->was_context, stream, device, point);
}

/* Whether there is a stream of that device and point; either may be NULL. */
static bool is_there(const struct journal *journal, const struct feed_query *query,
                     const char *device, const char *point)
{
    struct stream stream;
    uint32_t count = journal_stream_count(journal);

    for (uint32_t i = 1; i <= count; i++) {
        if (journal_stream(journal, i, &stream) && feed_asks(query, &stream, device, point))
            return true;
    }
    return false;
}

int feed_find(const struct journal *journal, const struct feed_query *query,
              char sentence[FEED_NAMES_SIZE])
{
    const char *device = query->device, *point = query->point;
    struct candidates candidates;
    struct stream stream;
    char there[FEED_NAMES_SIZE / 2];
    uint32_t count = journal_stream_count(journal);

    if ((!device && !point) || is_there(journal, query, device, point))
        return 0;
    bool known = !device || is_there(journal, query, device, NULL);
    candidates_init(&candidates, known ? point : device);
    for (uint32_t i = 1; i <= count; i++) {
        if (!journal_stream(journal, i, &stream))
            continue;
        if (!known)
            candidates_offer(&candidates, stream.device);
        else if (feed_asks(query, &stream, device, NULL))
            candidates_offer(&candidates, stream.point);
    }
    candidates_text(&candidates, there, sizeof there);
    if (!known)
        snprintf(sentence, FEED_NAMES_SIZE, "nothing is stored of a device \"%.64s\"%s", device,
                 there);
    else if (device)
        snprintf(sentence, FEED_NAMES_SIZE,
                 "nothing is stored of a point \"%.64s\" of device %.64s%s", point, device, there);
    else
        snprintf(sentence, FEED_NAMES_SIZE, "nothing is stored of a point \"%.64s\"%s", point,
                 there);
    return ERR_NOT_FOUND;
}
