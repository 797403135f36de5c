/* A device or point that nobody has is no empty answer: whoever mistyped it is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/candidates.h"
#include "core/error.h"
#include "web/feed.h"

/* No ids: of a device that is known, whatever its points are; and of a stream that is a device's own
 * and no point's. */
#define NO_POINT "/"
#define OWN      "."

struct name {
    char device[ID_SIZE_MAX], point[ID_SIZE_MAX]; /* "": any */
};

struct feed_names {
    struct name *items;
    size_t count, room;
};

struct feed_names *feed_names_open(void)
{
    return calloc(1, sizeof(struct feed_names));
}

void feed_names_close(struct feed_names *names)
{
    if (names)
        free(names->items);
    free(names);
}

void feed_names_add(struct feed_names *names, const char *device, const char *point)
{
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 16;
        struct name *grown = realloc(names->items, room * sizeof *grown);

        if (!grown)
            return;
        names->items = grown;
        names->room = room;
    }
    struct name *name = &names->items[names->count++];
    snprintf(name->device, sizeof name->device, "%s", device);
    snprintf(name->point, sizeof name->point, "%s", point ? point : "");
}

void feed_names_add_device(struct feed_names *names, const char *device)
{
    feed_names_add(names, device, NO_POINT);
}

static int compare(const void *one, const void *two)
{
    const struct name *a = one, *b = two;
    int order = strcmp(a->device, b->device);

    return order || !a->point[0] || !b->point[0] ? order : strcmp(a->point, b->point);
}

void feed_names_finish(struct feed_names *names)
{
    if (names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, compare);
}

void feed_names_ask(struct feed_query *query, feed_was_fn *was, void *context)
{
    if (was && (query->device || query->point))
        query->names = feed_names_open();
    if (!query->names)
        return;
    was(context, query->device, query->point, query->names);
    feed_names_finish(query->names);
}

/* What a stream of no point is called here. */
static const char *point_of(const struct stream *stream)
{
    return stream->point[0] ? stream->point : OWN;
}

/* `point`: "" for any. */
static bool has(const struct feed_names *names, const char *device, const char *point)
{
    struct name wanted;

    if (!names || names->count == 0)
        return false;
    snprintf(wanted.device, sizeof wanted.device, "%s", device);
    snprintf(wanted.point, sizeof wanted.point, "%s", point);
    return bsearch(&wanted, names->items, names->count, sizeof wanted, compare) != NULL;
}

bool feed_names_has(const struct feed_names *names, const struct stream *stream)
{
    return has(names, stream->device, point_of(stream));
}

bool feed_asks(const struct feed_query *query, const struct stream *stream, const char *device,
               const char *point)
{
    if ((!device || strcmp(stream->device, device) == 0) &&
        (!point || strcmp(stream->point, point) == 0))
        return true;
    /* Of a device alone, any of its points is one of its streams. */
    return has(query->names, stream->device, point ? point_of(stream) : "");
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
        if (!known && id_valid(stream.device)) /* and no stream of a bus */
            candidates_offer(&candidates, stream.device);
        else if (known && feed_asks(query, &stream, device, NULL))
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
