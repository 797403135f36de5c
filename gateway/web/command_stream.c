#include "web/command_stream.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

struct command_stream {
    struct command_sender sender; /* first: the desk hands it back */
    struct command_desk *desk;
    void (*wake)(void *context);
    void *context;
    bool wait;
    pthread_mutex_t lock;
    bool ended;           /* no line comes any more */
    size_t size, read_at; /* of the lines */
    char lines[2 * (COMMAND_ANSWER_SIZE_MAX + 1)];
};

static void on_answer(struct command_sender *sender, const char *json, size_t size, bool last)
{
    struct command_stream *stream = (struct command_stream *)sender;

    pthread_mutex_lock(&stream->lock);
    if (!stream->ended && stream->size + size < sizeof stream->lines) {
        memcpy(stream->lines + stream->size, json, size);
        stream->size += size;
        stream->lines[stream->size++] = '\n';
        stream->ended = last || !stream->wait;
    }
    pthread_mutex_unlock(&stream->lock);
    stream->wake(stream->context);
}

int command_stream_open(struct command_stream **out, struct command_desk *desk, const char *by,
                        bool wait, void (*wake)(void *context), void *context)
{
    struct command_stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        return ERR_NOMEM;
    snprintf(stream->sender.by, sizeof stream->sender.by, "%s", by);
    stream->sender.answer = on_answer;
    stream->desk = desk;
    stream->wait = wait;
    stream->wake = wake;
    stream->context = context;
    pthread_mutex_init(&stream->lock, NULL);
    *out = stream;
    return 0;
}

void command_stream_close(struct command_stream *stream)
{
    if (!stream)
        return;
    stream->desk->ops->leave(stream->desk, &stream->sender);
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

void command_stream_submit(struct command_stream *stream, const char *json, size_t size)
{
    static const struct command_delivery at_once = {0};

    stream->desk->ops->submit(stream->desk, &stream->sender, json, size, &at_once);
}

int64_t command_stream_read(struct command_stream *stream, char *out, size_t room)
{
    int64_t got = 0;

    pthread_mutex_lock(&stream->lock);
    if (stream->read_at < stream->size) {
        size_t left = stream->size - stream->read_at;

        got = (int64_t)(left < room ? left : room);
        memcpy(out, stream->lines + stream->read_at, (size_t)got);
        stream->read_at += (size_t)got;
    } else if (stream->ended) {
        got = ERR_CLOSED;
    }
    pthread_mutex_unlock(&stream->lock);
    return got;
}
