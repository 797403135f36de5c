#include "web/workers.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/error.h"

#define WAITING_MAX 64
#define URGENT_MAX  (2 * WAITING_MAX)

struct workers {
    pthread_t threads[WORKERS_MAX];
    unsigned started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct worker_item *first, **end;
    unsigned waiting; /* reserved or posted, and not begun */
    bool closing;
};

static void *work(void *context)
{
    struct workers *workers = context;

    pthread_mutex_lock(&workers->lock);
    for (;;) {
        while (!workers->first && (workers->waiting || !workers->closing))
            pthread_cond_wait(&workers->changed, &workers->lock);
        struct worker_item *item = workers->first;
        if (!item)
            break;
        workers->first = item->next;
        if (!workers->first)
            workers->end = &workers->first;
        workers->waiting--;
        bool closing = workers->closing;
        if (closing && !workers->waiting)
            pthread_cond_broadcast(&workers->changed);
        pthread_mutex_unlock(&workers->lock);
        item->run(item, closing);
        pthread_mutex_lock(&workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

int workers_open(struct workers **out, unsigned count)
{
    struct workers *workers = calloc(1, sizeof *workers);

    if (!workers)
        return ERR_NOMEM;
    workers->end = &workers->first;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->changed, NULL);
    while (workers->started < count) {
        if (pthread_create(&workers->threads[workers->started], NULL, work, workers)) {
            workers_close(workers);
            return ERR_NOMEM;
        }
        workers->started++;
    }
    *out = workers;
    return 0;
}

void workers_stop(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    workers->closing = true;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->lock);
    while (workers->started)
        pthread_join(workers->threads[--workers->started], NULL);
}

void workers_close(struct workers *workers)
{
    if (!workers)
        return;
    workers_stop(workers);
    pthread_cond_destroy(&workers->changed);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

bool workers_reserve(struct workers *workers, bool urgent)
{
    pthread_mutex_lock(&workers->lock);
    bool taken = !workers->closing && workers->waiting < (urgent ? URGENT_MAX : WAITING_MAX);
    workers->waiting += taken;
    pthread_mutex_unlock(&workers->lock);
    return taken;
}

void workers_post(struct workers *workers, struct worker_item *item, bool urgent)
{
    pthread_mutex_lock(&workers->lock);
    item->next = urgent ? workers->first : NULL;
    if (!urgent)
        *workers->end = item;
    if (!item->next)
        workers->end = &item->next;
    if (urgent)
        workers->first = item;
    pthread_cond_signal(&workers->changed);
    pthread_mutex_unlock(&workers->lock);
}
