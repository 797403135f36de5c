#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/csv.h"
#include "core/error.h"
#include "core/shelf.h"

#include <stdlib.h>

struct telling {
    struct findings *findings;
    const char *path;
};

static void tell(void *context, struct json_place at, const char *sentence)
{
    const struct telling *telling = context;
    findings_place(telling->findings, telling->path, at, "%s", sentence);
}

/* The whole file, or one byte more than allowed. */
static int read_all(int fd, struct arena *arena, char **text, size_t *size)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_from_errno(errno);
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return ERR_IO;
    }
    size_t room =
        status.st_size > JSON_SIZE_MAX ? JSON_SIZE_MAX + 1 : (size_t)status.st_size + 64 * 1024;
    *text = arena_text(arena, NULL, room);
    if (!*text)
        return ERR_NOMEM;
    *size = 0;
    while (*size < room) {
        ssize_t got = read(fd, *text + *size, room - *size);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return error_from_errno(errno);
        *size += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

/* What stands in an archive in place of the file. */
static int read_shelf(struct arena *arena, const char *path, char **text, size_t *size)
{
    char *data;
    int error = shelf_read(path, JSON_SIZE_MAX, &data, size);

    if (error)
        return error;
    *text = arena_text(arena, data, *size);
    free(data);
    return *text ? 0 : ERR_NOMEM;
}

/* The text of a file, or why there is none, which is told. */
static int read_file(struct arena *arena, const char *path, struct findings *findings, char **text,
                     size_t *size)
{
    struct json_place whole = {0, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int opening = errno;
    int error = fd < 0 ? error_from_errno(errno) : read_all(fd, arena, text, size);
    if (error == ERR_NOT_FOUND && read_shelf(arena, path, text, size) == 0)
        return 0;
    if (fd < 0)
        errno = opening;
    if (error)
        findings_place(findings, path, whole, "cannot be read: %s",
                       error == ERR_NOMEM ? error_text(error) : strerror(errno));
    if (fd >= 0)
        close(fd);
    return error;
}

/* `driver` NULL: as JSON, else as a table of points of that driver. */
static int parse(const struct json **root, struct arena *arena, const char *path, char *text,
                 size_t size, const struct option *driver, struct findings *findings)
{
    struct telling telling = {findings, path};
    struct json_place whole = {0, 0};
    struct json *tree = NULL;
    int error = driver ? csv_read_points(&tree, arena, text, size, driver, tell, &telling)
                       : json_read(&tree, arena, text, size, tell, &telling);
    if (error == ERR_NOMEM)
        findings_place(findings, path, whole, "cannot be read: %s", error_text(error));
    if (tree)
        findings_file(findings, tree, path);
    *root = tree;
    return error;
}

static int read_as(const struct json **root, struct arena *arena, const char *path,
                   const struct option *driver, struct findings *findings)
{
    char *text = NULL;
    size_t size = 0;
    *root = NULL;
    int error = read_file(arena, path, findings, &text, &size);
    return error ? error : parse(root, arena, path, text, size, driver, findings);
}

int file_take_json(const struct json **root, struct arena *arena, const char *path,
                   const char *text, size_t size, struct findings *findings)
{
    char *copy = arena_text(arena, text, size);
    *root = NULL;
    return copy ? parse(root, arena, path, copy, size, NULL, findings) : ERR_NOMEM;
}

int file_read_json(const struct json **root, struct arena *arena, const char *path,
                   struct findings *findings)
{
    return read_as(root, arena, path, NULL, findings);
}

int file_read_points(const struct json **root, struct arena *arena, const char *path,
                     const struct option *driver, struct findings *findings)
{
    return read_as(root, arena, path, driver, findings);
}
