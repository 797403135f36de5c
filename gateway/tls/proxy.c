#include "tls/proxy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "core/base64.h"
#include "core/error.h"
#include "core/text.h"

#define QUESTION_SIZE 8192
#define ANSWER_SIZE   8192 /* the longest heads of an answer */
#define HOST_SIZE     256

struct proxy {
    char host[HOST_SIZE], proxy_host[HOST_SIZE];
    uint16_t port, proxy_port;
    bool login;
    char question[QUESTION_SIZE];
    size_t asked, question_size;
    char answer[ANSWER_SIZE + 1];
    size_t size, head; /* `head` begins the one that counts: others may come before it */
    bool filled;       /* the line that is read has something in it */
};

int proxy_login(const char *path, char login[SECRET_SIZE], char *sentence, size_t size)
{
    const char *why;
    int rc = secret_read(path, login, &why);

    if (rc == 0 && strchr(login, ':'))
        return 0;
    if (rc == ERR_NOT_FOUND) {
        snprintf(sentence, size, "the file \"%s\" with the proxy's login cannot be read (%s)", path,
                 why);
        return rc;
    }
    if (rc == ERR_TOO_LARGE)
        snprintf(sentence, size,
                 "the first line of \"%s\" is longer than the %d bytes that a proxy's login may "
                 "have",
                 path, SECRET_LENGTH_MAX);
    else
        snprintf(sentence, size,
                 "the first line of \"%s\" is no login: write USER:PASSWORD into it", path);
    explicit_bzero(login, SECRET_SIZE);
    return ERR_INVALID;
}

static void put_login(struct text *text, const char *login)
{
    char letters[BASE64_TEXT_SIZE(SECRET_LENGTH_MAX)];

    base64_write(login, strlen(login), letters);
    text_printf(text, "Proxy-Authorization: Basic %s\r\n", letters);
    explicit_bzero(letters, sizeof letters);
}

int proxy_open(struct proxy **out, const struct proxy_way *way)
{
    bool v6 = strchr(way->host, ':') != NULL;
    char at[HOST_SIZE + 16];
    struct proxy *proxy;
    struct text text;

    if (way->login && strlen(way->login) > SECRET_LENGTH_MAX)
        return ERR_TOO_LARGE;
    proxy = calloc(1, sizeof *proxy);
    if (!proxy)
        return ERR_NOMEM;
    snprintf(proxy->host, sizeof proxy->host, "%s", way->host);
    snprintf(proxy->proxy_host, sizeof proxy->proxy_host, "%s", way->proxy_host);
    proxy->port = way->port;
    proxy->proxy_port = way->proxy_port;
    proxy->login = way->login != NULL;
    snprintf(at, sizeof at, v6 ? "[%s]:%u" : "%s:%u", proxy->host, (unsigned)way->port);
    text_init(&text, proxy->question, sizeof proxy->question);
    text_printf(&text, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", at, at);
    if (way->login)
        put_login(&text, way->login);
    text_string(&text, "\r\n");
    proxy->question_size = text.size;
    *out = proxy;
    return 0;
}

void proxy_close(struct proxy *proxy)
{
    if (!proxy)
        return;
    explicit_bzero(proxy, sizeof *proxy);
    free(proxy);
}

uint32_t proxy_wants(const struct proxy *proxy)
{
    return proxy->asked < proxy->question_size ? EPOLLOUT : EPOLLIN;
}

static int ended(const struct proxy *proxy, char *sentence, size_t size)
{
    snprintf(sentence, size,
             "the proxy %s port %u ended the connection without an answer: check that it is an "
             "HTTP proxy, and its port",
             proxy->proxy_host, (unsigned)proxy->proxy_port);
    return ERR_CLOSED;
}

static int ask(struct proxy *proxy, int fd, char *sentence, size_t size)
{
    while (proxy->asked < proxy->question_size) {
        ssize_t sent = send(fd, proxy->question + proxy->asked, proxy->question_size - proxy->asked,
                            MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? ERR_AGAIN : ended(proxy, sentence, size);
        proxy->asked += (size_t)sent;
    }
    explicit_bzero(proxy->question, sizeof proxy->question);
    return 0;
}

static int too_long(const struct proxy *proxy, char *sentence, size_t size)
{
    snprintf(sentence, size,
             "the proxy %s port %u answers with a head of more than %d bytes: check that it is an "
             "HTTP proxy, and its port",
             proxy->proxy_host, (unsigned)proxy->proxy_port, ANSWER_SIZE);
    return ERR_UNREACHABLE;
}

/* How many of the bytes that came belong to the head; *ends: an empty line is the last of them.
 * Some end their lines with LF alone (RFC 9112, section 2.2). */
static size_t measure(struct proxy *proxy, const char *at, size_t got, bool *ends)
{
    *ends = false;
    for (size_t i = 0; i < got; i++) {
        if (at[i] == '\n') {
            *ends = !proxy->filled;
            proxy->filled = false;
        } else if (at[i] != '\r') {
            proxy->filled = true;
        }
        if (*ends)
            return i + 1;
    }
    return got;
}

/* Takes a head of the answer and not a byte that stands behind it. 0 when it is there. */
static int take_head(struct proxy *proxy, int fd, char *sentence, size_t size)
{
    for (;;) {
        char *at = proxy->answer + proxy->size;
        size_t room = ANSWER_SIZE - proxy->size;
        ssize_t got = room ? recv(fd, at, room, MSG_PEEK) : 0;
        bool ends;

        if (!room)
            return too_long(proxy, sentence, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return ERR_AGAIN;
        if (got <= 0)
            return ended(proxy, sentence, size);
        size_t taken = measure(proxy, at, (size_t)got, &ends);
        if (recv(fd, at, taken, 0) != (ssize_t)taken)
            return ended(proxy, sentence, size);
        proxy->size += taken;
        proxy->answer[proxy->size] = '\0';
        if (ends)
            return 0;
    }
}

/* The three digits behind "HTTP/1.1 "; 0 where they are not. */
static unsigned status_of(const char *head)
{
    unsigned status = 0;
    int at = 0;

    sscanf(head, "HTTP/%*1u.%*1u %n", &at);
    if (at > 0 && strspn(head + at, "0123456789") == 3 && strchr(" \r\n", head[at + 3]))
        sscanf(head + at, "%3u", &status);
    return status;
}

/* That which only says that an answer will come (RFC 9110, section 15.2). */
static bool is_interim(unsigned status)
{
    return status >= 100 && status < 200 && status != 101;
}

static int judge(const struct proxy *proxy, char *sentence, size_t size)
{
    const char *via = proxy->proxy_host;
    unsigned status = status_of(proxy->answer + proxy->head);
    unsigned via_port = proxy->proxy_port, port = proxy->port;

    if (status == 0) {
        snprintf(sentence, size, "%s port %u is no HTTP proxy: check \"proxy\"", via, via_port);
        return ERR_UNREACHABLE;
    }
    if (status >= 200 && status < 300)
        return 0;
    if (status == 407 && proxy->login)
        snprintf(sentence, size,
                 "the proxy %s port %u refuses the login: check the file \"proxy_login_file\"", via,
                 via_port);
    else if (status == 407)
        snprintf(sentence, size,
                 "the proxy %s port %u wants a login: put USER:PASSWORD into a file and name it as "
                 "\"proxy_login_file\"",
                 via, via_port);
    else if (status == 403 || status == 405)
        snprintf(sentence, size,
                 "the proxy %s port %u does not let connections through to %s port %u: have them "
                 "allowed there",
                 via, via_port, proxy->host, port);
    else if (status >= 500)
        snprintf(sentence, size,
                 "the proxy %s port %u does not reach %s port %u (it answers %u): check the url, "
                 "and that the broker runs",
                 via, via_port, proxy->host, port, status);
    else
        snprintf(sentence, size,
                 "the proxy %s port %u answers %u to CONNECT: check that it is an HTTP proxy, and "
                 "its port",
                 via, via_port, status);
    return status == 407 ? ERR_REFUSED : ERR_UNREACHABLE;
}

int proxy_step(struct proxy *proxy, int fd, char *sentence, size_t size)
{
    int rc = ask(proxy, fd, sentence, size);

    if (rc == 0)
        rc = take_head(proxy, fd, sentence, size);
    while (rc == 0 && is_interim(status_of(proxy->answer + proxy->head))) {
        proxy->head = proxy->size;
        rc = take_head(proxy, fd, sentence, size);
    }
    return rc == 0 ? judge(proxy, sentence, size) : rc;
}
