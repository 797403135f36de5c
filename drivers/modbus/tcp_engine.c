#include "modbus/tcp_engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "core/error.h"
#include "core/log.h"
#include "core/pulse.h"
#include "modbus/tcp_member.h"

#define STACK_BYTES (256 * 1024) /* only touched pages cost memory; sanitizers need the room */

struct member {
    struct member *next;
    const struct driver_host *host;
    struct tcp_member *bus;
};

struct driver_engine {
    struct tcp_shared shared;
    struct member *members; /* the loop's thread only */
    atomic_bool woken;      /* a round over them is posted */
    struct pulse pulse;
    pthread_t thread;
    pthread_mutex_t lock; /* for what is asked from other threads */
    pthread_cond_t done;
    int ended; /* under the lock: the error with which the thread ended by itself; 0: it runs */
};

/* Something to be done on the loop's thread while the caller waits. */
struct call {
    struct driver_engine *engine;
    int (*fn)(struct call *call);
    const struct site_bus *site;
    struct driver_host *host;
    int result;
    bool done;
};

static void run_call(void *context)
{
    struct call *call = context;
    struct driver_engine *engine = call->engine;
    int result = call->fn(call);

    pthread_mutex_lock(&engine->lock);
    call->result = result;
    call->done = true;
    pthread_cond_broadcast(&engine->done);
    pthread_mutex_unlock(&engine->lock);
}

/* What was posted to a thread that has ended does not run any more: call->done stays false. */
static int make_call(struct call *call)
{
    struct driver_engine *engine = call->engine;
    int error = loop_post(engine->shared.loop, run_call, call);

    if (error)
        return error;
    pthread_mutex_lock(&engine->lock);
    while (!call->done && !engine->ended)
        pthread_cond_wait(&engine->done, &engine->lock);
    error = call->done ? call->result : engine->ended;
    pthread_mutex_unlock(&engine->lock);
    return error;
}

static bool has_ended(struct driver_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool ended = engine->ended != 0;
    pthread_mutex_unlock(&engine->lock);
    return ended;
}

static int add_member(struct call *call)
{
    struct driver_engine *engine = call->engine;
    struct member *member = calloc(1, sizeof *member);
    int error;

    if (!member)
        return ERR_NOMEM;
    member->host = call->host;
    error = tcp_member_open(&member->bus, &engine->shared, call->site, call->host);
    if (error) {
        free(member);
        return error;
    }
    member->next = engine->members;
    engine->members = member;
    return 0;
}

static struct member **find_member(const struct call *call)
{
    struct member **link = &call->engine->members;

    while (*link && (*link)->host != call->host)
        link = &(*link)->next;
    return link;
}

static void drop_member(struct member **link)
{
    struct member *member = *link;

    *link = member->next;
    tcp_member_close(member->bus);
    free(member);
}

/* ERR_AGAIN while a reply is waited for. */
static int remove_member(struct call *call)
{
    struct member **link = find_member(call);

    if (!*link)
        return 0;
    tcp_member_wake((*link)->bus); /* it begins nothing any more */
    if (tcp_member_at_work((*link)->bus) &&
        clock_mono(call->engine->shared.clock) < atomic_load(&call->host->ends_ns))
        return ERR_AGAIN;
    drop_member(link);
    return 0;
}

static int engine_join(struct driver_engine *engine, const struct site_bus *bus,
                       struct driver_host *host)
{
    struct call call = {.engine = engine, .fn = add_member, .site = bus, .host = host};

    return make_call(&call);
}

/* Asks again while a reply is waited for, and while the loop takes no posts, as when a great many
 * wait already. What the thread leaves behind when it ends is its members' own. */
static void engine_leave(struct driver_engine *engine, struct driver_host *host)
{
    struct call call = {.engine = engine, .fn = remove_member, .host = host};

    do {
        call.done = false;
        int error = make_call(&call);
        if (call.done && error != ERR_AGAIN)
            return;
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    } while (call.done || !has_ended(engine));
    pthread_mutex_lock(&engine->lock);
    struct member **link = find_member(&call);
    if (*link)
        drop_member(link);
    pthread_mutex_unlock(&engine->lock);
}

/* Commands are rare, as is lending: whose it is need not be known. */
static void look_for_commands(void *context)
{
    struct driver_engine *engine = context;

    atomic_store(&engine->woken, false);
    for (struct member *member = engine->members; member; member = member->next)
        tcp_member_wake(member->bus);
}

/* Where no post is taken, the bus finds the command at its next turn. */
static void engine_wake(struct driver_engine *engine)
{
    if (!atomic_exchange(&engine->woken, true) &&
        loop_post(engine->shared.loop, look_for_commands, engine) != 0)
        atomic_store(&engine->woken, false);
}

static int64_t engine_silent_ns(struct driver_engine *engine)
{
    return pulse_silent_ns(&engine->pulse, engine->shared.loop);
}

static void *thread_main(void *context)
{
    struct driver_engine *engine = context;
    int error = loop_run(engine->shared.loop);

    if (!error)
        return NULL;
    log_error("modbus",
              "all Modbus TCP buses stop: the thread that serves them ended: %s; start the gateway "
              "anew, and tell its makers",
              error_text(error));
    pthread_mutex_lock(&engine->lock);
    engine->ended = error;
    pthread_cond_broadcast(&engine->done);
    pthread_mutex_unlock(&engine->lock);
    return NULL;
}

static int start_thread(struct driver_engine *engine)
{
    pthread_attr_t attributes;
    int failed = pthread_attr_init(&attributes);

    if (failed)
        return error_from_errno(failed);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    failed = pthread_create(&engine->thread, &attributes, thread_main, engine);
    pthread_attr_destroy(&attributes);
    if (failed)
        return ERR_NOMEM;
    pthread_setname_np(engine->thread, "modbus-tcp");
    return 0;
}

static void release(struct driver_engine *engine)
{
    dial_look_ups_close(&engine->shared.look_ups);
    loop_close(engine->shared.loop);
    pthread_cond_destroy(&engine->done);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

static int engine_open(struct driver_engine **engine, const struct clock *clock)
{
    struct driver_engine *made = calloc(1, sizeof *made);
    int error;

    if (!made)
        return ERR_NOMEM;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->done, NULL);
    made->shared.clock = clock;
    error = loop_open(&made->shared.loop);
    if (!error)
        error = start_thread(made);
    if (error) {
        release(made);
        return error;
    }
    *engine = made;
    return 0;
}

static void engine_close(struct driver_engine *engine)
{
    loop_stop(engine->shared.loop);
    pthread_join(engine->thread, NULL);
    release(engine);
}

const struct driver_engine_ops tcp_engine_ops = {.open = engine_open,
                                                 .close = engine_close,
                                                 .join = engine_join,
                                                 .wake = engine_wake,
                                                 .leave = engine_leave,
                                                 .silent_ns = engine_silent_ns};
