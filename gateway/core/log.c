#include "core/log.h"

#include "core/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_SIZE_MAX 1024
#define PART_SIZE_MAX 16
#define PARTS_MAX     16
#define WINDOW_S      60

struct part_level {
    char part[PART_SIZE_MAX];
    enum log_level level;
};

/* Written by log_init alone, before there are threads; the list of sites under its lock. */
static struct {
    enum log_level level;
    struct part_level parts[PARTS_MAX];
    size_t part_count;
    bool journald;
    const struct clock *clock;
    pthread_mutex_t lock;
    struct log_site *quieted; /* sites that left lines out and have not told yet */
    struct log_line *kept;    /* a ring of the newest lines, under the lock; NULL: none are kept */
    uint64_t newest;          /* number of the newest line, under the lock */
} logger = {.level = LOG_LEVEL_INFO, .clock = &clock_system, .lock = PTHREAD_MUTEX_INITIALIZER};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static int level_from_name(const char *name, size_t size)
{
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
        if (strlen(level_names[level]) == size && memcmp(level_names[level], name, size) == 0)
            return level;
    return -1;
}

/* Reads "debug" or "uplink=debug". */
static bool read_setting(const char *text, size_t size)
{
    const char *equals = memchr(text, '=', size);
    if (!equals) {
        int level = level_from_name(text, size);
        if (level < 0)
            return false;
        logger.level = (enum log_level)level;
        return true;
    }
    size_t part_size = (size_t)(equals - text);
    int level = level_from_name(equals + 1, size - part_size - 1);
    if (level < 0 || part_size == 0 || part_size >= PART_SIZE_MAX || logger.part_count == PARTS_MAX)
        return false;
    struct part_level *part = &logger.parts[logger.part_count++];
    memcpy(part->part, text, part_size);
    part->part[part_size] = '\0';
    part->level = (enum log_level)level;
    return true;
}

/* systemd names device and inode of its socket, as children inherit the variable but not always the
 * stream. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_init(void)
{
    logger.level = LOG_LEVEL_INFO;
    logger.part_count = 0;
    logger.journald = stderr_is_journal();
    const char *setting = getenv("SLUICE_LOG");
    while (setting && *setting) {
        size_t size = strcspn(setting, ",");
        if (size > 0 && !read_setting(setting, size))
            log_warn("log",
                     "SLUICE_LOG: \"%.*s\" is ignored: write error, warn, info or debug, or "
                     "PART=LEVEL (at most %d parts)",
                     (int)size, setting, PARTS_MAX);
        setting += size + (setting[size] == ',');
    }
}

void log_use_clock(const struct clock *clock)
{
    logger.clock = clock;
}

void log_keep(void)
{
    if (!logger.kept)
        logger.kept = calloc(LOG_KEPT_LINES, sizeof *logger.kept);
}

int log_kept(uint64_t after, enum log_level level, struct log_line *line)
{
    bool found = false;

    pthread_mutex_lock(&logger.lock);
    uint64_t oldest = logger.newest > LOG_KEPT_LINES ? logger.newest - LOG_KEPT_LINES + 1 : 1;
    for (uint64_t number = after < oldest ? oldest : after + 1; number <= logger.newest && !found;
         number++) {
        const struct log_line *kept = &logger.kept[number % LOG_KEPT_LINES];

        found = kept->level <= level;
        if (found)
            *line = *kept;
    }
    pthread_mutex_unlock(&logger.lock);
    return found;
}

uint64_t log_newest(void)
{
    pthread_mutex_lock(&logger.lock);
    uint64_t newest = logger.newest;
    pthread_mutex_unlock(&logger.lock);
    return newest;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

int log_level_parse(const char *name)
{
    return level_from_name(name, strlen(name));
}

int log_enabled(const char *part, enum log_level level)
{
    for (size_t i = 0; i < logger.part_count; i++)
        if (strcmp(logger.parts[i].part, part) == 0)
            return level <= logger.parts[i].level;
    return level <= logger.level;
}

/* What a device or a peer sent may be in a message; it must not be able to fake a line or drive a
 * terminal. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

static size_t put_prefix(char *line, const char *part, enum log_level level)
{
    static const int priorities[] = {3, 4, 6, 7}; /* of syslog(3) */
    if (logger.journald)
        return (size_t)snprintf(line, LINE_SIZE_MAX, "<%d>%.15s: ", priorities[level], part);
    char time[32];
    clock_format(clock_wall(logger.clock), time);
    return (size_t)snprintf(line, LINE_SIZE_MAX, "%s %-5s %.15s: ", time, level_names[level], part);
}

static void keep_line(const char *part, enum log_level level, const char *words)
{
    pthread_mutex_lock(&logger.lock);
    if (logger.kept) {
        struct log_line *line = &logger.kept[++logger.newest % LOG_KEPT_LINES];

        line->number = logger.newest;
        line->wall_ns = clock_wall(logger.clock);
        line->level = level;
        snprintf(line->part, sizeof line->part, "%s", part);
        snprintf(line->words, sizeof line->words, "%.*s", (int)sizeof line->words - 1, words);
    }
    pthread_mutex_unlock(&logger.lock);
}

static void write_line(const char *part, enum log_level level, const char *format,
                       va_list arguments)
{
    char line[LINE_SIZE_MAX];
    size_t prefix = put_prefix(line, part, level);
    int wanted = vsnprintf(line + prefix, sizeof(line) - prefix, format, arguments);
    if (wanted < 0)
        return;
    if ((size_t)wanted >= sizeof(line) - prefix)
        memcpy(line + sizeof(line) - 4, "...", 4);
    make_printable(line + prefix);
    keep_line(part, level, line + prefix);
    size_t size = strlen(line);
    line[size++] = '\n'; /* in the place of the terminating zero */
    ssize_t written;
    do
        written = write(STDERR_FILENO, line, size);
    while (written < 0 && errno == EINTR);
}

static __attribute__((format(printf, 3, 4))) void
write_formatted(const char *part, enum log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(part, level, format, arguments);
    va_end(arguments);
}

/* Takes one site off the list whose minute is over, or any; copies it, so that telling needs no
 * lock. */
static bool take_quieted(struct log_site *copy, int64_t now_s, bool any)
{
    bool found = false;
    pthread_mutex_lock(&logger.lock);
    for (struct log_site **link = &logger.quieted; *link; link = &(*link)->next) {
        struct log_site *site = *link;
        if (!any && now_s - site->window_start_s < WINDOW_S)
            continue;
        *copy = *site;
        site->left_out = 0;
        *link = site->next;
        found = true;
        break;
    }
    pthread_mutex_unlock(&logger.lock);
    return found;
}

static void tell_left_out(int64_t now_s, bool any)
{
    struct log_site site;
    while (take_quieted(&site, now_s, any))
        write_formatted(site.part, site.level, "%u more messages like this were left out: %s",
                        site.left_out, site.sample);
}

static int64_t now_s(void)
{
    return clock_mono(logger.clock) / NS_PER_S;
}

void log_flush(void)
{
    tell_left_out(now_s(), true);
}

/* Counts one more line of the site; false when it is above the limit, and then noted to be told. */
static __attribute__((format(printf, 4, 0))) bool admit(struct log_site *site, const char *part,
                                                        enum log_level level, const char *format,
                                                        va_list arguments, int64_t at_s)
{
    pthread_mutex_lock(&logger.lock);
    if (site->lines == 0 || at_s - site->window_start_s >= WINDOW_S) {
        site->window_start_s = at_s;
        site->lines = 0;
    }
    bool admitted = site->lines < LOG_BURST;
    if (admitted) {
        site->lines++;
    } else if (site->left_out++ == 0) {
        site->part = part;
        site->level = level;
        vsnprintf(site->sample, sizeof site->sample, format, arguments);
        site->next = logger.quieted;
        logger.quieted = site;
    }
    pthread_mutex_unlock(&logger.lock);
    return admitted;
}

void log_write(struct log_site *site, const char *part, enum log_level level, const char *format,
               ...)
{
    int saved_errno = errno;
    int64_t at_s = now_s();
    tell_left_out(at_s, false);
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    if (admit(site, part, level, format, again, at_s))
        write_line(part, level, format, arguments);
    va_end(again);
    va_end(arguments);
    errno = saved_errno;
}
