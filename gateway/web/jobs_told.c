#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "core/clock.h"
#include "core/error.h"
#include "web/jobs_inside.h"
#include "web/query.h"
#include "web/reply.h"

#define GONE_NS     (30 * NS_PER_S) /* without a word, and its program has ended */
#define LINE_SIZE   2048
#define ANSWER_SIZE 64

static const char GONE[] = "the program that did it has ended without a word";

/* What a program says of its job. */
struct telling {
    struct jobs *jobs;
    struct caller caller;
    const struct job_kind *kind;
    const char *of, *by;
    uint64_t number, exit;
    const char *words; /* NULL: it goes on */
    char line[LINE_SIZE];
    struct text text; /* of the line; of no size: none */
};

void jobs_miss(struct jobs *jobs)
{
    int64_t now_ns = clock_mono(&clock_system);

    for (size_t i = 0; i < jobs->count; i++) {
        struct job *job = jobs->kept[i];

        if (!job->running || job->gone_ns == 0 || now_ns < job->gone_ns)
            continue;
        job->running = false;
        job->exit = 1;
        job->ended_ns = clock_wall(&clock_system);
        snprintf(job->words, sizeof job->words, "%s", GONE);
    }
}

static void count_mistake(void *context, struct json_place at, const char *sentence)
{
    (void)at;
    (void)sentence;
    ++*(unsigned *)context;
}

/* As programs read it: what came may be JSON with comments. */
static void put_value(struct text *text, const struct json *value)
{
    bool is_object = value->type == JSON_OBJECT;

    if (value->type == JSON_STRING) {
        text_json_string(text, value->text, value->size);
    } else if (value->type == JSON_NUMBER) {
        text_raw(text, value->text, value->size);
    } else if (value->type != JSON_LIST && !is_object) {
        text_string(text, value->type != JSON_BOOL ? "null" : value->truth ? "true" : "false");
    } else {
        text_string(text, is_object ? "{" : "[");
        for (const struct json *item = value->first; item; item = item->next) {
            if (is_object) {
                text_json_string(text, item->key, strlen(item->key));
                text_string(text, ":");
            }
            put_value(text, item);
            text_string(text, item->next ? "," : "");
        }
        text_string(text, is_object ? "}" : "]");
    }
}

/* The line as it is kept; false: it is no object of JSON, or too long. */
static bool take_line(struct telling *telling, const char *line)
{
    struct json *root = NULL;
    unsigned mistakes = 0;
    struct arena *arena;

    text_init(&telling->text, telling->line, sizeof telling->line);
    if (!line)
        return true;
    if (arena_open(&arena))
        return false;
    bool right = json_read(&root, arena, line, strlen(line), count_mistake, &mistakes) == 0 &&
                 mistakes == 0 && root->type == JSON_OBJECT;
    if (right) {
        put_value(&telling->text, root);
        text_string(&telling->text, "\n");
    }
    arena_close(arena);
    return right && !telling->text.cut;
}

/* Whether it runs, and does the same for the same. */
static bool does_it(const struct job *job, const struct telling *telling)
{
    return job->running && job->kind == telling->kind && strcmp(job->subject, telling->of) == 0;
}

/* Whether one that runs does it already. Under the lock. */
static bool is_done_already(const struct telling *telling)
{
    jobs_miss(telling->jobs); /* whoever is gone does nothing */
    for (size_t i = 0; i < telling->jobs->count; i++)
        if (does_it(telling->jobs->kept[i], telling))
            return true;
    return false;
}

/* The job that was told of before, held; NULL where there is none, or it has ended. */
static struct job *find_told(const struct telling *telling)
{
    struct jobs *jobs = telling->jobs;
    struct job *found = NULL;

    pthread_mutex_lock(&jobs->lock);
    jobs_miss(jobs);
    for (size_t i = 0; i < jobs->count; i++) {
        struct job *job = jobs->kept[i];

        /* Only its own: a number is taken from whoever gives it. */
        if (job->number == telling->number && job->gone_ns && does_it(job, telling) &&
            strncmp(job->by, telling->by, sizeof job->by - 1) == 0)
            found = job;
    }
    if (found)
        found->holders++;
    pthread_mutex_unlock(&jobs->lock);
    return found;
}

/* Keeps a new one, and holds it for the caller. */
static int begin(struct telling *telling, struct job **out)
{
    struct jobs *jobs = telling->jobs;
    struct job *job = job_new(jobs, telling->kind, telling->of, telling->by), *old = NULL;
    char line[160];

    if (!job)
        return ERR_NOMEM;
    pthread_mutex_lock(&jobs->lock);
    int error = jobs->stopped                 ? ERR_CLOSED
                : is_done_already(telling)    ? ERR_BUSY
                : jobs_take_place(jobs, &old) ? 0
                                              : ERR_FULL;
    if (!error) {
        job->gone_ns = clock_mono(&clock_system) + GONE_NS;
        job->holders++;
        jobs_keep(jobs, job);
    }
    pthread_mutex_unlock(&jobs->lock);
    job_release(old);
    if (error) {
        job_release(job);
        return error;
    }
    snprintf(line, sizeof line, "%s -- %s", job_kind_name(telling->kind), telling->of);
    jobs_note_start(jobs, &telling->caller, line);
    *out = job;
    return 0;
}

/* Whether somebody wants it to stop. */
static bool keep_told(struct telling *telling, struct job *job)
{
    struct jobs *jobs = telling->jobs;

    if (telling->text.size)
        job_keep_lines(job, telling->line, telling->text.size);
    pthread_mutex_lock(&jobs->lock);
    bool stop = job->stopping;
    job->gone_ns = clock_mono(&clock_system) + GONE_NS;
    if (telling->words) {
        job->running = false;
        job->exit = (int)telling->exit;
        job->ended_ns = clock_wall(&clock_system);
        snprintf(job->words, sizeof job->words, "%s", telling->words);
    }
    pthread_mutex_unlock(&jobs->lock);
    jobs->wake(jobs->wake_context);
    return stop;
}

/* On a thread that may wait: a start is noted in the journal. */
static void take_telling(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    struct telling *telling = context;
    struct job *job = telling->number ? find_told(telling) : NULL;
    char *body = malloc(ANSWER_SIZE);
    int error = body ? 0 : ERR_NOMEM;

    (void)request;
    if (!error && !job)
        error = begin(telling, &job);
    if (error) {
        free(body);
        job_release(job);
        if (error == ERR_BUSY)
            reply_error(reply, 409, "a job does that already");
        else if (error == ERR_FULL)
            reply_error(reply, 409, "as many jobs as can be are running; stop one or wait");
        else
            reply_failure(reply, error);
        return;
    }
    int size = snprintf(body, ANSWER_SIZE, "{\"job\":\"%" PRIu64 "\",\"stop\":%s}\n", job->number,
                        keep_told(telling, job) ? "true" : "false");
    job_release(job);
    reply_json(reply, 200, body, (size_t)size);
}

void jobs_post_told(void *context, const struct route_request *request, struct http_reply *reply)
{
    const char *kind = http_query(request->http, "kind");
    struct telling *telling = calloc(1, sizeof *telling);

    if (!telling) {
        reply_failure(reply, ERR_NOMEM);
        return;
    }
    telling->jobs = context;
    telling->caller = *request->caller;
    telling->kind = kind ? job_kind_find(kind) : NULL;
    telling->of = http_query(request->http, "of");
    telling->by = http_query(request->http, "by");
    telling->words = http_query(request->http, "words");
    if (!telling->kind || !telling->of || !telling->by ||
        query_u64(request->http, "job", &telling->number) ||
        query_u64(request->http, "exit", &telling->exit) || telling->exit > 255 ||
        !take_line(telling, http_query(request->http, "line"))) {
        free(telling);
        reply_error(reply, 400,
                    "expected are the kind of a job, of, by, whole numbers as job and exit, and an "
                    "object of JSON as line");
        return;
    }
    reply->work = take_telling;
    reply->work_context = reply->owned = telling;
    reply->urgent = true;
}
