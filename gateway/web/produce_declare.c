/* How points of programs are declared, and how often that may be. */
#include <inttypes.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/error.h"
#include "web/producers_inside.h"
#include "web/reply.h"

bool produce_is_marked(const struct producers *producers, const char *device)
{
    char marker[ID_SIZE_MAX];

    stream_producer(device, marker);
    return journal_find(producers->journal, marker, "") != 0;
}

/* The numbers that the journal has left are for the configuration. */
static int declare_one(struct producers *producers, struct stream *stream, struct http_reply *reply)
{
    if (producers->declared >= PRODUCERS_STREAMS_MAX) {
        reply_error(reply, 409,
                    "programs have described points as often as this journal has room for; those "
                    "that there are go on with the type, unit and name that they have");
        return ERR_FULL;
    }
    int error = journal_declare(producers->journal, stream);
    if (error)
        reply_failure(reply, error);
    else
        producers->declared++;
    return error;
}

int produce_declare(struct producers *producers, struct stream *stream, const char *account,
                    struct http_reply *reply)
{
    struct stream marker = {.type = VALUE_TEXT};
    int error = 0;

    if (!produce_is_marked(producers, stream->device)) {
        stream_producer(stream->device, marker.device);
        snprintf(marker.name, sizeof marker.name, "%s", account);
        error = declare_one(producers, &marker, reply);
    }
    return error ? error : declare_one(producers, stream, reply);
}

bool produce_refuse_anew(const struct produced *point, int64_t now_ns, struct http_reply *reply)
{
    int64_t wait_ns = point->anew_ns + PRODUCERS_ANEW_S * NS_PER_S - now_ns;
    char seconds[24];

    if (point->anew_ns == 0 || wait_ns <= 0)
        return false;
    snprintf(seconds, sizeof seconds, "%" PRId64, wait_ns / NS_PER_S + 1);
    http_reply_header(reply, "Retry-After", seconds);
    reply_error(reply, 429,
                "this point was given another type, unit or name less than a minute ago; these "
                "describe it and stay as they are, what changes belongs into its values");
    return true;
}
