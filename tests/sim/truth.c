#include "truth.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "process.h"
#include "wire.h"

#define LINE_MAX_BYTES 256

struct truth {
    int fd;
    bool hundredths;
    int64_t buffer_ns;
    int64_t due_ns;
    const char *point;
    size_t used;
    char buffer[65536];
};

struct truth *truth_open(const char *path, const char *point, bool hundredths, int64_t buffer_ns)
{
    struct truth *truth = calloc(1, sizeof *truth);

    if (!truth)
        return NULL;
    truth->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (truth->fd < 0) {
        free(truth);
        return NULL;
    }
    truth->point = point;
    truth->hundredths = hundredths;
    truth->buffer_ns = buffer_ns;
    truth->due_ns = WIRE_NEVER;
    return truth;
}

void truth_flush(struct truth *truth)
{
    if (!truth || !truth->used)
        return;
    /* One write for whole lines: with O_APPEND several simulators can share the file. */
    if (write(truth->fd, truth->buffer, truth->used) != (ssize_t)truth->used)
        process_die("the truth file cannot be written: %m");
    truth->used = 0;
    truth->due_ns = WIRE_NEVER;
}

void truth_note(struct truth *truth, const char *device, uint32_t value, enum truth_time time,
                unsigned from)
{
    static const char *const words[] = {"", ",\"edge\":true", ",\"late\":true"};
    char number[32], port[24] = "";
    int n;

    if (!truth)
        return;
    if (truth->hundredths)
        snprintf(number, sizeof number, "%u.%02u", value / 100, value % 100);
    else
        snprintf(number, sizeof number, "%u", value);

    if (truth->used + LINE_MAX_BYTES > sizeof truth->buffer)
        truth_flush(truth);
    if (from)
        snprintf(port, sizeof port, ",\"from\":%u", from);
    n = snprintf(truth->buffer + truth->used, LINE_MAX_BYTES,
                 "{\"d\":\"%s\",\"p\":\"%s\",\"v\":%s,\"t\":%lld%s%s}\n", device, truth->point,
                 number, (long long)wire_unix_ms(), port, words[time]);
    if (n < 0 || n >= LINE_MAX_BYTES)
        process_die("a name is too long for the truth file");
    if (truth->used == 0)
        truth->due_ns = wire_now_ns() + truth->buffer_ns;
    truth->used += (size_t)n;
    if (truth->buffer_ns == 0)
        truth_flush(truth);
}

int64_t truth_due_ns(const struct truth *truth)
{
    return truth ? truth->due_ns : WIRE_NEVER;
}

void truth_close(struct truth *truth)
{
    if (!truth)
        return;
    truth_flush(truth);
    close(truth->fd);
    free(truth);
}
