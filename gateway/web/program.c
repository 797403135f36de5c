#include "web/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define ASK_TIME_S  20
#define END_TIME_NS (2 * NS_PER_S)
#define CHUNK       4096

/* Names the process with which a child ends. */
#define PROGRAM_PARENT      "SLUICE_PARENT"
#define PROGRAM_PARENT_SIZE 48

extern char **environ;

/* Our environment, and by whose life the child's ends: its vector is the caller's to free. */
static char **child_environment(char own[PROGRAM_PARENT_SIZE])
{
    size_t count = 0, kept = 0;

    while (environ[count])
        count++;
    char **vector = calloc(count + 2, sizeof *vector);
    for (size_t i = 0; vector && i < count; i++)
        if (strncmp(environ[i], PROGRAM_PARENT "=", sizeof PROGRAM_PARENT) != 0)
            vector[kept++] = environ[i];
    snprintf(own, PROGRAM_PARENT_SIZE, PROGRAM_PARENT "=%ld", (long)getpid());
    if (vector)
        vector[kept] = own;
    return vector;
}

void program_follow_parent(void)
{
    const char *parent = getenv(PROGRAM_PARENT);

    if (!parent)
        return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    /* It may have ended before that. */
    if (atol(parent) != (long)getppid())
        raise(SIGTERM);
    unsetenv(PROGRAM_PARENT);
}

/* `path`: of the program; NULL: its name, which is the first argument, is looked for. */
static int spawn(pid_t *pid, const char *path, const char *const arguments[], int out, int err)
{
    static char name[] = "sluice";
    char *vector[PROGRAM_ARGUMENTS_MAX + 2] = {name}, own[PROGRAM_PARENT_SIZE];
    size_t before = path ? 1 : 0;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    for (size_t i = 0; arguments[i]; i++) {
        if (i == PROGRAM_ARGUMENTS_MAX)
            return ERR_TOO_LARGE;
        vector[before + i] = (char *)(uintptr_t)arguments[i]; /* spawn does not write to it */
    }
    sigemptyset(&none);
    sigfillset(&all);
    char **environment = child_environment(own);
    if (!environment || posix_spawn_file_actions_init(&actions)) {
        free(environment);
        return ERR_NOMEM;
    }
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&actions);
        free(environment);
        return ERR_NOMEM;
    }
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    /* Libraries leave descriptors open to children: a broker's socket must not be held by one. */
    int error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    error = error ? error : posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    error = error ? error : posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    error = error ? error : posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    if (!error)
        error = path ? posix_spawn(pid, path, &actions, &attributes, vector, environment)
                     : posix_spawnp(pid, vector[0], &actions, &attributes, vector, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(environment);
    return error ? error_from_errno(error) : 0;
}

static int start(struct program *program, const char *path, const char *const arguments[])
{
    int out[2], err[2];

    if (pipe2(out, O_CLOEXEC))
        return error_from_errno(errno);
    if (pipe2(err, O_CLOEXEC)) {
        close(out[0]);
        close(out[1]);
        return ERR_FULL;
    }
    int error = spawn(&program->pid, path, arguments, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    if (error) {
        close(out[0]);
        close(err[0]);
        return error;
    }
    program->out = out[0];
    program->err = err[0];
    return 0;
}

int program_start(struct program *program, const char *const arguments[])
{
    return start(program, "/proc/self/exe", arguments);
}

int program_start_other(struct program *program, const char *const arguments[])
{
    return start(program, NULL, arguments);
}

typedef int take_fn(void *context, bool complaint, const char *data, size_t size);

/* Until both of its outputs have ended. 0, ERR_TIMEOUT, or what `take` answers. */
static int take_all(const struct program *program, int64_t until_ns, take_fn *take, void *context)
{
    struct pollfd ends[] = {{.fd = program->out, .events = POLLIN},
                            {.fd = program->err, .events = POLLIN}};
    char chunk[CHUNK];

    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
        int64_t left_ns = until_ns - clock_mono(&clock_system);
        if (left_ns <= 0)
            return ERR_TIMEOUT;
        if (poll(ends, 2, (int)(left_ns / NS_PER_MS) + 1) < 0 && errno != EINTR)
            return error_from_errno(errno);
        for (size_t i = 0; i < 2; i++) {
            if (ends[i].fd < 0 || !ends[i].revents)
                continue;
            ssize_t got = read(ends[i].fd, chunk, sizeof chunk);
            int error = got > 0 ? take(context, i == 1, chunk, (size_t)got) : 0;
            if (error)
                return error;
            if (got <= 0)
                ends[i].fd = -1;
        }
    }
    return 0;
}

static int throw_away(void *context, bool complaint, const char *data, size_t size)
{
    (void)context;
    (void)complaint;
    (void)data;
    (void)size;
    return 0;
}

static int reap(struct program *program)
{
    int status = 0;

    close(program->out);
    close(program->err);
    while (waitpid(program->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_wait(struct program *program)
{
    /* Into a pipe that is closed it could print no more, and would end by that. */
    while (take_all(program, clock_mono(&clock_system) + END_TIME_NS, throw_away, NULL) ==
           ERR_TIMEOUT)
        ;
    return reap(program);
}

int program_end(struct program *program)
{
    /* SIGTERM first is what lets it give back what it borrowed. It must be able to print meanwhile:
     * a pipe that nobody reads, or that is closed, would end it before. */
    kill(-program->pid, SIGTERM);
    take_all(program, clock_mono(&clock_system) + END_TIME_NS, throw_away, NULL);
    kill(-program->pid, SIGKILL); /* for what hangs */
    return reap(program);
}

void program_keep_words(char *kept, size_t room, const char *more, size_t size)
{
    size_t old = strlen(kept);

    if (size >= room) {
        more += size - (room - 1);
        size = room - 1;
    }
    if (old + size >= room) {
        size_t drop = old + size - (room - 1);
        memmove(kept, kept + drop, old - drop);
        old -= drop;
        char *line = memchr(kept, '\n', old);
        if (line && line + 1 < kept + old) {
            size_t cut = (size_t)(line + 1 - kept);
            memmove(kept, line + 1, old - cut);
            old -= cut;
        }
    }
    memcpy(kept + old, more, size);
    kept[old + size] = '\0';
}

struct gathered {
    char *data;
    size_t size, room, size_max;
    char *words;
    size_t words_size;
};

static int gather(struct gathered *gathered, const char *more, size_t size)
{
    if (size > gathered->size_max - gathered->size)
        return ERR_TOO_LARGE;
    if (gathered->size + size + 1 > gathered->room) {
        size_t room = (gathered->size + size + 1) * 2;
        char *grown = realloc(gathered->data, room);
        if (!grown)
            return ERR_NOMEM;
        gathered->data = grown;
        gathered->room = room;
    }
    memcpy(gathered->data + gathered->size, more, size);
    gathered->size += size;
    gathered->data[gathered->size] = '\0';
    return 0;
}

static int keep(void *context, bool complaint, const char *data, size_t size)
{
    struct gathered *gathered = context;

    if (!complaint)
        return gather(gathered, data, size);
    program_keep_words(gathered->words, gathered->words_size, data, size);
    return 0;
}

/* Of a program that was started. */
static int ask(struct program *program, int time_s, size_t size_max, char **out, size_t *size,
               char *words, size_t words_size)
{
    struct gathered gathered = {.size_max = size_max, .words = words, .words_size = words_size};
    int64_t until_ns = clock_mono(&clock_system) + time_s * NS_PER_S;
    int error = gather(&gathered, "", 0);

    error = error ? error : take_all(program, until_ns, keep, &gathered);
    int code = error ? program_end(program) : program_wait(program);
    if (error) {
        free(gathered.data);
        return error;
    }
    *out = gathered.data;
    *size = gathered.size;
    return code;
}

int program_ask(const char *const arguments[], size_t size_max, char **out, size_t *size,
                char *words, size_t words_size)
{
    struct program program;

    words[0] = '\0';
    int error = program_start(&program, arguments);
    return error ? error : ask(&program, ASK_TIME_S, size_max, out, size, words, words_size);
}

int program_ask_other(const char *const arguments[], int time_s, size_t size_max, char **out,
                      size_t *size, char *words, size_t words_size)
{
    struct program program;

    words[0] = '\0';
    int error = program_start_other(&program, arguments);
    return error ? error : ask(&program, time_s, size_max, out, size, words, words_size);
}
