/* The API's server when its clients misbehave. */
// links: sluice_web
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "config/json.h"
#include "core/clock.h"
#include "core/error.h"
#include "web/http.h"
#include "web/reply.h"

#define DEADLINE_MS 10000
#define CONNECTIONS 64

static int64_t wait_for_ever(void *stream, char *out, size_t room)
{
    (void)stream;
    (void)out;
    (void)room;
    return HTTP_STREAM_WAIT;
}

static void answer_with_a_silent_stream(void *context, const struct http_request *request,
                                        struct http_reply *reply)
{
    (void)context;
    (void)request;
    reply->status = 200;
    reply->read = wait_for_ever;
}

/* Whether a request on a new connection is answered. */
static bool ask_and_leave(struct http *server)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    int ends[2];
    char reply[64];
    bool answered;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    if (http_adopt(server, ends[0], NULL, 0) != 0) {
        close(ends[1]);
        return false;
    }
    struct pollfd client = {.fd = ends[1], .events = POLLIN};
    answered = write(ends[1], request, sizeof(request) - 1) > 0 &&
               poll(&client, 1, DEADLINE_MS) == 1 && read(ends[1], reply, sizeof(reply)) > 0;
    close(ends[1]);
    return answered;
}

static void streams_that_nobody_reads_keep_nobody_out(void **state)
{
    struct http *server;

    (void)state;
    assert_int_equal(http_open(&server, CONNECTIONS, NULL, answer_with_a_silent_stream, NULL), 0);
    for (int i = 0; i < 3 * CONNECTIONS; i++) {
        int64_t until_ns = clock_mono(&clock_system) + DEADLINE_MS * NS_PER_MS;
        bool answered = ask_and_leave(server);

        while (!answered && clock_mono(&clock_system) < until_ns) {
            poll(NULL, 0, 1); /* those that left are dropped by another thread */
            answered = ask_and_leave(server);
        }
        if (!answered)
            fail_msg("connection %d", i);
    }
    http_close(server);
}

static void fill_in_later(void *context, const struct http_request *request,
                          struct http_reply *reply)
{
    (void)context;
    reply->status = 201;
    reply->body = strdup(request->body);
    reply->size = request->size;
}

static void answer_later(void *context, const struct http_request *request,
                         struct http_reply *reply)
{
    (void)context;
    (void)request;
    reply->work = fill_in_later;
    http_reply_header(reply, "X-First", "1");
    http_reply_header(reply, "X-First", "2");
    http_reply_header(reply, "Set-Cookie", "a=1");
    http_reply_header(reply, "Set-Cookie", "b=2");
}

static size_t take_four_bytes(void *context, const struct http_request *request,
                              struct http_reply *reply)
{
    (void)context;
    if (!http_header(request, "x-let-me")) {
        reply->status = 403;
        return HTTP_REFUSED;
    }
    return 4;
}

/* Sends the request and returns what is answered, until the server has nothing more to say. */
static void ask(struct http *server, const char *request, char *answer, size_t room)
{
    int ends[2];
    size_t size = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(http_adopt(server, ends[0], NULL, 0), 0);
    assert_true(write(ends[1], request, strlen(request)) == (ssize_t)strlen(request));
    struct pollfd client = {.fd = ends[1], .events = POLLIN};
    for (;;) {
        assert_int_equal(poll(&client, 1, DEADLINE_MS), 1);
        ssize_t got = read(ends[1], answer + size, room - 1 - size);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    answer[size] = '\0';
    close(ends[1]);
}

static void work_is_answered_by_another_thread(void **state)
{
    struct http *server;
    char answer[1024];

    (void)state;
    assert_int_equal(http_open(&server, CONNECTIONS, NULL, answer_later, NULL), 0);
    ask(server, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
        answer, sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 201 "));
    assert_non_null(strstr(answer, "X-First: 2\r\n"));
    assert_null(strstr(answer, "X-First: 1\r\n"));
    assert_non_null(strstr(answer, "Set-Cookie: a=1\r\n"));
    assert_non_null(strstr(answer, "Set-Cookie: b=2\r\n"));
    assert_non_null(strstr(answer, "\r\n\r\nabc"));
    http_close(server);
}

static void what_may_not_be_sent_is_refused_before_it_is_read(void **state)
{
    struct http *server;
    char answer[1024];

    (void)state;
    assert_int_equal(http_open(&server, CONNECTIONS, take_four_bytes, answer_later, NULL), 0);
    ask(server, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n", answer,
        sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 403 "));
    ask(server,
        "POST / HTTP/1.1\r\nHost: x\r\nX-Let-Me: in\r\nConnection: close\r\n"
        "Content-Length: 5\r\n\r\nabcde",
        answer, sizeof answer);
    assert_non_null(strstr(answer, "HTTP/1.1 413 "));
    http_close(server);
}

/* What a reply that comes later waits for. */
struct event_to_come {
    atomic_bool came;
    atomic_int asked, closed;
};

static bool has_come(void *stream, const struct http_request *request, struct http_reply *reply)
{
    struct event_to_come *event = stream;

    event->asked++;
    if (!event->came)
        return false;
    reply->status = 200;
    reply->body = strdup(request->body);
    reply->size = request->size;
    return true;
}

static void close_event(void *stream)
{
    ((struct event_to_come *)stream)->closed++;
}

static void answer_when_it_came(void *context, const struct http_request *request,
                                struct http_reply *reply)
{
    (void)request;
    reply->later = has_come;
    reply->close = close_event;
    reply->stream = context;
}

static void *bring_it(void *context)
{
    struct {
        struct http *server;
        struct event_to_come *event;
    } *what = context;

    while (what->event->asked == 0)
        poll(NULL, 0, 1);
    int before = what->event->asked;
    while (what->event->asked == before) { /* asked once more, and put off */
        http_wake(what->server);
        poll(NULL, 0, 1);
    }
    what->event->came = true;
    http_wake(what->server);
    return NULL;
}

static void a_reply_that_comes_later_is_asked_for_at_each_wake(void **state)
{
    struct event_to_come event = {0};
    struct {
        struct http *server;
        struct event_to_come *event;
    } what = {.event = &event};
    char answer[1024];
    pthread_t thread;

    (void)state;
    assert_int_equal(http_open(&what.server, CONNECTIONS, NULL, answer_when_it_came, &event), 0);
    assert_int_equal(pthread_create(&thread, NULL, bring_it, &what), 0);
    ask(what.server,
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", answer,
        sizeof answer);
    pthread_join(thread, NULL);
    assert_non_null(strstr(answer, "HTTP/1.1 200 "));
    assert_non_null(strstr(answer, "\r\n\r\nabc"));
    http_close(what.server);
    assert_int_equal(event.closed, 1);
}

static int have_no_room(void *stream, const char *data, size_t size)
{
    struct event_to_come *event = stream;

    (void)data;
    (void)size;
    event->asked++;
    return ERR_AGAIN;
}

static size_t take_as_it_comes(void *context, const struct http_request *request,
                               struct http_reply *reply)
{
    (void)request;
    reply->take = have_no_room;
    reply->close = close_event;
    reply->stream = context;
    return 1000;
}

static void who_leaves_while_there_is_no_room_is_let_go(void **state)
{
    static const char request[] = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc";
    int64_t until_ns = clock_mono(&clock_system) + DEADLINE_MS * NS_PER_MS;
    struct event_to_come event = {0};
    struct http *server;
    int ends[2];

    (void)state;
    assert_int_equal(http_open(&server, CONNECTIONS, take_as_it_comes, answer_later, &event), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(http_adopt(server, ends[0], NULL, 0), 0);
    assert_true(write(ends[1], request, sizeof request - 1) == sizeof request - 1);
    while (event.asked == 0 && clock_mono(&clock_system) < until_ns)
        poll(NULL, 0, 1);
    close(ends[1]);
    while (event.closed == 0 && clock_mono(&clock_system) < until_ns) {
        http_wake(server);
        poll(NULL, 0, 1);
    }
    assert_int_equal(event.closed, 1);
    http_close(server);
}

/* Work that is held until it is let go, and in which order it was done. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool go;
    int begun;
    char order[16];
} held = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void do_when_let_go(void *context, const struct http_request *request,
                           struct http_reply *reply)
{
    (void)context;
    pthread_mutex_lock(&held.lock);
    held.order[held.begun++] = request->path[1];
    pthread_cond_broadcast(&held.changed);
    while (!held.go)
        pthread_cond_wait(&held.changed, &held.lock);
    pthread_mutex_unlock(&held.lock);
    reply->status = 200;
    reply->body = strdup(request->path);
    reply->size = strlen(request->path);
}

static void answer_held(void *context, const struct http_request *request, struct http_reply *reply)
{
    (void)context;
    reply->status = 200;
    if (request->path[1] == '-')
        return;
    reply->work = do_when_let_go;
    reply->owned = malloc(64);
    reply->urgent = request->path[1] == 'U';
    reply->slow = request->path[1] == 'S';
}

static int ask_for(struct http *server, const char *path)
{
    char request[64];
    int ends[2];

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(http_adopt(server, ends[0], NULL, 0), 0);
    assert_true(write(ends[1], request, strlen(request)) == (ssize_t)strlen(request));
    return ends[1];
}

static void ask_at_once(struct http *server)
{
    char answer[256];
    int end = ask_for(server, "/-");

    assert_true(read(end, answer, sizeof answer) > 0);
    close(end);
}

static void wait_begun(int count)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_MS / 1000;
    pthread_mutex_lock(&held.lock);
    while (held.begun < count)
        assert_int_equal(pthread_cond_timedwait(&held.changed, &held.lock, &until), 0);
    pthread_mutex_unlock(&held.lock);
}

static void let_go(void)
{
    pthread_mutex_lock(&held.lock);
    held.go = true;
    pthread_cond_broadcast(&held.changed);
    pthread_mutex_unlock(&held.lock);
}

static struct http *open_holding(void)
{
    struct http *server;

    held.begun = 0;
    held.go = false;
    assert_int_equal(http_open(&server, CONNECTIONS, NULL, answer_held, NULL), 0);
    return server;
}

static void let_all_go(struct http *server, const int *asked, int count)
{
    char answer[256];

    let_go();
    for (int i = 0; i < count; i++) {
        assert_true(read(asked[i], answer, sizeof answer) > 0);
        close(asked[i]);
    }
    http_close(server);
}

static void urgent_work_goes_first(void **state)
{
    struct http *server = open_holding();
    int asked[4];

    (void)state;
    asked[0] = ask_for(server, "/a");
    asked[1] = ask_for(server, "/b");
    wait_begun(2); /* both workers are taken */
    asked[2] = ask_for(server, "/c");
    ask_at_once(server); /* the server takes requests in their order: it has queued /c by now */
    asked[3] = ask_for(server, "/U");
    ask_at_once(server);
    let_all_go(server, asked, 4);
    assert_int_equal(held.order[2], 'U');
}

static void what_is_slow_keeps_only_its_like_waiting(void **state)
{
    struct http *server = open_holding();
    int asked[4];

    (void)state;
    asked[0] = ask_for(server, "/S");
    asked[1] = ask_for(server, "/S");
    wait_begun(2);
    asked[2] = ask_for(server, "/S"); /* waits for one of them */
    asked[3] = ask_for(server, "/a");
    wait_begun(3);
    assert_int_equal(held.order[2], 'a');
    let_all_go(server, asked, 4);
}

/* As one that names a file whose path is as long as paths may be. */
static void a_refusal_is_json_however_long_its_sentence_is(void **state)
{
    struct http_reply reply = {0};
    char sentence[5000];
    struct arena *arena;
    struct json *root;

    (void)state;
    memset(sentence, '\1', sizeof sentence - 1);
    sentence[sizeof sentence - 1] = '\0';
    reply_refusal(&reply, 409, sentence, sentence);
    assert_int_equal(reply.status, 409);
    assert_int_equal(arena_open(&arena), 0);
    assert_int_equal(json_read(&root, arena, reply.body, reply.size, NULL, NULL), 0);
    assert_string_equal(json_find(root, "error")->text, sentence);
    assert_string_equal(json_find(root, "next")->text, sentence);
    arena_close(arena);
    free(reply.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_that_nobody_reads_keep_nobody_out),
        cmocka_unit_test(work_is_answered_by_another_thread),
        cmocka_unit_test(a_reply_that_comes_later_is_asked_for_at_each_wake),
        cmocka_unit_test(who_leaves_while_there_is_no_room_is_let_go),
        cmocka_unit_test(what_may_not_be_sent_is_refused_before_it_is_read),
        cmocka_unit_test(urgent_work_goes_first),
        cmocka_unit_test(what_is_slow_keeps_only_its_like_waiting),
        cmocka_unit_test(a_refusal_is_json_however_long_its_sentence_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
