/* The API's server when its clients misbehave. */
// links: sluice_web
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "web/http.h"

#define DEADLINE_MS 10000

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
    if (http_adopt(server, ends[0]) != 0) {
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
    assert_int_equal(http_open(&server, answer_with_a_silent_stream, NULL), 0);
    for (int i = 0; i < 3 * HTTP_CONNECTIONS_MAX; i++) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_that_nobody_reads_keep_nobody_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
