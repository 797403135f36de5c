#include "control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 16

struct client {
    int fd; /* -1: free */
    size_t used;
    bool ended; /* has said all it will, but may still wait for an answer */
    const uint64_t *watch;
    uint64_t target;
    char line[1024];
};

struct control {
    int epoll_fd;
    int listen_fd;
    control_handler *handler;
    void *context;
    struct client clients[CLIENTS_MAX];
    struct control_answer answer;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
};

static int address_of(const char *path, struct sockaddr_un *address)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address->sun_path, path, strlen(path));
    return 0;
}

static int watch_fd(struct control *control, int fd, struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

    return epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

struct control *control_open(const char *path, control_handler *handler, void *context)
{
    struct control *control = calloc(1, sizeof *control);
    struct sockaddr_un address;

    if (!control)
        return NULL;
    control->handler = handler;
    control->context = context;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        control->clients[i].fd = -1;
    control->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    control->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (address_of(path, &address) < 0)
        goto fail;
    unlink(path);
    if (bind(control->listen_fd, (struct sockaddr *)&address, sizeof address) < 0)
        goto fail;
    memcpy(control->path, address.sun_path, sizeof control->path);
    if (listen(control->listen_fd, CLIENTS_MAX) < 0 ||
        watch_fd(control, control->listen_fd, NULL) < 0)
        goto fail;
    return control;

fail:
    control_close(control);
    return NULL;
}

int control_fd(const struct control *control)
{
    return control ? control->epoll_fd : -1;
}

static void drop(struct client *client)
{
    close(client->fd);
    memset(client, 0, sizeof *client);
    client->fd = -1;
}

static void send_line(struct client *client, char *text)
{
    size_t length = strlen(text);

    text[length] = '\n';
    /* A script that does not read its answers is cut off; the line must not wait for it. */
    if (send(client->fd, text, length + 1, MSG_NOSIGNAL) != (ssize_t)(length + 1))
        drop(client);
    text[length] = '\0';
}

static void execute(struct control *control, struct client *client, char *line)
{
    struct control_answer *answer = &control->answer;
    char *words[CONTROL_WORDS_MAX] = {0};
    size_t count = 0;
    char *save = NULL;

    for (char *word = strtok_r(line, " \t\r", &save); word && count < CONTROL_WORDS_MAX;
         word = strtok_r(NULL, " \t\r", &save))
        words[count++] = word;
    if (count == 0)
        return;
    memcpy(answer->text, "ok", 3);
    answer->watch = NULL;
    control->handler(control->context, count, words, answer);
    client->watch = answer->watch;
    client->target = answer->target;
    if (!client->watch)
        send_line(client, answer->text);
}

/* Commands behind a wait stay in the buffer until it is over: order is what scripts rely on. */
static void execute_lines(struct control *control, struct client *client)
{
    char *end;

    while (client->fd >= 0 && !client->watch &&
           (end = memchr(client->line, '\n', client->used)) != NULL) {
        char line[sizeof client->line];
        size_t length = (size_t)(end - client->line);

        memcpy(line, client->line, length);
        line[length] = '\0';
        client->used -= length + 1;
        memmove(client->line, end + 1, client->used);
        execute(control, client, line);
    }
}

static void accept_one(struct control *control)
{
    int fd = accept4(control->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &control->clients[i];

        if (client->fd >= 0)
            continue;
        if (watch_fd(control, fd, client) < 0)
            break;
        client->fd = fd;
        return;
    }
    close(fd);
}

static void read_client(struct control *control, struct client *client)
{
    size_t room = sizeof client->line - client->used;
    ssize_t n = recv(client->fd, client->line + client->used, room, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n == 0 && room > 0 && client->watch) {
        client->ended = true;
        epoll_ctl(control->epoll_fd, EPOLL_CTL_DEL, client->fd, NULL);
        return;
    }
    if (n <= 0) {
        drop(client);
        return;
    }
    client->used += (size_t)n;
    execute_lines(control, client);
}

void control_run(struct control *control)
{
    struct epoll_event events[CLIENTS_MAX + 1];
    int n = epoll_wait(control->epoll_fd, events, CLIENTS_MAX + 1, 0);

    for (int i = 0; i < n; i++) {
        struct client *client = events[i].data.ptr;

        if (!client)
            accept_one(control);
        else if (client->fd >= 0)
            read_client(control, client);
    }
}

void control_check(struct control *control)
{
    if (!control)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &control->clients[i];
        char ok[8] = "ok";

        if (client->fd < 0 || !client->watch || *client->watch < client->target)
            continue;
        client->watch = NULL;
        send_line(client, ok);
        if (client->fd >= 0)
            execute_lines(control, client);
        if (client->fd >= 0 && client->ended && !client->watch)
            drop(client);
    }
}

void control_close(struct control *control)
{
    if (!control)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (control->clients[i].fd >= 0)
            close(control->clients[i].fd);
    }
    if (control->listen_fd >= 0)
        close(control->listen_fd);
    if (control->epoll_fd >= 0)
        close(control->epoll_fd);
    if (control->path[0])
        unlink(control->path);
    free(control);
}

void control_error(struct control_answer *answer, const char *format, ...)
{
    va_list args;

    memcpy(answer->text, "error: ", 8);
    va_start(args, format);
    vsnprintf(answer->text + 7, sizeof answer->text - 8, format, args);
    va_end(args);
}

int control_tell(const char *path, int count, char *commands[])
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int status = 2;
    char *line = NULL;
    size_t size = 0;
    FILE *stream;

    if (fd < 0 || address_of(path, &address) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        !(stream = fdopen(fd, "r"))) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return status;
    }
    status = 0;
    for (int i = 0; i < count; i++) {
        if (dprintf(fd, "%s\n", commands[i]) < 0 || getline(&line, &size, stream) < 0) {
            status = 2;
            break;
        }
        fputs(line, stdout);
        if (strncmp(line, "error", 5) == 0)
            status = 1;
    }
    free(line);
    fclose(stream);
    return status;
}
