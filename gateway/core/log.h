/*
 * Logging to standard error: one line a message, with the journald priority prefix ("<6>") when
 * standard error is the journal (JOURNAL_STREAM is set), and with time and level when it is a
 * terminal or file. The layer that decides what happens next logs, once, and says what the operator
 * can do.
 *
 * SLUICE_LOG sets the level (error, warn, info, debug), optionally per part: "info,uplink=debug".
 * Each call site may write LOG_BURST lines a minute; what is above is counted and told.
 */
#ifndef SLUICE_CORE_LOG_H
#define SLUICE_CORE_LOG_H

#include <stdint.h>

struct clock;

#define LOG_SAMPLE_SIZE 120
#define LOG_BURST       20

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* A call site's rate limit, guarded by the logger's lock; one static instance is made by the macros
 * below. */
struct log_site {
    int64_t window_start_s;
    uint32_t lines;    /* written in this window */
    uint32_t left_out; /* not written, and not told yet */
    const char *part;
    enum log_level level;
    char sample[LOG_SAMPLE_SIZE]; /* the first of those that were left out */
    struct log_site *next;
};

/*
 * Reads SLUICE_LOG and JOURNAL_STREAM. Call once, before threads start; without it the level is
 * info. A setting that cannot be understood is told and ignored.
 */
void log_init(void);

/* For tests: times and rate limits by this clock, which the caller keeps alive. Before threads
 * start. */
void log_use_clock(const struct clock *clock);

/* True when a message of that level of that part would be written. Thread-safe. */
int log_enabled(const char *part, enum log_level level);

/*
 * Writes one line; thread-safe, one write(2), keeps errno. Use the macros. `part` is the folder's
 * name ("journal"), it and `format` are literals. Control characters are written as '?', lines end
 * after about 1,000 bytes.
 */
void log_write(struct log_site *site, const char *part, enum log_level level, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

/*
 * Tells how many lines were left out so far. Any next message does so for the call sites whose
 * minute is over, so this is for the end of the program. Thread-safe.
 */
void log_flush(void);

#define LOG_KEPT_LINES 256

/* A line that was written. */
struct log_line {
    uint64_t number; /* from 1 */
    int64_t wall_ns;
    enum log_level level;
    char part[16];
    char words[512]; /* a longer line is cut */
};

/* Keeps the newest LOG_KEPT_LINES lines in memory from now on: 140 KiB. Without memory none is
 * kept. Before threads start; it lasts until the program ends. */
void log_keep(void);

/*
 * Copies the first line that is kept and newer than number `after` (0: the oldest that is kept) and
 * of this level or more severe. False when there is none. Thread-safe.
 */
int log_kept(uint64_t after, enum log_level level, struct log_line *line);

/* The number of the newest line; 0: none. Thread-safe. */
uint64_t log_newest(void);

/* "error", "warn", "info", "debug". */
const char *log_level_name(enum log_level level);

/* The level of that name; negative for none. */
int log_level_parse(const char *name);

#define LOG_AT(part, level, ...)                                                                   \
    do {                                                                                           \
        static struct log_site log_site_;                                                          \
        if (log_enabled(part, level))                                                              \
            log_write(&log_site_, part, level, __VA_ARGS__);                                       \
    } while (0)
#define log_error(part, ...) LOG_AT(part, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(part, ...)  LOG_AT(part, LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(part, ...)  LOG_AT(part, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(part, ...) LOG_AT(part, LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
