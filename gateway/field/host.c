#include "field/host.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "field/last.h"
#include "field/wait.h"
#include "journal/lane.h"

/* Only the pages that are touched cost memory. A resolver asked for a host name needs more than 64
 * KiB, sanitizers more than that. */
#define STACK_BYTES (256 * 1024)

/* The kernel rounds a sleep up by 50 us unless told otherwise: that would add to every silence
 * between two frames. */
#define TIMER_SLACK_NS 1000

/* A lane holds what its bus reads in so long: a disk that takes longer to answer costs readings.
 * Events take 32 bytes there; texts more. */
#define LANE_HOLDS_S     4
#define LANE_EVENT_BYTES 32
#define LANE_BYTES_MIN   (16 * 1024)
#define LANE_BYTES_MAX   (2 * 1024 * 1024)

#define BRIEF_NS (3 * NS_PER_S)

/* A lent bus waits no longer for what is under way: a connection or a look-up may take minutes. */
#define REPLY_GRACE_NS (5 * NS_PER_S)

/* Nor does one that is to stop, and whoever stops it waits. */
#define END_GRACE_NS (1 * NS_PER_S)

struct host {
    struct driver_host base; /* first: what the driver gets a pointer to */
    const struct site_bus *bus;
    struct journal *journal;
    struct lane *lane;
    struct driver_engine *engine; /* NULL where the bus has a thread of its own */
    struct orders orders;
    pthread_mutex_t about_lock;
    char **about; /* what the driver has to say of each device; NULL: nothing */
    pthread_t thread;
    int wake_fd;            /* readable when the bus is to stop, or a command has come */
    _Atomic int64_t due_ns; /* when the bus's thread is back from its wait at the latest */
    _Atomic int64_t lent_since_ns;
    atomic_bool given_up; /* it is lent, and the driver has let go of the port */
    bool told_lent;       /* to everybody; of the driver's thread */
    _Atomic int error;
};

/*
 * When a wait ends because the bus is to stop or was lent: INT64_MAX: neither. A command that is
 * being executed comes to its end before a loan, and so does a wait for a reply: whoever borrows
 * the bus must not hear it come, and what a device has answered is to be stored.
 */
static int64_t give_up_ns(const struct host *host, bool for_reply)
{
    if (atomic_load(&host->base.ends_ns))
        return for_reply ? atomic_load(&host->base.ends_ns) : INT64_MIN;
    if (atomic_load(&host->base.lent_ns) == 0 || host->orders.taken)
        return INT64_MAX;
    return for_reply ? atomic_load(&host->lent_since_ns) + REPLY_GRACE_NS : INT64_MIN;
}

/* wait_readable, seen by host_silent_ns. */
static int wait_seen(struct host *host, int fd, int64_t until_mono_ns)
{
    atomic_store(&host->due_ns, until_mono_ns);
    int result = wait_readable(fd, host->wake_fd, host->base.clock, until_mono_ns);
    atomic_store(&host->due_ns, clock_mono(host->base.clock));
    return result;
}

/*
 * Waits, and stores meanwhile what is due in the sink. A command that comes during a transaction
 * waits for its end, but ends a rest.
 */
static int wait_for(struct host *host, int fd, int64_t until_mono_ns, bool at_rest)
{
    struct sink *sink = host->base.sink;
    uint64_t count;

    for (;;) {
        int64_t due_ns = sink_due_ns(sink);
        int64_t first_ns = due_ns < until_mono_ns ? due_ns : until_mono_ns;
        int64_t give_up = give_up_ns(host, fd >= 0 && !at_rest);
        int result;

        if (give_up != INT64_MAX && give_up <= clock_mono(host->base.clock))
            return ERR_CLOSED;
        if (give_up < first_ns)
            first_ns = give_up;
        if (at_rest && (atomic_load(&host->orders.waiting) || atomic_load(&host->base.forgetting)))
            return 0;
        if (due_ns != INT64_MAX && due_ns <= clock_mono(host->base.clock)) {
            sink_release(sink);
            continue;
        }
        result = wait_seen(host, fd, first_ns);
        if (result == ERR_CLOSED) {
            if (read(host->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN && errno != EINTR)
                return error_from_errno(errno);
        } else if (result != 0 || first_ns == until_mono_ns) {
            return result;
        }
    }
}

static size_t host_ops_learnt(struct driver_host *base, const struct site_device *device, char *out,
                              size_t size)
{
    const struct host *host = (const struct host *)base;

    return journal_learnt(host->journal, device->stream, out, size);
}

static size_t host_ops_bus_learnt(struct driver_host *base, char *out, size_t size)
{
    const struct host *host = (const struct host *)base;

    return host->bus->stream ? journal_learnt(host->journal, host->bus->stream, out, size) : 0;
}

static int host_ops_wait(struct driver_host *base, int fd, int64_t until_mono_ns)
{
    return wait_for((struct host *)base, fd, until_mono_ns, false);
}

static int host_ops_rest(struct driver_host *base, int fd, int64_t until_mono_ns)
{
    return wait_for((struct host *)base, fd, until_mono_ns, true);
}

static struct driver_command *host_ops_take_command(struct driver_host *base)
{
    struct host *host = (struct host *)base;

    return atomic_load(&host->orders.waiting) ? orders_take(&host->orders, base->clock) : NULL;
}

static void host_ops_answer(struct driver_host *base, struct driver_command *command,
                            uint16_t status, const struct value *value)
{
    orders_answer(&((struct host *)base)->orders, command, status, value);
}

static void host_ops_describe(struct driver_host *base, const struct site_device *device,
                              const char *json, size_t size)
{
    struct host *host = (struct host *)base;
    char *text = size ? strndup(json, size) : NULL;

    pthread_mutex_lock(&host->about_lock);
    free(host->about[device - host->bus->devices]);
    host->about[device - host->bus->devices] = text;
    pthread_mutex_unlock(&host->about_lock);
}

static void host_ops_last_good(struct driver_host *base, const struct site_device *device,
                               struct driver_last *items, size_t count)
{
    last_good(((struct host *)base)->journal, device, items, count);
}

static size_t put_on_lane(void *context, const struct event *events, size_t count, bool again)
{
    return again ? lane_offer(context, events, count) : lane_put(context, events, count);
}

/* A lease that ends by itself so soon is a part of the line's time for somebody, and no reason to
 * call the devices down. */
static bool is_brief(const struct host *host)
{
    return atomic_load(&host->base.lent_ns) - atomic_load(&host->lent_since_ns) <= BRIEF_NS;
}

/* What everybody must know of a bus that nobody polls: its devices are not read. */
static void tell_lent(struct host *host)
{
    int64_t now = clock_mono(host->base.clock);

    if (host->told_lent || is_brief(host))
        return;
    host->told_lent = true;
    log_info("field", "bus %s is lent, its devices are not read meanwhile", host->bus->id);
    for (size_t i = 0; i < host->bus->device_count; i++) {
        const struct site_device *device = &host->bus->devices[i];

        if (device->point_count == 0) /* it is never read, so nothing would take this back */
            continue;
        atomic_store(&host->base.stats[i].up, false);
        atomic_store(&host->base.stats[i].status, STATUS_LENT);
        sink_state(host->base.sink, device, false, STATUS_LENT);
        for (size_t k = 0; k < device->point_count; k++)
            sink_reading(host->base.sink, device, &device->points[k], now, NULL, STATUS_LENT);
    }
}

/* Answers commands, and stores what is due in the sink. Returns when there will be more to do. */
static int64_t serve_lent(struct host *host)
{
    struct sink *sink = host->base.sink;
    struct driver_command *command;

    while ((command = orders_take(&host->orders, host->base.clock)))
        orders_answer(&host->orders, command, STATUS_LENT, NULL);
    if (sink_due_ns(sink) <= clock_mono(host->base.clock))
        sink_release(sink);
    return sink_due_ns(sink);
}

/* The same, and waits for a while. */
static void rest_lent(struct host *host, int64_t until_mono_ns)
{
    int64_t due_ns = serve_lent(host);
    uint64_t count;

    if (wait_seen(host, -1, due_ns < until_mono_ns ? due_ns : until_mono_ns) == ERR_CLOSED &&
        read(host->wake_fd, &count, sizeof count) < 0)
        log_debug("field", "bus %s was woken by nobody", host->bus->id);
}

static void tell_back(struct host *host)
{
    if (host->told_lent)
        log_info("field", "bus %s is back, its devices are read again", host->bus->id);
    host->told_lent = false;
}

static void host_ops_lent(struct driver_host *base, bool lent)
{
    struct host *host = (struct host *)base;

    if (lent)
        tell_lent(host);
    else
        tell_back(host);
    atomic_store(&host->given_up, lent);
}

static int64_t host_ops_rest_lent(struct driver_host *base)
{
    struct host *host = (struct host *)base;

    tell_lent(host); /* the lease may have become longer */
    return serve_lent(host);
}

/* While the bus is lent; its driver has let go of the port. Returns false when the bus is to stop.
 */
static bool wait_lent(struct host *host)
{
    int64_t until = atomic_load(&host->base.lent_ns);

    if (until == 0 || atomic_load(&host->base.ends_ns))
        return false;
    do {
        atomic_store(&host->given_up, true);
        while ((until = atomic_load(&host->base.lent_ns)) > clock_mono(host->base.clock) &&
               !atomic_load(&host->base.ends_ns)) {
            tell_lent(host);
            rest_lent(host, until);
        }
        /* Before whoever borrows it next can ask. */
        atomic_store(&host->given_up, false);
        /* Unless it is lent again at this moment. */
    } while (!atomic_load(&host->base.ends_ns) &&
             !atomic_compare_exchange_strong(&host->base.lent_ns, &until, 0));
    if (atomic_load(&host->base.ends_ns))
        return false;
    tell_back(host);
    return true;
}

static bool host_ops_wait_lent(struct driver_host *base)
{
    return wait_lent((struct host *)base);
}

static const struct driver_host_ops host_ops = {.wait = host_ops_wait,
                                                .learnt = host_ops_learnt,
                                                .bus_learnt = host_ops_bus_learnt,
                                                .rest = host_ops_rest,
                                                .take_command = host_ops_take_command,
                                                .answer = host_ops_answer,
                                                .describe = host_ops_describe,
                                                .last_good = host_ops_last_good,
                                                .lent = host_ops_lent,
                                                .rest_lent = host_ops_rest_lent,
                                                .wait_lent = host_ops_wait_lent};

static void *thread_main(void *context)
{
    struct host *host = context;
    char name[16]; /* the kernel's limit */
    int error;

    snprintf(name, sizeof name, "bus-%.11s", host->bus->id);
    pthread_setname_np(pthread_self(), name); /* by itself: before the driver runs */
    prctl(PR_SET_TIMERSLACK, (unsigned long)TIMER_SLACK_NS, 0UL, 0UL, 0UL);
    do {
        error = host->bus->driver->run(host->bus, &host->base);
    } while (!error && wait_lent(host));
    if (error) {
        atomic_store(&host->error, error);
        orders_close(&host->orders); /* nobody will execute what waits */
        log_error("field",
                  "bus %s stopped: %s; its devices are not read until the gateway restarts",
                  host->bus->id, error_text(error));
    }
    return NULL;
}

static int start_thread(struct host *host)
{
    pthread_attr_t attributes;
    int failed = pthread_attr_init(&attributes);

    if (failed)
        return error_from_errno(failed);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    failed = pthread_create(&host->thread, &attributes, thread_main, host);
    pthread_attr_destroy(&attributes);
    return failed ? ERR_NOMEM : 0;
}

static size_t lane_bytes(const struct site_bus *bus)
{
    double events_per_s = 0, at_once = 0;

    for (size_t i = 0; i < bus->device_count; i++) {
        const struct site_device *device = &bus->devices[i];

        /* All are told when the bus goes down, perhaps right behind a round that read all. */
        at_once += 2.0 * (double)(1 + device->point_count);
        for (size_t j = 0; j < device->point_count; j++) {
            int64_t every_ns = device->points[j].every_ns;
            events_per_s += (double)NS_PER_S / (double)(every_ns > 0 ? every_ns : NS_PER_MS);
        }
    }
    double held = LANE_HOLDS_S * events_per_s;
    double bytes = LANE_EVENT_BYTES * (held > at_once ? held : at_once);
    if (bytes > LANE_BYTES_MAX)
        return LANE_BYTES_MAX;
    return bytes > LANE_BYTES_MIN ? (size_t)bytes : LANE_BYTES_MIN;
}

static void release(struct host *host)
{
    sink_close(host->base.sink);
    if (host->lane)
        lane_close(host->lane);
    if (host->wake_fd >= 0)
        close(host->wake_fd);
    orders_free(&host->orders);
    for (size_t i = 0; host->about && i < host->bus->device_count; i++)
        free(host->about[i]);
    free(host->about);
    pthread_mutex_destroy(&host->about_lock);
    tap_close(host->base.tap);
    free(host->base.stats);
    free(host);
}

static int start(struct host *host, struct engines *engines)
{
    const struct driver *driver = host->bus->driver;
    int error;

    if (!driver->engine)
        return start_thread(host);
    error = engines_get(engines, driver, &host->engine);
    return error ? error : driver->engine->join(host->engine, host->bus, &host->base);
}

int host_start(struct host **host, struct engines *engines, struct journal *journal,
               const struct site_bus *bus, const struct clock *clock, orders_done_fn *done,
               void *context)
{
    struct host *made = calloc(1, sizeof *made);
    int error = ERR_NOMEM;

    if (!made)
        return ERR_NOMEM;
    made->bus = bus;
    made->journal = journal;
    made->base.ops = &host_ops;
    made->base.clock = clock;
    made->due_ns = clock_mono(clock);
    orders_init(&made->orders, done, context);
    pthread_mutex_init(&made->about_lock, NULL);
    made->wake_fd = -1;
    if (!bus->driver->engine)
        made->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!bus->driver->engine && made->wake_fd < 0) {
        error = error_from_errno(errno);
        goto out;
    }
    made->base.stats = calloc(bus->device_count ? bus->device_count : 1, sizeof *made->base.stats);
    made->about = calloc(bus->device_count ? bus->device_count : 1, sizeof *made->about);
    if (!made->base.stats || !made->about)
        goto out;
    made->base.tap = tap_open();
    if (!made->base.tap)
        goto out;
    error = lane_open(&made->lane, journal, lane_bytes(bus));
    if (error)
        goto out;
    error = sink_open(&made->base.sink, bus, clock, put_on_lane, made->lane);
    if (error)
        goto out;
    error = start(made, engines);
    if (error)
        goto out;
    *host = made;
    return 0;
out:
    release(made);
    return error;
}

static void wake(struct host *host)
{
    uint64_t one = 1;
    ssize_t written;

    if (host->engine) {
        host->bus->driver->engine->wake(host->engine);
        return;
    }
    written = write(host->wake_fd, &one, sizeof one);
    (void)written; /* it can only fail when it is readable already */
}

void host_ask_stop(struct host *host)
{
    int64_t goes_on = 0;

    if (atomic_compare_exchange_strong(&host->base.ends_ns, &goes_on,
                                       clock_mono(host->base.clock) + END_GRACE_NS))
        wake(host);
}

int host_command(struct host *host, const struct driver_command *command)
{
    int error = orders_put(&host->orders, command);

    if (!error)
        wake(host);
    return error;
}

int host_forget(struct host *host, size_t device, unsigned what)
{
    if (!host->bus->driver->learns)
        return ERR_UNSUPPORTED;
    atomic_fetch_or(&host->base.stats[device].forget, what);
    atomic_store(&host->base.forgetting, true);
    wake(host);
    return 0;
}

void host_stop(struct host *host)
{
    if (!host)
        return;
    host_ask_stop(host);
    if (host->engine)
        host->bus->driver->engine->leave(host->engine, &host->base);
    else
        pthread_join(host->thread, NULL);
    orders_close(&host->orders);
    release(host);
}

void host_lend(struct host *host, int64_t until_mono_ns)
{
    int64_t lent = atomic_load(&host->base.lent_ns);

    if (until_mono_ns == 0 && lent != 0) /* it is over at once; the bus's thread clears it */
        until_mono_ns = 1;
    if (lent == 0)
        atomic_store(&host->lent_since_ns, clock_mono(host->base.clock));
    atomic_store(&host->base.lent_ns, until_mono_ns);
    wake(host);
}

bool host_lent(const struct host *host)
{
    /* A driver that has given up has no port either. */
    return atomic_load(&host->given_up) || atomic_load(&host->error) != 0;
}

struct tap *host_tap(struct host *host)
{
    return host->base.tap;
}

struct driver_stats *host_stats(struct host *host)
{
    return host->base.stats;
}

uint32_t host_bad(const struct host *host, size_t device)
{
    return sink_bad(host->base.sink, device);
}

uint32_t host_implausible(const struct host *host, size_t device)
{
    return sink_implausible(host->base.sink, device);
}

void host_about(struct host *host, size_t device, struct text *text)
{
    pthread_mutex_lock(&host->about_lock);
    if (host->about[device]) {
        text_string(text, ",");
        text_string(text, host->about[device]);
    }
    pthread_mutex_unlock(&host->about_lock);
}

int host_error(const struct host *host)
{
    return atomic_load(&host->error);
}

int64_t host_silent_ns(const struct host *host)
{
    int64_t due_ns = atomic_load(&host->due_ns), now_ns = clock_mono(host->base.clock);

    /* An engine answers for its buses together; a driver that gave up has said so. */
    if (host->engine || atomic_load(&host->error) != 0 || due_ns > now_ns)
        return 0;
    return now_ns - due_ns;
}
