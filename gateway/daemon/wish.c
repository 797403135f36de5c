#include "daemon/wish.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define ANSWER_NS   (6 * NS_PER_S)
#define ANSWER_MS   50 /* between two looks */
#define NUMBER_SIZE 32
#define DOING_NS    (60 * NS_PER_S) /* how long root may take for one */
#define DOING       ".doing"
#define REFUSED     ".refused"

static void find_path(char path[PATH_MAX], const char *folder, const char *what)
{
    snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - 32, folder, what);
}

/* Made under another name first: whoever watches sees it whole. */
static int put(const char *path, int64_t number)
{
    char made[PATH_MAX];

    snprintf(made, sizeof made, "%.*s.new", PATH_MAX - 16, path);
    unlink(made);
    int fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return errno == ENOENT ? ERR_UNSUPPORTED : ERR_IO;
    bool written = dprintf(fd, "%" PRId64 "\n", number) > 0;
    close(fd);
    if (written && rename(made, path) == 0)
        return 0;
    unlink(made);
    return ERR_IO;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Waits until a file is gone, for so long at most. Whether it is. */
static bool wait_gone(const char *path, int64_t ns)
{
    int64_t until_ns = clock_mono(&clock_system) + ns;

    while (is_there(path)) {
        if (clock_mono(&clock_system) > until_ns)
            return false;
        poll(NULL, 0, ANSWER_MS);
    }
    return true;
}

int wish_make(const char *folder, const char *what, int64_t number)
{
    char path[PATH_MAX], doing[PATH_MAX], refused[PATH_MAX];

    find_path(path, folder, what);
    snprintf(doing, sizeof doing, "%.*s" DOING, PATH_MAX - 16, path);
    snprintf(refused, sizeof refused, "%.*s" REFUSED, PATH_MAX - 16, path);
    /* One that was given up before may still be carried out: its end is not that of this one. */
    (void)wait_gone(doing, DOING_NS);
    unlink(refused);
    int error = put(path, number);
    if (error)
        return error;
    if (!wait_gone(path, ANSWER_NS) && unlink(path) == 0)
        return ERR_UNSUPPORTED;
    /* Whoever took it does it: that may take longer than it took to be seen. */
    if (!wait_gone(doing, DOING_NS))
        return ERR_TIMEOUT;
    return unlink(refused) == 0 ? ERR_DENIED : 0;
}

/* The folder belongs to the daemon's user: nothing in it is followed, and only a number is read. */
static bool take(int folder, const char *what, int64_t *number)
{
    char text[NUMBER_SIZE] = "", *end;
    struct stat status;
    int fd = openat(folder, what, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return false;
    bool is_file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    ssize_t got = is_file ? read(fd, text, sizeof text - 1) : -1;
    close(fd);
    *number = strtoll(text, &end, 10);
    return got > 0 && end != text && *end == '\n';
}

static void leave_refusal(int folder, const char *what)
{
    char name[NUMBER_SIZE];

    snprintf(name, sizeof name, "%s" REFUSED, what);
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        close(fd);
}

int wish_carry_out(const char *path, const struct wish_kind *kinds,
                   void (*told)(const char *what, int64_t number, int error))
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), done = 0;

    if (folder < 0)
        return error_from_errno(errno);
    for (const struct wish_kind *kind = kinds; kind->name; kind++) {
        char doing[NUMBER_SIZE];
        int64_t number = 0;

        /* Under another name while it is done: the daemon may have given it up and made another. */
        snprintf(doing, sizeof doing, "%s" DOING, kind->name);
        if (renameat(folder, kind->name, folder, doing)) {
            if (errno != ENOENT)
                told(kind->name, number, error_from_errno(errno));
            continue;
        }
        int error = take(folder, doing, &number) ? kind->carry_out(number) : ERR_INVALID;
        if (error)
            leave_refusal(folder, kind->name);
        done += error == 0 || kind->asks;
        unlinkat(folder, doing, 0);
        told(kind->name, number, error);
    }
    close(folder);
    return done;
}
