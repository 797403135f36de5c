#include "tls/prepare.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "tls/proxy.h"
#include "tls/reach.h"

/* Shared by the thread and whoever waits for it: the last one to let go frees it. */
struct prepare {
    pthread_mutex_t lock;
    int holders;
    struct loop *loop; /* NULL once it is abandoned */
    void (*done)(void *context, struct prepared *result);
    void *context;
    char *host, *login_file, *ca, *crl, *cert, *key, *alpn;
    char port[8];
    bool tls, proxied; /* `host` is the proxy's */
    struct tls_files files;
    struct prepared result;
};

static void release(struct prepare *prepare)
{
    bool last;

    pthread_mutex_lock(&prepare->lock);
    last = --prepare->holders == 0;
    pthread_mutex_unlock(&prepare->lock);
    if (!last)
        return;
    if (prepare->result.addresses)
        freeaddrinfo(prepare->result.addresses);
    tls_context_close(prepare->result.tls);
    prepare_forget(prepare->result.proxy_login);
    pthread_mutex_destroy(&prepare->lock);
    free(prepare->host);
    free(prepare->login_file);
    free(prepare->ca);
    free(prepare->crl);
    free(prepare->cert);
    free(prepare->key);
    free(prepare->alpn);
    free(prepare);
}

static void deliver(void *context)
{
    struct prepare *prepare = context;

    if (prepare->loop) {
        prepare->done(prepare->context, &prepare->result);
        release(prepare); /* the waiter's share */
    }
    release(prepare); /* the thread's share */
}

static void look_up(struct prepare *prepare)
{
    struct prepared *result = &prepare->result;
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int rc = getaddrinfo(prepare->host, prepare->port, &hints, &result->addresses);

    if (rc == 0)
        return;
    result->addresses = NULL;
    result->error = rc == EAI_MEMORY ? ERR_NOMEM : ERR_NAME;
    snprintf(result->sentence, sizeof(result->sentence),
             prepare->proxied
                 ? "the proxy's name \"%s\" cannot be resolved (%s): check \"proxy\" and the name "
                   "server"
                 : "the broker's name \"%s\" cannot be resolved (%s): check the url and the name "
                   "server",
             prepare->host, gai_strerror(rc));
}

void prepare_forget(char *login)
{
    if (login)
        explicit_bzero(login, strlen(login));
    free(login);
}

/* At each connection, so that a new password needs no restart. */
static void read_login(struct prepare *prepare)
{
    struct prepared *result = &prepare->result;
    char login[SECRET_SIZE];

    result->error =
        proxy_login(prepare->login_file, login, result->sentence, sizeof(result->sentence));
    if (result->error != 0)
        return;
    result->proxy_login = strdup(login);
    explicit_bzero(login, sizeof(login));
    if (!result->proxy_login)
        result->error = ERR_NOMEM;
}

static void *work(void *context)
{
    struct prepare *prepare = context;
    bool posted = false;

    look_up(prepare);
    if (prepare->result.error == 0 && prepare->login_file)
        read_login(prepare);
    if (prepare->result.error == 0 && prepare->tls)
        prepare->result.error =
            tls_context_open(&prepare->result.tls, &prepare->files, prepare->result.sentence,
                             sizeof(prepare->result.sentence));
    pthread_mutex_lock(&prepare->lock);
    if (prepare->loop)
        posted = loop_post(prepare->loop, deliver, prepare) == 0;
    pthread_mutex_unlock(&prepare->lock);
    if (!posted) /* abandoned; or out of memory, and the waiter's time-out tells */
        release(prepare);
    return NULL;
}

static int copy_text(char **copy, const char *text)
{
    *copy = text ? strdup(text) : NULL;
    return text && !*copy ? ERR_NOMEM : 0;
}

static int start_thread(struct prepare *prepare)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int rc;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&thread, &attributes, work, prepare);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return rc == 0 ? 0 : ERR_NOMEM;
}

int prepare_start(struct prepare **out, struct loop *loop, const struct tunnel_options *options,
                  bool prefer_chacha, bool only_chacha,
                  void (*done)(void *context, struct prepared *result), void *context)
{
    struct prepare *prepare = calloc(1, sizeof(*prepare));
    struct reach_place to = reach_place(options);

    if (!prepare)
        return ERR_NOMEM;
    pthread_mutex_init(&prepare->lock, NULL);
    prepare->holders = 1;
    prepare->loop = loop;
    prepare->done = done;
    prepare->context = context;
    prepare->tls = options->tls;
    prepare->proxied = to.proxy;
    snprintf(prepare->port, sizeof(prepare->port), "%u", (unsigned)to.port);
    if (copy_text(&prepare->host, to.host) ||
        copy_text(&prepare->login_file, to.proxy ? options->proxy_login_file : NULL) ||
        copy_text(&prepare->ca, options->ca) || copy_text(&prepare->crl, options->crl) ||
        copy_text(&prepare->cert, options->cert) || copy_text(&prepare->key, options->key) ||
        copy_text(&prepare->alpn, options->alpn)) {
        release(prepare);
        return ERR_NOMEM;
    }
    prepare->files = (struct tls_files){.ca = prepare->ca,
                                        .crl = prepare->crl,
                                        .cert = prepare->cert,
                                        .key = prepare->key,
                                        .alpn = prepare->alpn,
                                        .minimum = options->minimum,
                                        .prefer_chacha = prefer_chacha,
                                        .only_chacha = only_chacha};
    prepare->holders = 2;
    if (start_thread(prepare) != 0) {
        prepare->holders = 1;
        release(prepare);
        return ERR_NOMEM;
    }
    *out = prepare;
    return 0;
}

void prepare_abandon(struct prepare *prepare)
{
    if (!prepare)
        return;
    pthread_mutex_lock(&prepare->lock);
    prepare->loop = NULL;
    pthread_mutex_unlock(&prepare->lock);
    release(prepare);
}
