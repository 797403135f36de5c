#include "daemon/update_intake.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

#define ROOM (256 * 1024)

struct intake {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned holders;
    size_t begin, size; /* of what waits in bytes, which is a ring */
    bool ended, whole, refused;
    bool wanting; /* somebody was told that there is no room */
    void (*wake)(void *context);
    void *wake_context;
    char bytes[ROOM];
};

int intake_open(struct intake **out, void (*wake)(void *context), void *wake_context)
{
    struct intake *intake = calloc(1, sizeof *intake);

    if (!intake)
        return ERR_NOMEM;
    pthread_mutex_init(&intake->lock, NULL);
    pthread_cond_init(&intake->changed, NULL);
    intake->holders = 2;
    intake->wake = wake;
    intake->wake_context = wake_context;
    *out = intake;
    return 0;
}

void intake_let_go(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    bool last = --intake->holders == 0;
    pthread_mutex_unlock(&intake->lock);
    if (!last)
        return;
    pthread_cond_destroy(&intake->changed);
    pthread_mutex_destroy(&intake->lock);
    free(intake);
}

/* Under the lock, so that nobody is woken who has ended meanwhile. */
static void wake_who_waits(struct intake *intake)
{
    if (intake->wanting)
        intake->wake(intake->wake_context);
    intake->wanting = false;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void copy_in(struct intake *intake, const char *data, size_t size)
{
    size_t end = (intake->begin + intake->size) % ROOM, first = smaller(size, ROOM - end);

    memcpy(intake->bytes + end, data, first);
    memcpy(intake->bytes, data + first, size - first);
    intake->size += size;
}

int intake_put(struct intake *intake, const char *data, size_t size)
{
    int error = 0;

    pthread_mutex_lock(&intake->lock);
    if (intake->refused || size > ROOM)
        error = ERR_CLOSED;
    else if (size > ROOM - intake->size)
        error = ERR_AGAIN;
    else
        copy_in(intake, data, size);
    intake->wanting = error == ERR_AGAIN;
    pthread_cond_signal(&intake->changed);
    pthread_mutex_unlock(&intake->lock);
    return error;
}

void intake_end(struct intake *intake, bool whole)
{
    pthread_mutex_lock(&intake->lock);
    if (!intake->ended)
        intake->whole = whole;
    intake->ended = true;
    intake->wanting = false;
    pthread_cond_signal(&intake->changed);
    pthread_mutex_unlock(&intake->lock);
}

void intake_refuse(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    intake->refused = true;
    wake_who_waits(intake);
    pthread_cond_signal(&intake->changed);
    pthread_mutex_unlock(&intake->lock);
}

static size_t copy_out(struct intake *intake, char *out, size_t room)
{
    size_t size = smaller(room, smaller(intake->size, ROOM - intake->begin));

    memcpy(out, intake->bytes + intake->begin, size);
    intake->begin = (intake->begin + size) % ROOM;
    intake->size -= size;
    return size;
}

long intake_get(struct intake *intake, char *out, size_t room)
{
    long got = ERR_CLOSED;

    pthread_mutex_lock(&intake->lock);
    while (intake->size == 0 && !intake->ended && !intake->refused)
        pthread_cond_wait(&intake->changed, &intake->lock);
    if (!intake->refused && intake->size > 0)
        got = (long)copy_out(intake, out, room);
    else if (!intake->refused && intake->whole)
        got = 0;
    wake_who_waits(intake);
    pthread_mutex_unlock(&intake->lock);
    return got;
}
