#include "config/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/fingerprint.h"
#include "config/load.h"
#include "config/shape.h"
#include "core/error.h"
#include "field/driver.h"

#define HASHED_SIZE_MAX                                                                            \
    (1024 * 1024) /* a system's whole bundle of CA certificates is a quarter of this */

static void hash_file(int fd, uint64_t *hash)
{
    char block[4096];
    ssize_t size = 1;
    for (size_t total = 0; size > 0 && total < HASHED_SIZE_MAX; total += (size_t)size) {
        size = read(fd, block, sizeof(block));
        if (size <= 0)
            return;
        fingerprint_bytes(hash, block, (size_t)size);
    }
}

int secret_check(const char *path, bool secret, uint64_t *hash, char *why, size_t why_size)
{
    struct stat status;
    /* Non-blocking, so that a fifo in the place of a file cannot hold up the start. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) != 0) {
        int error = errno;
        if (error == ENOENT)
            snprintf(why, why_size, "does not exist");
        else if (error == EACCES)
            snprintf(why, why_size, "may not be read by this user: see its permissions");
        else
            snprintf(why, why_size, "cannot be read: %s", strerror(error));
        if (fd >= 0)
            close(fd);
        return error_from_errno(error);
    }
    int error = 0;
    if (!S_ISREG(status.st_mode) && (secret || !S_ISDIR(status.st_mode))) {
        snprintf(why, why_size, "is not a file");
        error = ERR_INVALID;
    } else if (secret && (status.st_mode & S_IROTH)) {
        snprintf(why, why_size,
                 "can be read by everybody on this machine: chmod o= it, and change the secret");
        error = ERR_DENIED;
    } else if (S_ISREG(status.st_mode)) {
        hash_file(fd, hash);
    }
    close(fd);
    return error;
}

static bool has(const struct option *options, const char *key, enum option_type type)
{
    const struct option *option = option_find(options, key);

    return option && option->type == type;
}

/* Of the page and of an uplink's TLS. */
static bool is_of_tls(const struct config_parts *parts, const char *key, enum option_type type)
{
    return has(shape_web.options, key, type) || has(parts->uplink_tls.options, key, type);
}

static bool is_of_others(const struct config_parts *parts, const char *key, enum option_type type)
{
    if (has(parts->uplink.options, key, type))
        return true;
    for (const struct driver *const *driver = parts->drivers; *driver; driver++)
        if (has((*driver)->bus.options, key, type) || has((*driver)->device.options, key, type) ||
            has((*driver)->point.options, key, type))
            return true;
    return false;
}

enum secret_kind secret_kind(const struct config_parts *parts, const char *key)
{
    if (is_of_tls(parts, key, OPTION_SECRET))
        return SECRET_PRIVATE_KEY; /* TLS has no other secret */
    return is_of_others(parts, key, OPTION_SECRET) ? SECRET_PASSWORD : SECRET_NONE;
}

bool file_key(const struct config_parts *parts, const char *key)
{
    return strcmp(key, load_table_row.key) == 0 || is_of_tls(parts, key, OPTION_FILE) ||
           is_of_others(parts, key, OPTION_FILE) || secret_kind(parts, key) != SECRET_NONE;
}
