/* Jobs as their own files see them: those that this gateway runs (jobs.c), those that programs tell
 * of (jobs_told.c), and whoever follows them (jobs_follow.c). */
#ifndef SLUICE_WEB_JOBS_INSIDE_H
#define SLUICE_WEB_JOBS_INSIDE_H

#include <pthread.h>

#include "core/text.h"
#include "web/jobs.h"

#define JOB_WORDS_SIZE 1024

struct job {
    unsigned holders; /* under jobs->lock, as is all but the thread's own */
    struct jobs *jobs;
    uint64_t number;
    const struct job_kind *kind;
    char *subject;
    char by[CALLER_NAME_SIZE];
    int64_t started_ns, ended_ns; /* wall clock */
    int64_t gone_ns; /* by the monotonic clock: when nobody tells of it any more; 0: it is ours */
    bool running, stopping;
    int exit;
    struct program program;
    pthread_t thread;
    bool joinable;
    char words[JOB_WORDS_SIZE];
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

/* A job of the caller's that is held once and not kept yet; NULL: no memory. */
struct job *job_new(struct jobs *jobs, const struct job_kind *kind, const char *subject,
                    const char *by);

/* Of one that is held no more, the last one frees it. Without the lock; NULL is fine. */
void job_release(struct job *job);

/* Keeps complete lines of JSON, which make room for themselves. Without the lock. */
void job_keep_lines(struct job *job, const char *data, size_t size);

/* Takes a place for a job that is about to start; the oldest that has ended gives its up, and is
 * the caller's to release. Under the lock. False when all run. */
bool jobs_take_place(struct jobs *jobs, struct job **out_of_place);

/* Gives the place to a job, which gets its number: the time of its start in ms, or one more than
 * the newest, so that whoever asks for one of before a restart gets no other. Under the lock. */
void jobs_keep(struct jobs *jobs, struct job *job);

/* Notes in the journal who started what. May wait for the disk; without the lock. */
void jobs_note_start(struct jobs *jobs, const struct caller *caller, const char *line);

/* The job of the request's path, held; or NULL with `reply` filled in. */
struct job *jobs_find(struct jobs *jobs, const struct route_request *request,
                      struct http_reply *reply);

/* Ends those of which nobody tells any more. Under the lock. */
void jobs_miss(struct jobs *jobs);

/* Of one that a program tells of: begins it, takes a line, ends it. */
void jobs_post_told(void *context, const struct route_request *request, struct http_reply *reply);

/* A job's lines as they come. */
void jobs_get_lines(void *context, const struct route_request *request, struct http_reply *reply);

#endif
