#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "web/jobs_inside.h"
#include "web/reply.h"

#define BEAT_NS (15 * NS_PER_S)

/* Follows a job's lines. */
struct follower {
    struct job *job;
    uint64_t position; /* of the first byte that was not sent */
    bool within;       /* of it a part was sent: it is a line that is larger than all the room */
    int64_t beat_ns;
    bool told_end;
};

static void put_end(struct text *text, const struct job *job)
{
    text_printf(text, "event: end\ndata: {\"exit\":%d,\"words\":", job->exit);
    text_json_string(text, job->words, strlen(job->words));
    text_string(text, "}\n\n");
}

/* Puts the line, or what fits of it where nothing stands before. Whether all of it is sent. */
static bool put_line(struct text *text, struct follower *follower, const char *line, size_t size)
{
    static const char head[] = "event: line\ndata: ", tail[] = "\n\n";
    size_t room = text->room - text->size - 1;
    size_t before = follower->within ? 0 : strlen(head);
    bool whole = before + size + strlen(tail) <= room;
    size_t part = size < room - before ? size : room - before;

    if (!whole && text->size > 0)
        return false;
    text_raw(text, head, before);
    text_raw(text, line, part);
    text_string(text, whole ? tail : "");
    follower->within = !whole;
    follower->position += part + whole;
    return whole;
}

/* Puts the lines that fit; under the lock. False where the one that is under way made room. */
static bool put_lines(struct text *text, struct follower *follower)
{
    struct job *job = follower->job;
    uint64_t end = job->dropped + job->size;

    if (follower->position < job->dropped) {
        if (follower->within)
            return false;
        follower->position = job->dropped;
    }
    while (follower->position < end) {
        const char *line = job->lines + (follower->position - job->dropped);
        const char *stop = memchr(line, '\n', (size_t)(end - follower->position));

        if (!stop || !put_line(text, follower, line, (size_t)(stop - line)))
            break;
    }
    return true;
}

static int64_t read_lines(void *stream, char *out, size_t room)
{
    struct follower *follower = stream;
    struct job *job = follower->job;
    struct text text;

    if (follower->told_end)
        return HTTP_STREAM_END;
    text_init(&text, out, room);
    pthread_mutex_lock(&job->jobs->lock);
    jobs_miss(job->jobs);
    bool goes_on = put_lines(&text, follower);
    if (!text.size && !job->running) {
        put_end(&text, job);
        follower->told_end = true;
    }
    pthread_mutex_unlock(&job->jobs->lock);
    if (!goes_on)
        return HTTP_STREAM_END; /* whoever follows begins again */
    int64_t now_ns = clock_mono(&clock_system);
    if (text.size) {
        follower->beat_ns = now_ns + BEAT_NS;
    } else if (now_ns >= follower->beat_ns) {
        text_string(&text, ": \n\n");
        follower->beat_ns = now_ns + BEAT_NS;
    }
    return text.size ? (int64_t)text.size : HTTP_STREAM_WAIT;
}

static void close_follower(void *stream)
{
    struct follower *follower = stream;

    job_release(follower->job);
    free(follower);
}

void jobs_get_lines(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct job *job = jobs_find(context, request, reply);
    struct follower *follower = job ? calloc(1, sizeof *follower) : NULL;

    if (!job)
        return;
    if (!follower) {
        job_release(job);
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    follower->job = job;
    follower->beat_ns = clock_mono(&clock_system) + BEAT_NS;
    reply->status = 200;
    reply->type = "text/event-stream";
    reply->read = read_lines;
    reply->close = close_follower;
    reply->stream = follower;
}
