#include "uplink/uplink.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "uplink/client.h"
#include "uplink/internal.h"

static void drain_eventfd(int fd)
{
    uint64_t count;

    if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
        log_debug("uplink", "an event descriptor cannot be read: %s", strerror(errno));
}

static void share_stats(struct uplink *uplink)
{
    uint64_t newest = journal_durable(uplink->journal, NULL), low = cursor_low(uplink->cursor);

    uplink->stats.in_flight = uplink->window.messages + uplink->others;
    uplink->stats.backlog = newest >= low ? newest - low + 1 : 0;
    pthread_mutex_lock(&uplink->stats_lock);
    uplink->shared = uplink->stats;
    pthread_mutex_unlock(&uplink->stats_lock);
}

/* Goes through the steps of stopping; returns whether it is over. */
static bool stop_step(struct uplink *uplink, int64_t now_ns)
{
    int64_t stop_at_ns = atomic_load(&uplink->stop_at_ns);
    bool idle = uplink->window.messages == 0 && uplink->others == 0;
    bool done = uplink->caught_up && uplink->batch.first == 0 && !uplink->group_open && idle;

    if (stop_at_ns == 0)
        return false;
    uplink->stopping = true;
    if (uplink->phase != PHASE_ONLINE)
        return true;
    if (!uplink->farewell && (done || uplink->pause_ns != 0 || now_ns >= stop_at_ns)) {
        if (announce_status(uplink, "stopped") != 0)
            return true;
        uplink->farewell = true;
        return false;
    }
    return uplink->farewell && (idle || now_ns >= stop_at_ns + NS_PER_S);
}

static int64_t next_deadline(const struct uplink *uplink, int64_t now_ns)
{
    int64_t at_ns = publish_deadline(uplink, now_ns), stop_at_ns = atomic_load(&uplink->stop_at_ns);

    if (connection_deadline(uplink) < at_ns)
        at_ns = connection_deadline(uplink);
    if (announce_deadline(uplink) < at_ns)
        at_ns = announce_deadline(uplink);
    if (uplink->proof.deadline_ns != 0 && uplink->proof.deadline_ns < at_ns)
        at_ns = uplink->proof.deadline_ns;
    if (stop_at_ns != 0) /* a second past the end the farewell is given up, too */
        at_ns = now_ns < stop_at_ns ? (stop_at_ns < at_ns ? stop_at_ns : at_ns) : now_ns + NS_PER_S;
    return at_ns;
}

/* The clock that deadlines are kept by is the system's: a replaced one only labels events. */
static void wait_for_work(struct uplink *uplink)
{
    struct pollfd fds[] = {{.fd = mqtt_fd(uplink->mqtt), .events = POLLIN},
                           {.fd = uplink->journal_fd, .events = POLLIN},
                           {.fd = uplink->wake_fd, .events = POLLIN}};
    int64_t now_ns = clock_mono(&clock_system), wait_ns = next_deadline(uplink, now_ns) - now_ns;
    struct timespec timeout;

    if (wait_ns < 0)
        wait_ns = 0;
    if (wait_ns > 60 * NS_PER_S)
        wait_ns = 60 * NS_PER_S;
    timeout.tv_sec = (time_t)(wait_ns / NS_PER_S);
    timeout.tv_nsec = (long)(wait_ns % NS_PER_S);
    if (ppoll(fds, 3, &timeout, NULL) <= 0)
        return;
    if (fds[1].revents)
        drain_eventfd(uplink->journal_fd);
    if (fds[2].revents)
        drain_eventfd(uplink->wake_fd);
}

static void *run(void *context)
{
    struct uplink *uplink = context;

    for (;;) {
        int64_t now_ns = clock_mono(&clock_system);

        mqtt_process(uplink->mqtt);
        connection_step(uplink, now_ns);
        proof_step(uplink, now_ns);
        commands_step(uplink);
        announce_step(uplink, now_ns);
        publish_step(uplink, now_ns);
        if (stop_step(uplink, now_ns))
            break;
        share_stats(uplink);
        wait_for_work(uplink);
    }
    return NULL;
}

static int make_topics(struct uplink *uplink)
{
    int size = snprintf(uplink->base, sizeof(uplink->base), "%s/%s/",
                        uplink->options->root ? uplink->options->root : "sluice", uplink->gateway);

    if (size < 0 || (size_t)size >= sizeof(uplink->base))
        return ERR_INVALID;
    snprintf(uplink->topic_data, sizeof(uplink->topic_data), "%sdata", uplink->base);
    snprintf(uplink->topic_mark, sizeof(uplink->topic_mark), "%smark", uplink->base);
    snprintf(uplink->topic_status, sizeof(uplink->topic_status), "%sstatus", uplink->base);
    return 0;
}

static int open_cursor(struct uplink *uplink)
{
    const struct uplink_options *options = uplink->options;
    enum cursor_start start =
        options->from == UPLINK_FROM_NOW ? CURSOR_AT_NEWEST : CURSOR_AT_OLDEST;

    return cursor_open(&uplink->cursor, uplink->journal, options->place, start);
}

static int declare_own_stream(struct uplink *uplink)
{
    struct stream stream = {.type = VALUE_BOOL};
    int rc;

    snprintf(stream.device, sizeof(stream.device), UPLINK_STREAM_PREFIX "%s", uplink->options->id);
    rc = journal_declare(uplink->journal, &stream);
    uplink->own_stream = stream.number;
    return rc;
}

static int open_reading(struct uplink *uplink)
{
    uint64_t from;
    int rc = declare_own_stream(uplink);

    if (rc == 0)
        rc = open_cursor(uplink);
    if (rc != 0)
        return rc;
    from = cursor_resume(uplink->cursor);
    uplink->next = from > 0 ? from : 1;
    uplink->repeated_n = journal_durable(uplink->journal, NULL);
    rc = reader_open(&uplink->reader, uplink->journal, uplink->next);
    if (rc != 0)
        return rc;
    uplink->journal_fd = journal_watch(uplink->journal);
    return uplink->journal_fd < 0 ? uplink->journal_fd : 0;
}

static int start_thread(struct uplink *uplink)
{
    sigset_t all, before;
    char name[16];
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&uplink->thread, NULL, run, uplink);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return ERR_NOMEM;
    snprintf(name, sizeof(name), "up-%.12s", uplink->options->id);
    pthread_setname_np(uplink->thread, name);
    return 0;
}

static void release(struct uplink *uplink)
{
    commands_close(uplink);
    mqtt_close(uplink->mqtt);
    if (uplink->journal_fd >= 0)
        journal_unwatch(uplink->journal, uplink->journal_fd);
    if (uplink->reader)
        reader_close(uplink->reader);
    if (uplink->cursor)
        cursor_close(uplink->cursor);
    if (uplink->wake_fd >= 0)
        close(uplink->wake_fd);
    labels_close(&uplink->labels);
    batch_close(&uplink->batch);
    window_close(&uplink->window);
    pthread_mutex_destroy(&uplink->stats_lock);
    pthread_mutex_destroy(&uplink->site_lock);
    free(uplink);
}

int uplink_start(struct uplink **out, struct journal *journal, const struct site *site,
                 const struct uplink_options *options, const struct clock *clock)
{
    struct uplink *uplink = calloc(1, sizeof(*uplink));
    char sentence[256];
    int rc;

    if (!uplink)
        return ERR_NOMEM;
    pthread_mutex_init(&uplink->stats_lock, NULL);
    pthread_mutex_init(&uplink->site_lock, NULL);
    uplink->options = options;
    uplink->backoff.limit_ns = options->retry_max_ns;
    uplink->journal = journal;
    uplink->clock = clock;
    uplink->site = site;
    uplink->labels.journal = journal;
    uplink->journal_fd = -1;
    uplink->told_up = -1;
    uplink->held = options->held;
    uplink->hold_until_ns = options->held ? INT64_MAX : 0;
    uplink->started_ns = clock_mono(&clock_system);
    uplink->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = uplink->wake_fd < 0 ? error_from_errno(errno) : 0;
    snprintf(uplink->gateway, sizeof(uplink->gateway), "%s", site->id);
    tell_status(uplink, "waiting", "");
    if (rc == 0)
        rc = make_topics(uplink);
    if (rc == 0)
        rc = client_url(options, &uplink->url, sentence, sizeof(sentence));
    if (rc == 0)
        rc = batch_open(&uplink->batch);
    if (rc == 0)
        rc = window_open(&uplink->window, UPLINK_UNITS_MAX);
    if (rc == 0)
        rc = open_reading(uplink);
    if (rc == 0)
        rc = connection_open(uplink);
    if (rc == 0) {
        commands_open(uplink);
        share_stats(uplink);
        rc = start_thread(uplink);
    }
    if (rc != 0) {
        release(uplink);
        return rc;
    }
    *out = uplink;
    return 0;
}

static void wake(struct uplink *uplink)
{
    uint64_t one = 1;

    if (write(uplink->wake_fd, &one, sizeof(one)) < 0)
        log_debug("uplink", "an event descriptor cannot be written: %s", strerror(errno));
}

void uplink_ask_stop(struct uplink *uplink, int64_t grace_ns)
{
    atomic_store(&uplink->stop_at_ns, clock_mono(&clock_system) + grace_ns);
    wake(uplink);
}

void uplink_stop(struct uplink *uplink, int64_t grace_ns)
{
    if (!uplink)
        return;
    if (atomic_load(&uplink->stop_at_ns) == 0)
        uplink_ask_stop(uplink, grace_ns);
    pthread_join(uplink->thread, NULL);
    for (int trouble = 0; trouble < TROUBLE_COUNT; trouble++)
        tell_unwatched(uplink, (enum trouble)trouble);
    tell_state(uplink, false, STATUS_STOPPED);
    release(uplink);
}

void uplink_hold(struct uplink *uplink, int64_t until_ns)
{
    atomic_store(&uplink->hold_until_ns, until_ns);
    wake(uplink);
}

void uplink_stats(const struct uplink *uplink, struct uplink_stats *stats)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)&uplink->stats_lock;

    pthread_mutex_lock(lock);
    *stats = uplink->shared;
    pthread_mutex_unlock(lock);
}

void uplink_site_changed(struct uplink *uplink, const struct site *site)
{
    pthread_mutex_lock(&uplink->site_lock);
    uplink->site = site;
    pthread_mutex_unlock(&uplink->site_lock);
    atomic_store(&uplink->site_changed, true);
    wake(uplink);
}
