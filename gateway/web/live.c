#include "web/live.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "journal/reader.h"
#include "web/live_inside.h"

#define BATCH_NS         (250 * NS_PER_MS) /* between two batches of values */
#define SECOND_NS        NS_PER_S
#define BEAT_NS          (5 * NS_PER_S) /* viewers look at the time at least so often */
#define IDLE_NS          (300 * NS_PER_S)
#define EVENTS_PER_LOCK  512
#define EVENTS_PER_TURN  20000
#define STATUS_ROOM      ((size_t)64 * 1024) /* at first */
#define STATUS_ROOM_MAX  ((size_t)8 * 1024 * 1024)
#define FINGERPRINT_SIZE 32

/* What the thread alone knows. */
struct work {
    struct live *live;
    struct reader *reader;
    int journal_fd;
    bool rebuild; /* the configuration may have changed, or a stream was declared */
    char fingerprint[FINGERPRINT_SIZE]; /* of the configuration that is shown */
    bool behind;                        /* there is more to read */
    uint64_t log_told;                  /* newest line of the log that viewers were woken for, */
    uint64_t line_told;                 /* and of the ring */
    int64_t batch_due_ns;               /* when the next batch may go */
    int64_t second_due_ns, beat_due_ns;
    char *status;
    size_t status_room;
    bool status_missed; /* that it has no room was told */
};

/* A table in the making, and the configuration that it is of. */
struct making {
    struct live_table *table;
    char fingerprint[FINGERPRINT_SIZE];
};

static void use_site(void *context, const struct site *site)
{
    struct making *making = context;

    snprintf(making->fingerprint, sizeof making->fingerprint, "%s", site->fingerprint);
    /* What does not fit into memory is not shown. */
    if (live_table_add_site(making->table, site))
        log_warn("web", "there is no memory to show all points");
}

static void add_produced(void *context, const struct stream *stream)
{
    live_table_add(context, stream->number, stream->device, stream->point, stream->decimals);
}

static struct live_table *make_table(const struct live *live, char fingerprint[FINGERPRINT_SIZE])
{
    const struct live_source *source = &live->source;
    struct making making = {0};

    if (live_table_open(&making.table))
        return NULL;
    source->site(source->context, use_site, &making);
    if (source->produced)
        source->produced(source->produced_context, add_produced, making.table);
    memcpy(fingerprint, making.fingerprint, FINGERPRINT_SIZE);
    return making.table;
}

static void take_newest(void *context, const struct event *event)
{
    if (!status_ends(event->status))
        live_table_take(context, event);
}

/* Takes a table in the place of the one before, whose values it has already. */
static void show_table(struct live *live, struct live_table *table)
{
    struct live_table *before = live->table;

    live->table = table;
    live->generation++;
    live->place = live_table_place(table);
    live_table_close(before);
}

static void unload(struct work *work)
{
    struct live *live = work->live;

    reader_close(work->reader);
    work->reader = NULL;
    if (work->journal_fd >= 0)
        journal_unwatch(live->journal, work->journal_fd);
    work->journal_fd = -1;
    free(work->status);
    work->status = NULL;
    pthread_mutex_lock(&live->lock);
    live->loaded = false;
    live_table_close(live->table);
    live->table = NULL;
    live_ring_close(&live->ring);
    free(live->status);
    live->status = NULL;
    free(live->chunk.text);
    live->chunk.text = NULL;
    pthread_mutex_unlock(&live->lock);
}

/* The newest values as of now, and the place in the journal from which on to follow. */
static int load(struct work *work)
{
    struct live *live = work->live;
    uint64_t n = journal_durable(live->journal, NULL);
    struct live_table *table = make_table(live, work->fingerprint);
    char *chunk = malloc(LIVE_CHUNK_SIZE);
    struct live_ring ring = {0};
    int error = table && chunk ? live_ring_open(&ring, n) : ERR_NOMEM;

    work->status_room = STATUS_ROOM;
    work->status = error ? NULL : malloc(work->status_room);
    if (!error && !work->status)
        error = ERR_NOMEM;
    if (!error)
        error = reader_open(&work->reader, live->journal, n + 1);
    if (error) {
        live_table_close(table);
        live_ring_close(&ring);
        free(chunk);
        return error;
    }
    work->journal_fd = journal_watch(live->journal);
    int missing = journal_state_at(live->journal, INT64_MAX, take_newest, table);
    if (missing && missing != ERR_NOT_FOUND)
        log_warn("web", "values from before now cannot be shown: %s", error_text(missing));
    pthread_mutex_lock(&live->lock);
    live->ring = ring;
    live->chunk.text = chunk;
    live->chunk.size = 0;
    live->chunk.names[0] = '\0';
    live->read_n = n;
    show_table(live, table);
    live->loaded = true;
    pthread_cond_broadcast(&live->changed);
    pthread_mutex_unlock(&live->lock);
    live->wake(live->wake_context);
    return 0;
}

static void rebuild(struct work *work)
{
    struct live *live = work->live;
    char fingerprint[FINGERPRINT_SIZE];
    struct live_table *table = make_table(live, fingerprint);

    work->rebuild = false;
    if (!table)
        return;
    /* Many events are of the configuration, and few change what there is to see. */
    if (strcmp(fingerprint, work->fingerprint) == 0 && live_table_same(table, live->table)) {
        live_table_close(table);
        return;
    }
    memcpy(work->fingerprint, fingerprint, FINGERPRINT_SIZE);
    live_table_take_all(table, live->table);
    pthread_mutex_lock(&live->lock);
    show_table(live, table);
    pthread_mutex_unlock(&live->lock);
}

static void take_event(struct work *work, const struct event *event)
{
    struct live *live = work->live;

    if (event->kind == EVENT_READING)
        live_table_take(live->table, event);
    else if (live_ring_tells(event))
        live_ring_put(&live->ring, live->journal, event);
    work->rebuild |=
        event->kind == EVENT_DECLARE || (event->kind == EVENT_CONFIG && event->stream == 0);
}

/* Takes what is durable by now, at most a turn's worth. */
static void take_events(struct work *work)
{
    struct live *live = work->live;
    struct event event;
    int got = 1;

    for (int left = EVENTS_PER_TURN; got > 0 && left > 0;) {
        pthread_mutex_lock(&live->lock);
        for (int i = 0; i < EVENTS_PER_LOCK && (got = reader_next(work->reader, &event)) > 0; i++)
            take_event(work, &event);
        live->read_n = reader_position(work->reader) - 1;
        pthread_mutex_unlock(&live->lock);
        left -= EVENTS_PER_LOCK;
    }
    work->behind = got > 0;
    if (got < 0)
        log_warn("web", "the live view cannot read the journal: %s", error_text(got));
}

/* Writes the status object, into as much room as it needs. */
static bool write_status(struct work *work, struct text *text)
{
    const struct live_source *source = &work->live->source;

    for (;;) {
        text_init(text, work->status, work->status_room);
        source->brief(source->context, text);
        if (!text->cut)
            return true;
        char *grown = work->status_room < STATUS_ROOM_MAX
                          ? realloc(work->status, 2 * work->status_room)
                          : NULL;
        if (!grown) {
            if (!work->status_missed)
                log_warn("web", "there is no memory to show the status as it changes");
            work->status_missed = true;
            return false;
        }
        work->status = grown;
        work->status_room *= 2;
    }
}

/* The status object, where it differs from the one before. */
static bool take_status(struct work *work)
{
    struct live *live = work->live;
    struct text text;
    bool differs;

    pthread_mutex_lock(&live->lock);
    bool wanted = live->status_viewers > 0;
    pthread_mutex_unlock(&live->lock);
    if (!wanted)
        return false;
    if (!write_status(work, &text))
        return false;
    pthread_mutex_lock(&live->lock);
    differs = !live->status || live->status_size != text.size ||
              memcmp(live->status, text.data, text.size) != 0;
    char *grown = differs ? realloc(live->status, text.size + 1) : NULL;
    if (grown) {
        memcpy(grown, text.data, text.size);
        live->status = grown;
        live->status_size = text.size;
        live->status_version++;
    }
    pthread_mutex_unlock(&live->lock);
    return grown != NULL;
}

/* What is done once in a second. True when viewers have something new. */
static bool each_second(struct work *work, int64_t now_ns)
{
    uint64_t newest = log_newest();
    bool told = newest != work->log_told;

    if (now_ns < work->second_due_ns)
        return false;
    work->second_due_ns = now_ns + SECOND_NS;
    work->log_told = newest;
    told |= take_status(work);
    if (now_ns >= work->beat_due_ns) {
        work->beat_due_ns = now_ns + BEAT_NS;
        told = true;
    }
    return told;
}

/* Lets viewers have what changed, at most once in BATCH_NS. */
static bool publish(struct work *work, int64_t now_ns)
{
    struct live *live = work->live;

    if (now_ns < work->batch_due_ns)
        return false;
    if (work->rebuild)
        rebuild(work);
    pthread_mutex_lock(&live->lock);
    uint64_t place = live_table_place(live->table);
    bool changed = place != live->place || live->ring.next != work->line_told;
    live->place = place;
    work->line_told = live->ring.next;
    pthread_mutex_unlock(&live->lock);
    if (changed)
        work->batch_due_ns = now_ns + BATCH_NS;
    return changed;
}

static void drain(int fd)
{
    uint64_t count;

    while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

/* Until somebody comes, or there is something to read, or the time has come to tell. */
static void wait_for_news(struct work *work, bool loaded, int64_t now_ns)
{
    struct pollfd fds[] = {{.fd = work->live->wake_fd, .events = POLLIN},
                           {.fd = work->journal_fd, .events = POLLIN}};
    int64_t until_ns = work->second_due_ns;

    if (work->batch_due_ns > now_ns && work->batch_due_ns < until_ns)
        until_ns = work->batch_due_ns;
    int64_t wait_ms = until_ns > now_ns ? (until_ns - now_ns) / NS_PER_MS + 1 : 0;
    poll(fds, loaded && work->journal_fd >= 0 ? 2 : 1,
         !loaded        ? -1
         : work->behind ? 0
                        : (int)wait_ms);
    if (fds[0].revents)
        drain(fds[0].fd);
    if (fds[1].revents)
        drain(fds[1].fd);
}

static void *run(void *context)
{
    struct work work = {.live = context, .journal_fd = -1};
    struct live *live = context;

    for (;;) {
        int64_t now_ns = clock_mono(&clock_system);

        pthread_mutex_lock(&live->lock);
        bool stopping = live->stopping, loaded = live->loaded;
        bool wanted = live->viewers > 0 || now_ns < live->wanted_until_ns;
        pthread_mutex_unlock(&live->lock);
        if (stopping)
            break;
        if (loaded && !wanted) {
            unload(&work);
            continue;
        }
        if (!loaded && wanted) {
            int error = load(&work);
            loaded = !error;
            if (error)
                log_warn("web", "the live view cannot start: %s", error_text(error));
        }
        if (loaded) {
            take_events(&work);
            bool told = publish(&work, now_ns);
            if (each_second(&work, now_ns) || told)
                live->wake(live->wake_context);
        }
        wait_for_news(&work, loaded, now_ns);
    }
    unload(&work);
    return NULL;
}

int live_open(struct live **out, struct journal *journal, const struct live_source *source,
              void (*wake)(void *context), void *wake_context)
{
    struct live *live = calloc(1, sizeof *live);
    pthread_condattr_t monotonic;

    if (!live)
        return ERR_NOMEM;
    live->journal = journal;
    live->source = *source;
    live->wake = wake;
    live->wake_context = wake_context;
    live->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&live->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&live->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (live->wake_fd < 0 || pthread_create(&live->thread, NULL, run, live)) {
        live->stopping = true;
        live_close(live);
        return ERR_NOMEM;
    }
    *out = live;
    return 0;
}

static void wake_thread(const struct live *live)
{
    uint64_t one = 1;

    while (write(live->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void live_want(struct live *live)
{
    live->wanted_until_ns = clock_mono(&clock_system) + IDLE_NS;
    if (!live->loaded)
        wake_thread(live);
}

void live_stop(struct live *live)
{
    if (!live || live->stopping)
        return;
    pthread_mutex_lock(&live->lock);
    live->stopping = true;
    pthread_cond_broadcast(&live->changed);
    pthread_mutex_unlock(&live->lock);
    wake_thread(live);
    pthread_join(live->thread, NULL);
}

void live_close(struct live *live)
{
    if (!live)
        return;
    live_stop(live);
    if (live->wake_fd >= 0)
        close(live->wake_fd);
    pthread_cond_destroy(&live->changed);
    pthread_mutex_destroy(&live->lock);
    free(live);
}
