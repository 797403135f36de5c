#include "tls/pump.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "tls/tls.h"

struct pump {
    struct loop *loop;
    pthread_t thread;
    bool chacha;
};

static void *pump_run(void *context)
{
    struct pump *pump = context;
    sigset_t all;
    int rc;

    /* Signals belong to the main thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    rc = loop_run(pump->loop);
    if (rc != 0)
        log_error("tls", "a thread that carries bytes through TLS ended: %s; restart the gateway",
                  error_text(rc));
    return NULL;
}

int pump_open(struct pump **out)
{
    struct pump *pump = calloc(1, sizeof(*pump));
    int rc;

    if (!pump)
        return ERR_NOMEM;
    rc = tls_init();
    if (rc == 0)
        rc = loop_open(&pump->loop);
    if (rc != 0) {
        free(pump);
        return rc;
    }
    pump->chacha = tls_measure_chacha();
    if (pthread_create(&pump->thread, NULL, pump_run, pump) != 0) {
        loop_close(pump->loop);
        free(pump);
        return ERR_NOMEM;
    }
    pthread_setname_np(pump->thread, "tls-pump");
    *out = pump;
    return 0;
}

static void stop_loop(void *context)
{
    loop_stop(context);
}

void pump_close(struct pump *pump)
{
    if (!pump)
        return;
    /* Behind whatever was posted before, so that nothing is dropped unrun. */
    if (loop_post(pump->loop, stop_loop, pump->loop) != 0)
        loop_stop(pump->loop);
    pthread_join(pump->thread, NULL);
    loop_close(pump->loop);
    free(pump);
}

struct loop *pump_loop(struct pump *pump)
{
    return pump->loop;
}

bool pump_prefers_chacha(const struct pump *pump)
{
    return pump->chacha;
}

struct call {
    void (*fn)(void *context);
    void *context;
    sem_t done;
};

static void run_call(void *context)
{
    struct call *call = context;

    call->fn(call->context);
    sem_post(&call->done);
}

int pump_call(struct pump *pump, void (*fn)(void *context), void *context)
{
    struct call call = {.fn = fn, .context = context};
    int rc;

    sem_init(&call.done, 0, 0);
    rc = loop_post(pump->loop, run_call, &call);
    if (rc == 0) {
        while (sem_wait(&call.done) != 0)
            ; /* interrupted by a signal */
    }
    sem_destroy(&call.done);
    return rc;
}
