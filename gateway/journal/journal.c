#include "journal/journal.h"

#include "core/error.h"
#include "core/log.h"
#include "journal/inside.h"
#include "journal/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#define KEEP_BYTES       (INT64_C(1) << 30)
#define SEGMENT_BYTES    (8 * 1024 * 1024)
#define COMMIT_BYTES     (64 * 1024)
#define COMMIT_BYTES_MAX (512 * 1024)
#define COMMIT_NS        (250 * NS_PER_MS)
#define OWN_LANE_BYTES   (64 * 1024)
#define CHECKPOINT_BYTES (64 * 1024 + SEGMENT_HEADER_SIZE)
#define OPENING_WAIT_NS  (10 * NS_PER_S)
#define HANG_NS          (10 * NS_PER_S)
#define HANG_LOOK_NS     (100 * NS_PER_MS)

static uint32_t system_random(void)
{
    uint32_t value;
    if (getrandom(&value, sizeof(value), 0) != sizeof(value))
        value = (uint32_t)clock_mono(&clock_system) ^ (uint32_t)clock_wall(&clock_system);
    return value;
}

static void take_options(struct journal *journal, const struct journal_options *options)
{
    journal->io = options->io;
    journal->clock = options->clock;
    memcpy(journal->gateway_id, options->gateway_id, strnlen(options->gateway_id, ID_SIZE_MAX - 1));
    journal->keep_bytes = options->keep_bytes > 0 ? options->keep_bytes : KEEP_BYTES;
    journal->max_age_ns = options->max_age_ns;
    journal->when_full = options->when_full;
    journal->commit_ns = options->commit_ns == 0 ? COMMIT_NS : options->commit_ns;
    journal->commit_bytes = options->commit_bytes > 0 ? options->commit_bytes : COMMIT_BYTES;
    if (journal->commit_bytes > COMMIT_BYTES_MAX)
        journal->commit_bytes = COMMIT_BYTES_MAX;
    int64_t segment = options->segment_bytes;
    if (segment <= 0)
        segment = journal->keep_bytes / 8 < SEGMENT_BYTES ? journal->keep_bytes / 8 : SEGMENT_BYTES;
    journal->segment_bytes =
        segment_align(segment > SEGMENT_SIZE_MIN ? segment : SEGMENT_SIZE_MIN, SEGMENT_HEADER_SIZE);
    journal->alignment = SEGMENT_ALIGNMENT_MIN;
    while (journal->alignment < options->sector_bytes && journal->alignment < SEGMENT_HEADER_SIZE)
        journal->alignment *= 2;
    journal->hang_ns = options->hang_ns > 0 ? options->hang_ns : HANG_NS;
    journal->random = options->random ? options->random : system_random;
    journal->format_newest = options->format_newest ? options->format_newest : FORMAT_NEWEST;
}

/* On the disk thread: what the frame holds is durable now. */
static void on_durable(void *context, uint64_t generation, const struct buffer *buffer)
{
    struct journal *journal = context;
    uint64_t one = 1;

    index_set_end(&journal->index, generation, buffer->offset + (int64_t)buffer->size);
    atomic_store_explicit(&journal->durable_epoch, buffer->frame.epoch, memory_order_relaxed);
    if (buffer->frame.count > 0)
        atomic_store(&journal->durable_n,
                     frame_last_n(&buffer->frame, buffer->data + FRAME_HEADER_SIZE));
    if (atomic_exchange(&journal->storage_error, 0) != 0)
        log_info("journal", "events are stored again");
    pthread_mutex_lock(&journal->watches_mutex);
    for (size_t i = 0; i < journal->watch_count; i++)
        if (write(journal->watches[i], &one, sizeof(one)) < 0)
            continue; /* it is full of earlier signals */
    pthread_mutex_unlock(&journal->watches_mutex);
}

static void on_spare(void *context)
{
    commit_wake(&((struct journal *)context)->commit);
}

static void init_locks(struct journal *journal)
{
    pthread_condattr_t monotonic;
    pthread_mutex_init(&journal->lanes_mutex, NULL);
    pthread_mutex_init(&journal->own_mutex, NULL);
    pthread_mutex_init(&journal->watches_mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&journal->own_room, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* Frees everything but the threads, which must have ended. */
static void journal_free(struct journal *journal)
{
    for (size_t i = 0; i < journal->watch_count; i++)
        close(journal->watches[i]);
    if (journal->own)
        ring_clear(&journal->own->ring);
    free(journal->own);
    free(journal->lanes);
    free(journal->writer.checkpoint);
    commit_clear(&journal->commit);
    outage_close(&journal->outage);
    spare_clear(&journal->spare);
    index_clear(&journal->index);
    state_clear(&journal->state);
    pthread_mutex_destroy(&journal->lanes_mutex);
    pthread_mutex_destroy(&journal->own_mutex);
    pthread_mutex_destroy(&journal->watches_mutex);
    pthread_cond_destroy(&journal->own_room);
    free(journal);
}

/* A journal with nothing in it. `buffer_bytes` 0: it will not be written. */
static int journal_make(struct journal **made, const struct journal_options *options,
                        size_t buffer_bytes)
{
    struct journal *journal = calloc(1, sizeof(*journal));
    if (!journal)
        return ERR_NOMEM;
    take_options(journal, options);
    init_locks(journal);
    index_init(&journal->index);
    spare_init(&journal->spare, journal->io, journal->gateway_id);
    outage_init(&journal->outage, journal->io, options->refuge, journal->gateway_id);
    int error = state_init(&journal->state);
    int failed = commit_init(&journal->commit, journal->io, buffer_bytes);
    if (error == 0)
        error = failed;
    journal->spare.on_change = on_spare;
    journal->spare.context = journal;
    journal->commit.on_durable = on_durable;
    journal->commit.context = journal;
    *made = journal;
    return error;
}

static int make_own_lane(struct journal *journal)
{
    struct lane *own = aligned_alloc(64, (sizeof(*own) + 63) / 64 * 64);
    journal->writer.checkpoint = malloc(CHECKPOINT_BYTES);
    if (!own)
        return ERR_NOMEM;
    journal->own = own;
    int error = lane_init(own, journal, OWN_LANE_BYTES);
    if (error == 0)
        error = lane_enter(journal, own);
    return journal->writer.checkpoint ? error : ERR_NOMEM;
}

/* How long the disk has owed an answer to any of the threads that ask it. */
static int64_t disk_silent_ns(const struct journal *journal)
{
    const _Atomic int64_t *const since[] = {&journal->commit.busy_since_ns,
                                            &journal->spare.busy_since_ns,
                                            &journal->writer.busy_since_ns};
    int64_t now_ns = clock_mono(&clock_system), longest_ns = 0;
    for (size_t i = 0; i < sizeof(since) / sizeof(since[0]); i++) {
        int64_t since_ns = atomic_load(since[i]);
        if (since_ns != 0 && now_ns - since_ns > longest_ns)
            longest_ns = now_ns - since_ns;
    }
    return longest_ns;
}

bool journal_hangs(const struct journal *journal)
{
    return disk_silent_ns(journal) > journal->hang_ns;
}

int64_t journal_silent_ns(const struct journal *journal)
{
    int64_t disk_ns = disk_silent_ns(journal);
    int64_t late_ns = clock_mono(&clock_system) - atomic_load(&journal->writer.due_ns);

    return late_ns > disk_ns ? late_ns : disk_ns;
}

struct timespec journal_until(int64_t wait_ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_ns;
    until.tv_sec += (time_t)(ns / NS_PER_S);
    until.tv_nsec = (long)(ns % NS_PER_S);
    return until;
}

/* A thread, and how to wait for its end. */
struct worker {
    pthread_t thread;
    bool *started;
    const bool *ended; /* with the mutex */
    pthread_mutex_t *mutex;
    pthread_cond_t *changed;
};

/* Joins a thread that has been told to end. False when the disk hangs, and the thread with it. */
static bool join(const struct journal *journal, const struct worker *worker)
{
    if (!*worker->started)
        return true;
    bool hangs = false;
    pthread_mutex_lock(worker->mutex);
    while (!*worker->ended && !hangs) {
        struct timespec until = journal_until(HANG_LOOK_NS);
        if (pthread_cond_timedwait(worker->changed, worker->mutex, &until) != 0)
            hangs = journal_hangs(journal);
    }
    pthread_mutex_unlock(worker->mutex);
    if (hangs)
        return false;
    pthread_join(worker->thread, NULL);
    *worker->started = false;
    return true;
}

/* False when one could not be stopped. */
static bool stop_threads(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    struct commit *commit = &journal->commit;
    struct spare *spare = &journal->spare;
    const struct worker workers[] = {
        {writer->thread, &writer->started, &writer->ended, &commit->mutex, &commit->durable},
        {commit->thread, &commit->started, &commit->ended, &commit->mutex, &commit->durable},
        {spare->thread, &spare->started, &spare->ended, &spare->mutex, &spare->work},
    };

    atomic_store(&journal->closing, true);
    commit_wake(commit);
    if (!join(journal, &workers[0]))
        return false;
    commit_stop(commit);
    spare_stop(spare);
    return join(journal, &workers[1]) && join(journal, &workers[2]);
}

static int start_threads(struct journal *journal)
{
    int error = commit_start(&journal->commit);
    if (error == 0)
        error = spare_start(&journal->spare);
    journal->writer.due_ns = clock_mono(&clock_system);
    if (error == 0 && pthread_create(&journal->writer.thread, NULL, writer_main, journal) != 0)
        error = ERR_NOMEM;
    journal->writer.started = error == 0;
    return error;
}

int journal_open(struct journal **opened, const struct journal_options *options)
{
    struct journal *journal;
    int error = options->io->lock(options->io);
    if (error < 0)
        return error;
    int64_t commit_bytes = options->commit_bytes > 0 ? options->commit_bytes : COMMIT_BYTES;
    if (commit_bytes > COMMIT_BYTES_MAX)
        commit_bytes = COMMIT_BYTES_MAX;
    error = journal_make(&journal, options,
                         (size_t)commit_bytes + FRAME_ROOM_MIN + SEGMENT_HEADER_SIZE);
    if (!journal)
        return error;
    if (error == 0)
        error = make_own_lane(journal);
    if (error == 0)
        error = recover(journal, options);
    if (error == 0)
        error = start_threads(journal);
    if (error < 0) {
        if (stop_threads(journal))
            journal_free(journal);
        return error;
    }
    /* What recovery found out is stored before anybody reads. If that fails, status tells, and the
     * journal goes on trying. */
    journal_flush(journal, OPENING_WAIT_NS);
    log_info("journal", "epoch %08" PRIx32 ", newest event %" PRIu64 ", %zu segments",
             journal->state.epoch, atomic_load(&journal->durable_n), index_count(&journal->index));
    *opened = journal;
    return 0;
}

int journal_open_read_only(struct journal **opened, const struct io *io)
{
    struct journal_options options = {.io = io, .clock = &clock_system, .gateway_id = ""};
    struct journal *journal;

    int error = journal_make(&journal, &options, 0);
    if (!journal)
        return error;
    journal->read_only = true;
    if (error == 0)
        error = recover(journal, &options);
    if (error < 0) {
        journal_free(journal);
        return error;
    }
    *opened = journal;
    return 0;
}

void journal_confirm(struct journal *journal)
{
    atomic_store(&journal->format, journal->format_newest);
}

int journal_close(struct journal *journal)
{
    if (!journal)
        return 0;
    if (!journal->read_only && !stop_threads(journal)) {
        stall_hang(journal);
        log_error("journal", "the disk does not answer: the journal cannot be closed in order, and "
                             "what was waiting is lost if the machine stops now");
        return ERR_TIMEOUT;
    }
    journal_free(journal);
    return 0;
}

int journal_declare(struct journal *journal, struct stream *stream)
{
    if (journal->read_only || atomic_load(&journal->closing))
        return ERR_CLOSED;
    if (stream->device[0] == 0 || !memchr(stream->device, 0, sizeof(stream->device)) ||
        !memchr(stream->point, 0, sizeof(stream->point)) ||
        !memchr(stream->name, 0, sizeof(stream->name)) ||
        !memchr(stream->unit, 0, sizeof(stream->unit)) || stream->type > VALUE_GAP)
        return ERR_INVALID;
    int result = streams_declare(&journal->state.streams, stream);
    if (result == 1)
        journal_wake(journal, REST_IDLE);
    return result < 0 ? result : 0;
}

const struct stream *journal_stream(const struct journal *journal, uint32_t number,
                                    struct stream *stream)
{
    const struct stream_entry *entry = streams_get(&journal->state.streams, number);
    if (!entry)
        return NULL;
    stream_entry_describe(entry, stream);
    return stream;
}

uint32_t journal_stream_count(const struct journal *journal)
{
    return streams_count(&journal->state.streams);
}

int journal_flush(struct journal *journal, int64_t timeout_ns)
{
    struct commit *commit = &journal->commit;
    struct timespec until = journal_until(timeout_ns);
    int error = 0;

    uint64_t ticket = atomic_fetch_add(&journal->flush_wanted, 1) + 1;
    journal_wake(journal, REST_TIMED);
    pthread_mutex_lock(&commit->mutex);
    while (error == 0 && (journal->flush_ready < ticket || commit->done < journal->flush_commit)) {
        if (journal->flush_stalled)
            error = atomic_load(&journal->storage_error);
        else if (pthread_cond_timedwait(&commit->durable, &commit->mutex, &until) != 0)
            error = ERR_TIMEOUT;
    }
    pthread_mutex_unlock(&commit->mutex);
    return error;
}

uint64_t journal_durable(const struct journal *journal, uint32_t *epoch)
{
    uint64_t n = atomic_load(&journal->durable_n);
    if (epoch)
        *epoch = atomic_load(&journal->durable_epoch);
    return n;
}

uint64_t journal_oldest(const struct journal *journal)
{
    struct segment oldest;
    uint64_t newest = atomic_load(&journal->durable_n);
    if (index_get(&journal->index, 0, &oldest) < 0 || oldest.first_n > newest)
        return newest + 1;
    return oldest.first_n;
}

void journal_previous(const struct journal *journal, struct journal_previous *previous)
{
    *previous = journal->state.previous; /* set when the journal was opened, never later */
}

int journal_watch(struct journal *journal)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return error_from_errno(errno);
    pthread_mutex_lock(&journal->watches_mutex);
    bool room = journal->watch_count < WATCHES_MAX;
    if (room)
        journal->watches[journal->watch_count++] = fd;
    pthread_mutex_unlock(&journal->watches_mutex);
    if (!room)
        close(fd);
    return room ? fd : ERR_FULL;
}

void journal_unwatch(struct journal *journal, int fd)
{
    pthread_mutex_lock(&journal->watches_mutex);
    for (size_t i = 0; i < journal->watch_count; i++) {
        if (journal->watches[i] != fd)
            continue;
        journal->watches[i] = journal->watches[--journal->watch_count];
        close(fd);
        break;
    }
    pthread_mutex_unlock(&journal->watches_mutex);
}
