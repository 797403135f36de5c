#include "core/resolver.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

/* A resolver needs more than 64 KiB, sanitizers more than that. Only touched pages cost memory. */
#define STACK_BYTES (256 * 1024)

struct question {
    struct question *next;
    resolver_fn *fn;
    void *context;
    char name[RESOLVER_NAME_MAX];
    uint16_t port;
};

/* The threads hold it too: a look-up that hangs may end long after the owner has gone. */
struct resolver {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_cond_t told; /* an answer was handed over */
    struct question *first, **last;
    unsigned threads, idle, telling;
    bool closed;
};

static void release(struct resolver *resolver)
{
    while (resolver->first) {
        struct question *question = resolver->first;

        resolver->first = question->next;
        free(question);
    }
    pthread_cond_destroy(&resolver->told);
    pthread_cond_destroy(&resolver->work);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

static struct addrinfo *look_up(const char *name, uint16_t port, int flags)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
    struct addrinfo *found = NULL;
    char service[8];

    snprintf(service, sizeof service, "%u", port);
    return getaddrinfo(name, service, &hints, &found) == 0 ? found : NULL;
}

/* Called and returns with the lock held. */
static void answer(struct resolver *resolver, struct question *question)
{
    struct addrinfo *found;

    pthread_mutex_unlock(&resolver->lock);
    found = look_up(question->name, question->port, AI_ADDRCONFIG);
    pthread_mutex_lock(&resolver->lock);
    if (resolver->closed) {
        if (found)
            freeaddrinfo(found);
    } else {
        resolver->telling++;
        pthread_mutex_unlock(&resolver->lock);
        question->fn(question->context, found);
        pthread_mutex_lock(&resolver->lock);
        resolver->telling--;
        pthread_cond_broadcast(&resolver->told);
    }
    free(question);
}

static void *thread_main(void *context)
{
    struct resolver *resolver = context;
    bool last;

    pthread_mutex_lock(&resolver->lock);
    while (!resolver->closed) {
        struct question *question = resolver->first;

        if (!question) {
            resolver->idle++;
            pthread_cond_wait(&resolver->work, &resolver->lock);
            resolver->idle--;
            continue;
        }
        resolver->first = question->next;
        if (!resolver->first)
            resolver->last = &resolver->first;
        answer(resolver, question);
    }
    last = --resolver->threads == 0;
    pthread_mutex_unlock(&resolver->lock);
    if (last)
        release(resolver);
    return NULL;
}

int resolver_open(struct resolver **resolver)
{
    struct resolver *made = calloc(1, sizeof *made);

    if (!made)
        return ERR_NOMEM;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->work, NULL);
    pthread_cond_init(&made->told, NULL);
    made->last = &made->first;
    *resolver = made;
    return 0;
}

void resolver_close(struct resolver *resolver)
{
    bool last;

    if (!resolver)
        return;
    pthread_mutex_lock(&resolver->lock);
    resolver->closed = true;
    pthread_cond_broadcast(&resolver->work);
    while (resolver->telling > 0)
        pthread_cond_wait(&resolver->told, &resolver->lock);
    last = resolver->threads == 0;
    pthread_mutex_unlock(&resolver->lock);
    if (last)
        release(resolver);
}

/* One more where all are busy. Called with the lock held; false when there is none at all. */
static bool has_thread(struct resolver *resolver)
{
    pthread_attr_t attributes;
    pthread_t thread;

    if (resolver->idle > 0 || resolver->threads == RESOLVER_THREADS_MAX)
        return true;
    if (pthread_attr_init(&attributes) != 0)
        return resolver->threads > 0;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, thread_main, resolver) == 0) {
        pthread_setname_np(thread, "resolver");
        resolver->threads++;
    }
    pthread_attr_destroy(&attributes);
    return resolver->threads > 0;
}

int resolver_ask(struct resolver *resolver, const char *name, uint16_t port, resolver_fn *fn,
                 void *context)
{
    struct question *question = NULL;
    int error = 0;

    if (strlen(name) >= sizeof question->name)
        return ERR_INVALID;
    question = calloc(1, sizeof *question);
    if (!question)
        return ERR_NOMEM;
    *question = (struct question){.fn = fn, .context = context, .port = port};
    strcpy(question->name, name);
    pthread_mutex_lock(&resolver->lock);
    if (has_thread(resolver)) {
        *resolver->last = question;
        resolver->last = &question->next;
        pthread_cond_signal(&resolver->work);
    } else {
        error = ERR_NOMEM;
    }
    pthread_mutex_unlock(&resolver->lock);
    if (error)
        free(question);
    return error;
}

struct addrinfo *resolver_numeric(const char *address, uint16_t port)
{
    return look_up(address, port, AI_NUMERICHOST);
}
