#include "web/jobs.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/words.h"
#include "web/audit.h"
#include "web/job_kinds.h"
#include "web/reply.h"

#define LINES_SIZE_MAX (1024 * 1024) /* kept of a job; the oldest lines make room */
#define WORDS_SIZE     1024
#define BEAT_NS        (15 * NS_PER_S)
#define NUMBER_SIZE    24

struct job {
    unsigned holders; /* under jobs->lock, as is all but the thread's own */
    struct jobs *jobs;
    uint64_t number;
    const struct job_kind *kind;
    char *subject;
    char by[CALLER_NAME_SIZE];
    int64_t started_ns, ended_ns; /* wall clock */
    bool running, stopping;
    int exit;
    struct program program;
    pthread_t thread;
    bool joinable;
    char words[WORDS_SIZE];
    char *lines;
    size_t size, room;
    uint64_t dropped; /* bytes of lines that made room */
};

struct jobs {
    struct job_setting setting;
    struct journal *journal;
    void (*wake)(void *context);
    void *wake_context;
    pthread_mutex_t lock;
    struct job *kept[JOBS_MAX]; /* in the order of their starts */
    size_t count, starting; /* those kept; places taken by those whose program is not there yet */
    uint64_t newest;
    bool stopped;
};

/* Follows a job's lines. */
struct follower {
    struct job *job;
    uint64_t position; /* of the first byte that was not sent */
    int64_t beat_ns;
    bool told_end;
};

static void free_job(struct job *job)
{
    if (!job)
        return;
    free(job->subject);
    free(job->lines);
    free(job);
}

static void release(struct job *job)
{
    pthread_mutex_lock(&job->jobs->lock);
    bool last = --job->holders == 0;
    pthread_mutex_unlock(&job->jobs->lock);
    if (!last)
        return;
    if (job->joinable)
        pthread_join(job->thread, NULL);
    free_job(job);
}

/* The oldest lines make room for `size` bytes. Under the lock. */
static void drop_lines(struct job *job, size_t size)
{
    if (job->size + size <= LINES_SIZE_MAX)
        return;
    size_t drop = job->size + size - LINES_SIZE_MAX;
    char *end = drop < job->size ? memchr(job->lines + drop, '\n', job->size - drop) : NULL;
    drop = end ? (size_t)(end + 1 - job->lines) : job->size;
    memmove(job->lines, job->lines + drop, job->size - drop);
    job->size -= drop;
    job->dropped += drop;
}

static void keep_lines(struct job *job, const char *data, size_t size)
{
    pthread_mutex_lock(&job->jobs->lock);
    drop_lines(job, size);
    if (job->size + size > job->room) {
        size_t room = job->room ? job->room * 2 : 16 * 1024;
        while (room < job->size + size)
            room *= 2;
        char *grown = realloc(job->lines, room);
        if (grown) {
            job->lines = grown;
            job->room = room;
        }
    }
    if (job->size + size <= job->room) {
        memcpy(job->lines + job->size, data, size);
        job->size += size;
    }
    pthread_mutex_unlock(&job->jobs->lock);
    job->jobs->wake(job->jobs->wake_context);
}

static void keep_words(struct job *job, const char *data, size_t size)
{
    pthread_mutex_lock(&job->jobs->lock);
    program_keep_words(job->words, sizeof job->words, data, size);
    pthread_mutex_unlock(&job->jobs->lock);
}

/* Takes what the program prints until it has closed both ends or is to stop. */
static void take_output(struct job *job)
{
    struct pollfd ends[] = {{.fd = job->program.out, .events = POLLIN},
                            {.fd = job->program.err, .events = POLLIN}};
    char chunk[8192];

    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
        if (poll(ends, 2, 200) < 0 && errno != EINTR)
            return;
        pthread_mutex_lock(&job->jobs->lock);
        bool stopping = job->stopping;
        pthread_mutex_unlock(&job->jobs->lock);
        if (stopping)
            return;
        for (size_t i = 0; i < 2; i++) {
            if (ends[i].fd < 0 || !ends[i].revents)
                continue;
            ssize_t got = read(ends[i].fd, chunk, sizeof chunk);
            if (got <= 0)
                ends[i].fd = -1;
            else if (i == 0)
                keep_lines(job, chunk, (size_t)got);
            else
                keep_words(job, chunk, (size_t)got);
        }
    }
}

static void *watch(void *context)
{
    struct job *job = context;
    struct jobs *jobs = job->jobs;

    take_output(job);
    pthread_mutex_lock(&jobs->lock);
    bool stopping = job->stopping;
    pthread_mutex_unlock(&jobs->lock);
    int code = stopping ? program_end(&job->program) : program_wait(&job->program);
    pthread_mutex_lock(&jobs->lock);
    job->exit = code;
    job->ended_ns = clock_wall(&clock_system);
    job->running = false;
    pthread_mutex_unlock(&jobs->lock);
    jobs->wake(jobs->wake_context);
    return NULL;
}

struct posting {
    struct jobs *jobs;
    struct caller caller;
    struct job_command command;
};

/* Takes a place for a job that is about to start; the oldest that has ended gives its up. Under the
 * lock. False when all run. */
static bool take_place(struct jobs *jobs, struct job **out_of_place)
{
    if (jobs->count + jobs->starting == JOBS_MAX) {
        size_t i = 0;

        while (i < jobs->count && jobs->kept[i]->running)
            i++;
        if (i == jobs->count)
            return false;
        *out_of_place = jobs->kept[i];
        memmove(&jobs->kept[i], &jobs->kept[i + 1], (jobs->count - i - 1) * sizeof *jobs->kept);
        jobs->count--;
    }
    jobs->starting++;
    return true;
}

/* Gives the place to the job whose program runs. Under the lock. 0, or why it must end. */
static int keep(struct jobs *jobs, struct job *job)
{
    jobs->starting--;
    if (jobs->stopped)
        return ERR_CLOSED;
    job->number = ++jobs->newest;
    job->running = true;
    if (pthread_create(&job->thread, NULL, watch, job))
        return ERR_NOMEM;
    job->joinable = true;
    jobs->kept[jobs->count++] = job;
    return 0;
}

static void note_start(struct jobs *jobs, const struct caller *caller,
                       const struct job_command *command)
{
    char words[AUDIT_WORDS_SIZE], line[AUDIT_WORDS_SIZE / 2];
    struct text text;

    if (!jobs->journal)
        return;
    text_init(&text, line, sizeof line);
    for (size_t i = 0; i < command->count; i++)
        text_printf(&text, "%s%s", i ? " " : "", command->arguments[i]);
    text_init(&text, words, sizeof words);
    words_put(&text, "job", line);
    audit_note(jobs->journal, caller, "job-started", words);
}

/* The place first, then the note, then the program: what is refused leaves no trace. Once it is
 * kept the job may be gone at any time; its number is what is left to tell. */
static int start(struct job *job, const struct posting *posting, uint64_t *number)
{
    struct jobs *jobs = posting->jobs;
    struct job *old = NULL;

    pthread_mutex_lock(&jobs->lock);
    int error = jobs->stopped ? ERR_CLOSED : take_place(jobs, &old) ? 0 : ERR_FULL;
    pthread_mutex_unlock(&jobs->lock);
    if (old)
        release(old);
    if (error)
        return error;
    note_start(jobs, &posting->caller, &posting->command);
    error = program_start(&job->program, posting->command.arguments);
    bool runs = error == 0;
    pthread_mutex_lock(&jobs->lock);
    if (runs)
        error = keep(jobs, job);
    else
        jobs->starting--;
    *number = job->number;
    pthread_mutex_unlock(&jobs->lock);
    if (runs && error)
        program_end(&job->program);
    return error;
}

/* On a thread that may wait: a program is started and the start is noted in the journal. */
static void start_posted(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    struct posting *posting = context;
    struct job *job = calloc(1, sizeof *job);
    char *body = malloc(64);
    uint64_t number = 0;
    int error = ERR_NOMEM;

    (void)request;
    if (job)
        job->subject = strdup(posting->command.subject);
    if (job && job->subject && body) {
        job->holders = 1;
        job->jobs = posting->jobs;
        job->kind = posting->command.kind;
        job->started_ns = clock_wall(&clock_system);
        memcpy(job->by, posting->caller.account, sizeof job->by);
        error = start(job, posting, &number);
    }
    if (error) {
        free(body);
        free_job(job);
        if (error == ERR_FULL)
            reply_error(reply, 409, "as many jobs as can be are running; stop one or wait");
        else
            reply_failure(reply, error);
    } else {
        int size = snprintf(body, 64, "{\"job\":\"%" PRIu64 "\"}\n", number);
        reply_json(reply, 202, body, (size_t)size);
    }
}

static void post_job(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct posting *posting = calloc(1, sizeof *posting);
    struct body body;

    if (!posting) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    if (body_read(&body, request->http, reply)) {
        free(posting);
        return;
    }
    posting->jobs = context;
    posting->caller = *request->caller;
    int error = job_command_read(&posting->command, &posting->jobs->setting, &body, reply);
    body_close(&body);
    if (error) {
        free(posting);
        return;
    }
    reply->work = start_posted;
    reply->work_context = reply->owned = posting;
    reply->urgent = true;
}

/* The job of the request's path, held; or NULL with `reply` filled in. */
static struct job *find(struct jobs *jobs, const struct route_request *request,
                        struct http_reply *reply)
{
    struct job *found = NULL;
    char number[NUMBER_SIZE];

    pthread_mutex_lock(&jobs->lock);
    for (size_t i = 0; i < jobs->count; i++) {
        snprintf(number, sizeof number, "%" PRIu64, jobs->kept[i]->number);
        if (strcmp(number, request->names[0]) == 0)
            found = jobs->kept[i];
    }
    if (found)
        found->holders++;
    pthread_mutex_unlock(&jobs->lock);
    if (!found)
        reply_error(reply, 404, "there is no such job any more; GET /api/v1/jobs lists them");
    return found;
}

/* Under the lock, without the closing brace. */
static void put_job(struct text *text, const struct job *job)
{
    text_printf(text, "{\"job\":\"%" PRIu64 "\",\"kind\":\"%s\",\"of\":", job->number,
                job_kind_name(job->kind));
    text_json_string(text, job->subject, strlen(job->subject));
    text_string(text, ",\"by\":");
    text_json_string(text, job->by, strlen(job->by));
    text_printf(text, ",\"started\":%" PRId64 ",\"running\":%s", job->started_ns / NS_PER_MS,
                job->running ? "true" : "false");
    if (!job->running) {
        text_printf(text,
                    ",\"ended\":%" PRId64 ",\"exit\":%d,\"words\":", job->ended_ns / NS_PER_MS,
                    job->exit);
        text_json_string(text, job->words, strlen(job->words));
    }
}

static void fill_list(void *context, struct text *text)
{
    struct jobs *jobs = context;

    pthread_mutex_lock(&jobs->lock);
    text_string(text, "{\"jobs\":[");
    for (size_t i = 0; i < jobs->count; i++) {
        text_string(text, i ? "," : "");
        put_job(text, jobs->kept[i]);
        text_string(text, "}");
    }
    text_string(text, "]}\n");
    pthread_mutex_unlock(&jobs->lock);
}

static void get_jobs(void *context, const struct route_request *request, struct http_reply *reply)
{
    (void)request;
    reply_filled(reply, fill_list, context);
}

static void fill_job(void *context, struct text *text)
{
    struct job *job = context;

    pthread_mutex_lock(&job->jobs->lock);
    put_job(text, job);
    text_printf(text, ",\"dropped\":%" PRIu64 ",\"lines\":[", job->dropped);
    const char *line = job->lines, *end = job->lines + job->size, *stop;
    for (bool first = true; line && (stop = memchr(line, '\n', (size_t)(end - line)));
         line = stop + 1, first = false) {
        text_string(text, first ? "" : ",");
        text_raw(text, line, (size_t)(stop - line));
    }
    text_string(text, "]}\n");
    pthread_mutex_unlock(&job->jobs->lock);
}

static void get_job(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct job *job = find(context, request, reply);

    if (!job)
        return;
    reply_filled(reply, fill_job, job);
    release(job);
}

static void put_end(struct text *text, const struct job *job)
{
    text_printf(text, "event: end\ndata: {\"exit\":%d,\"words\":", job->exit);
    text_json_string(text, job->words, strlen(job->words));
    text_string(text, "}\n\n");
}

/* Puts the lines that fit; under the lock. */
static void put_lines(struct text *text, struct follower *follower)
{
    struct job *job = follower->job;
    uint64_t end = job->dropped + job->size;

    if (follower->position < job->dropped)
        follower->position = job->dropped;
    while (follower->position < end) {
        const char *line = job->lines + (follower->position - job->dropped);
        const char *stop = memchr(line, '\n', (size_t)(end - follower->position));
        size_t before = text->size;
        if (!stop)
            return;
        text_string(text, "event: line\ndata: ");
        text_raw(text, line, (size_t)(stop - line));
        text_string(text, "\n\n");
        if (text->cut) {
            text->size = before;
            text->cut = false;
            return;
        }
        follower->position += (uint64_t)(stop + 1 - line);
    }
}

static int64_t read_lines(void *stream, char *out, size_t room)
{
    struct follower *follower = stream;
    struct job *job = follower->job;
    struct text text;

    if (follower->told_end)
        return HTTP_STREAM_END;
    text_init(&text, out, room);
    pthread_mutex_lock(&job->jobs->lock);
    put_lines(&text, follower);
    if (!text.size && !job->running) {
        put_end(&text, job);
        follower->told_end = true;
    }
    pthread_mutex_unlock(&job->jobs->lock);
    int64_t now_ns = clock_mono(&clock_system);
    if (text.size) {
        follower->beat_ns = now_ns + BEAT_NS;
    } else if (now_ns >= follower->beat_ns) {
        text_string(&text, ": \n\n");
        follower->beat_ns = now_ns + BEAT_NS;
    }
    return text.size ? (int64_t)text.size : HTTP_STREAM_WAIT;
}

static void close_follower(void *stream)
{
    struct follower *follower = stream;

    release(follower->job);
    free(follower);
}

static void get_lines(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct job *job = find(context, request, reply);
    struct follower *follower = job ? calloc(1, sizeof *follower) : NULL;

    if (!job)
        return;
    if (!follower) {
        release(job);
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    follower->job = job;
    follower->beat_ns = clock_mono(&clock_system) + BEAT_NS;
    reply->status = 200;
    reply->type = "text/event-stream";
    reply->read = read_lines;
    reply->close = close_follower;
    reply->stream = follower;
}

static void delete_job(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct job *job = find(context, request, reply);

    if (!job)
        return;
    pthread_mutex_lock(&job->jobs->lock);
    job->stopping = true;
    pthread_mutex_unlock(&job->jobs->lock);
    reply_filled(reply, fill_job, job);
    release(job);
}

int jobs_open(struct jobs **out, const struct job_setting *setting, struct journal *journal,
              void (*wake)(void *context), void *wake_context)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);

    if (!jobs)
        return ERR_NOMEM;
    jobs->setting = *setting;
    jobs->journal = journal;
    jobs->wake = wake;
    jobs->wake_context = wake_context;
    pthread_mutex_init(&jobs->lock, NULL);
    *out = jobs;
    return 0;
}

void jobs_stop(struct jobs *jobs)
{
    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->lock);
    jobs->stopped = true;
    size_t count = jobs->count;
    for (size_t i = 0; i < count; i++)
        jobs->kept[i]->stopping = true;
    pthread_mutex_unlock(&jobs->lock);
    for (size_t i = 0; i < count; i++) {
        if (jobs->kept[i]->joinable)
            pthread_join(jobs->kept[i]->thread, NULL);
        jobs->kept[i]->joinable = false;
    }
}

void jobs_close(struct jobs *jobs)
{
    if (!jobs)
        return;
    jobs_stop(jobs);
    for (size_t i = 0; i < jobs->count; i++)
        release(jobs->kept[i]);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}

struct routes jobs_routes(struct jobs *jobs)
{
    static const struct route rows[] = {
        {"GET", "/api/v1/jobs", ROLE_VIEWER, get_jobs, 0},
        {"POST", "/api/v1/jobs", ROLE_OWNER, post_job, 0},
        {"GET", "/api/v1/jobs/{job}", ROLE_VIEWER, get_job, 0},
        {"GET", "/api/v1/jobs/{job}/lines", ROLE_VIEWER, get_lines, 0},
        {"DELETE", "/api/v1/jobs/{job}", ROLE_OWNER, delete_job, 0},
    };

    return (struct routes){rows, sizeof rows / sizeof *rows, jobs};
}
