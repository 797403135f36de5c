/* The proxy on the way to a broker: whether it lets a connection through. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "core/clock.h"
#include "core/error.h"
#include "tls/proxy.h"

/* Asks on a connection. 0, or an error with a sentence. */
static int ask(struct proxy *proxy, int fd, char *sentence, size_t size)
{
    int64_t end_ns = clock_mono(&clock_system) + DOCTOR_STEP_NS;

    for (;;) {
        int error = proxy_step(proxy, fd, sentence, size);
        int64_t left_ns = end_ns - clock_mono(&clock_system);
        struct pollfd wait = {.fd = fd,
                              .events = proxy_wants(proxy) == EPOLLOUT ? POLLOUT : POLLIN};

        if (error != ERR_AGAIN)
            return error;
        if (left_ns <= 0 || poll(&wait, 1, (int)(left_ns / NS_PER_MS) + 1) == 0) {
            snprintf(sentence, size,
                     "the proxy does not answer: check that it is an HTTP proxy, and its port");
            return ERR_TIMEOUT;
        }
    }
}

/* With a connection of its own. */
static int pass(const struct doctor *doctor, const char *login, char *sentence, size_t size)
{
    const struct uplink_url *url = &doctor->url;
    const struct proxy_way way = {url->host, url->port, url->proxy_host, url->proxy_port, login};
    struct proxy *proxy = NULL;
    char address[64];
    int fd, tried;
    int error = doctor_dial(doctor, &fd, &tried, address) ? ERR_UNREACHABLE : 0;

    if (!error)
        error = proxy_open(&proxy, &way);
    if (error)
        snprintf(sentence, size, "%s", error_text(error));
    else
        error = ask(proxy, fd, sentence, size);
    proxy_close(proxy);
    if (fd >= 0)
        close(fd);
    return error;
}

/* The sentences of the way have what to do behind their last colon. */
static void fail(struct doctor_finding *finding, const char *sentence)
{
    const char *colon = NULL;

    for (const char *at = sentence; (at = strstr(at, ": ")); at++)
        colon = at;
    doctor_say(finding, DOCTOR_FAILED, "%.*s", (int)(colon ? colon - sentence : DOCTOR_TEXT_SIZE),
               sentence);
    if (colon)
        doctor_next(finding, "%s", colon + 2);
}

void doctor_proxy(struct doctor *doctor, struct doctor_finding *finding)
{
    const char *file = doctor->options->proxy_login_file;
    char login[SECRET_SIZE], sentence[DOCTOR_TEXT_SIZE] = "";

    if (!doctor_proxied(doctor)) {
        doctor_say(finding, DOCTOR_SKIPPED, "this uplink needs no proxy");
        return;
    }
    if (file && proxy_login(file, login, sentence, sizeof sentence)) {
        fail(finding, sentence);
        return;
    }
    int error = pass(doctor, file ? login : NULL, sentence, sizeof sentence);
    if (file)
        explicit_bzero(login, sizeof login);
    if (error)
        fail(finding, sentence);
    else
        doctor_say(finding, DOCTOR_OK, "%s lets this gateway through to %s port %u",
                   doctor->url.proxy_host, doctor->url.host, (unsigned)doctor->url.port);
}
