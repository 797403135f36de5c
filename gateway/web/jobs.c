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
#include "web/jobs_inside.h"
#include "web/reply.h"

#define LINES_SIZE_MAX (1024 * 1024) /* kept of a job; the oldest lines make room */
#define NUMBER_SIZE    24

static void free_job(struct job *job)
{
    if (!job)
        return;
    free(job->subject);
    free(job->lines);
    free(job);
}

struct job *job_new(struct jobs *jobs, const struct job_kind *kind, const char *subject,
                    const char *by)
{
    struct job *job = calloc(1, sizeof *job);

    if (!job)
        return NULL;
    job->holders = 1;
    job->jobs = jobs;
    job->kind = kind;
    job->subject = strdup(subject);
    job->started_ns = clock_wall(&clock_system);
    snprintf(job->by, sizeof job->by, "%s", by);
    if (job->subject)
        return job;
    free_job(job);
    return NULL;
}

void job_release(struct job *job)
{
    if (!job)
        return;
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

void job_keep_lines(struct job *job, const char *data, size_t size)
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
                job_keep_lines(job, chunk, (size_t)got);
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

bool jobs_take_place(struct jobs *jobs, struct job **out_of_place)
{
    jobs_miss(jobs);
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

void jobs_keep(struct jobs *jobs, struct job *job)
{
    uint64_t started_ms = (uint64_t)(job->started_ns / NS_PER_MS);

    jobs->starting--;
    jobs->newest = started_ms > jobs->newest ? started_ms : jobs->newest + 1;
    job->number = jobs->newest;
    job->running = true;
    jobs->kept[jobs->count++] = job;
}

/* Watches the job whose program runs, in the place that was taken for it. Under the lock. 0, or why
 * it must end. */
static int keep(struct jobs *jobs, struct job *job)
{
    int error = jobs->stopped ? ERR_CLOSED : 0;

    if (!error && pthread_create(&job->thread, NULL, watch, job))
        error = ERR_NOMEM;
    if (error) {
        jobs->starting--;
        return error;
    }
    job->joinable = true;
    jobs_keep(jobs, job);
    return 0;
}

void jobs_note_start(struct jobs *jobs, const struct caller *caller, const char *line)
{
    char words[AUDIT_WORDS_SIZE];
    struct text text;

    if (!jobs->journal)
        return;
    text_init(&text, words, sizeof words);
    words_put(&text, "job", line);
    audit_note(jobs->journal, caller, "job-started", words);
}

static void note_command(struct jobs *jobs, const struct posting *posting)
{
    char line[AUDIT_WORDS_SIZE / 2];
    struct text text;

    text_init(&text, line, sizeof line);
    for (size_t i = 0; i < posting->command.count; i++)
        text_printf(&text, "%s%s", i ? " " : "", posting->command.arguments[i]);
    jobs_note_start(jobs, &posting->caller, line);
}

/* The place first, then the note, then the program: what is refused leaves no trace. Once it is
 * kept the job may be gone at any time; its number is what is left to tell. */
static int start(struct job *job, const struct posting *posting, uint64_t *number)
{
    struct jobs *jobs = posting->jobs;
    struct job *old = NULL;

    pthread_mutex_lock(&jobs->lock);
    int error = jobs->stopped ? ERR_CLOSED : jobs_take_place(jobs, &old) ? 0 : ERR_FULL;
    pthread_mutex_unlock(&jobs->lock);
    job_release(old);
    if (error)
        return error;
    note_command(jobs, posting);
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
    struct job *job = job_new(posting->jobs, posting->command.kind, posting->command.subject,
                              posting->caller.account);
    char *body = malloc(64);
    uint64_t number = 0;

    (void)request;
    int error = job && body ? start(job, posting, &number) : ERR_NOMEM;
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

struct job *jobs_find(struct jobs *jobs, const struct route_request *request,
                      struct http_reply *reply)
{
    struct job *found = NULL;
    char number[NUMBER_SIZE];

    pthread_mutex_lock(&jobs->lock);
    jobs_miss(jobs);
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
    jobs_miss(jobs);
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
    struct job *job = jobs_find(context, request, reply);

    if (!job)
        return;
    reply_filled(reply, fill_job, job);
    job_release(job);
}

static void delete_job(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct job *job = jobs_find(context, request, reply);

    if (!job)
        return;
    pthread_mutex_lock(&job->jobs->lock);
    job->stopping = true;
    pthread_mutex_unlock(&job->jobs->lock);
    reply_filled(reply, fill_job, job);
    job_release(job);
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
        job_release(jobs->kept[i]);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}

struct routes jobs_routes(struct jobs *jobs)
{
    static const struct route rows[] = {
        {"GET", "/api/v1/jobs", ROLE_VIEWER, get_jobs, 0},
        {"POST", "/api/v1/jobs", ROLE_OWNER, post_job, 0},
        {"GET", "/api/v1/jobs/{job}", ROLE_VIEWER, get_job, 0},
        {"GET", "/api/v1/jobs/{job}/lines", ROLE_VIEWER, jobs_get_lines, 0},
        {"DELETE", "/api/v1/jobs/{job}", ROLE_OWNER, delete_job, 0},
        {"POST", "/api/v1/told", ROLE_OWNER, jobs_post_told, 0},
    };

    return (struct routes){rows, sizeof rows / sizeof *rows, jobs};
}
