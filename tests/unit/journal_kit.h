/* What the tests of the journal share: a folder of its own, a clock that is moved by hand, short
 * ways to put and read. */
#ifndef SLUICE_TESTS_JOURNAL_KIT_H
#define SLUICE_TESTS_JOURNAL_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "journal/cursor.h"
#include "journal/journal.h"
#include "journal/lane.h"
#include "journal/reader.h"

#define KIT_WAIT_NS (20 * NS_PER_S)

/* A journal in a folder of its own, and what it was opened with: change the options before opening.
 */
struct kit {
    char folder[64];
    struct io io;
    struct clock clock;
    _Atomic int64_t mono_ns, wall_ns;
    _Atomic int trust;
    struct journal_options options;
    struct journal *journal;
};

static inline int64_t kit_wall(void *context)
{
    return ((struct kit *)context)->wall_ns;
}

static inline int64_t kit_mono(void *context)
{
    return ((struct kit *)context)->mono_ns;
}

static inline enum clock_trust kit_trust(void *context)
{
    return (enum clock_trust)((struct kit *)context)->trust;
}

static inline int kit_setup(void **state)
{
    struct kit *kit = calloc(1, sizeof(*kit));
    strcpy(kit->folder, "/tmp/sluice-journal-XXXXXX");
    if (!kit || !mkdtemp(kit->folder) || io_posix_open(&kit->io, kit->folder) != 0)
        return -1;
    kit->mono_ns = 100 * NS_PER_S;
    kit->wall_ns = INT64_C(1795448300) * NS_PER_S;
    kit->trust = CLOCK_SYNCHRONISED;
    kit->clock = (struct clock){kit_wall, kit_mono, kit_trust, kit};
    kit->options = (struct journal_options){
        .io = &kit->io,
        .clock = &kit->clock,
        .gateway_id = "plant7",
        .identity = "machine-1",
        .boot_id = "boot-1",
        .keep_bytes = 4 * 1024 * 1024,
        .segment_bytes = 64 * 1024,
        .commit_ns = 20 * NS_PER_MS,
    };
    *state = kit;
    return 0;
}

static inline int kit_teardown(void **state)
{
    struct kit *kit = *state;
    if (!kit)
        return -1; /* the test has left a journal that cannot be closed */
    journal_close(kit->journal);
    io_posix_close(&kit->io);
    DIR *dir = opendir(kit->folder);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(kit->folder);
    free(kit);
    return 0;
}

static inline void kit_pass(struct kit *kit, int64_t ns)
{
    kit->mono_ns += ns;
    kit->wall_ns += ns;
}

static inline void kit_open(struct kit *kit)
{
    assert_int_equal(journal_open(&kit->journal, &kit->options), 0);
}

static inline void kit_close(struct kit *kit)
{
    journal_close(kit->journal);
    kit->journal = NULL;
}

static inline void kit_flush(struct kit *kit)
{
    assert_int_equal(journal_flush(kit->journal, KIT_WAIT_NS), 0);
}

static inline uint32_t kit_declare(struct kit *kit, const char *device, const char *point)
{
    struct stream stream = {.type = VALUE_F64, .decimals = 1, .name = "Vorlauf", .unit = "°C"};
    snprintf(stream.device, sizeof(stream.device), "%s", device);
    snprintf(stream.point, sizeof(stream.point), "%s", point);
    assert_int_equal(journal_declare(kit->journal, &stream), 0);
    return stream.number;
}

static inline void kit_put(struct kit *kit, uint32_t stream, double value)
{
    struct event event = {
        .stream = stream,
        .mono_ns = kit->mono_ns,
        .kind = EVENT_READING,
        .value = {.type = VALUE_F64, .f = value},
    };
    assert_int_equal(journal_put(kit->journal, &event), 0);
}

/* Puts `count` readings with the values first, first + 1, ... */
static inline void kit_fill(struct kit *kit, uint32_t stream, int first, int count)
{
    for (int i = 0; i < count; i++)
        kit_put(kit, stream, first + i);
    kit_flush(kit);
}

/* The next reading or gap; 0 when there is none. */
static inline int kit_next(struct reader *reader, struct event *event)
{
    int got;
    do {
        got = reader_next(reader, event);
        assert_true(got >= 0);
    } while (got > 0 && event->kind != EVENT_READING && event->kind != EVENT_GAP);
    return got;
}

/* A stretch of a file, to be looked at or damaged. */
static inline void kit_patch(struct kit *kit, const char *name, off_t at, const void *data,
                             size_t size)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", kit->folder, name);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, size, at), (ssize_t)size);
    close(fd);
}

static inline size_t kit_fetch(struct kit *kit, const char *name, off_t at, void *data, size_t size)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", kit->folder, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t got = pread(fd, data, size, at);
    close(fd);
    assert_true(got >= 0);
    return (size_t)got;
}

static inline bool kit_has(struct kit *kit, const char *name)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", kit->folder, name);
    return access(path, F_OK) == 0;
}

/* Takes the folder's files as they are now to where a second journal finds them: what a cut would
 * leave, when all that was written had reached the disk. */
static inline void kit_crash(struct kit *kit)
{
    char command[256], image[80];
    snprintf(image, sizeof(image), "%s.image", kit->folder);
    snprintf(command, sizeof(command), "cp -r %s %s", kit->folder, image);
    assert_int_equal(system(command), 0);
    kit_close(kit);
    io_posix_close(&kit->io);
    snprintf(command, sizeof(command), "rm -r %s && mv %s %s", kit->folder, image, kit->folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(io_posix_open(&kit->io, kit->folder), 0);
}

#endif
