/*
 * Programs that the daemon runs: sluice itself for the page, so that page and command line are one
 * truth, and those of the system that install updates. What dies takes nothing with it. Each gets
 * an argument vector and never a shell, none of our descriptors, and /dev/null as its input.
 */
#ifndef SLUICE_WEB_PROGRAM_H
#define SLUICE_WEB_PROGRAM_H

#include <stddef.h>
#include <sys/types.h>

#define PROGRAM_ARGUMENTS_MAX 40

struct program {
    pid_t pid;
    int out, err; /* what it prints: to be read; closed by program_end and program_wait */
};

/*
 * Starts `sluice` with the arguments, of which the last is NULL; the first is the command ("scan").
 * It is the leader of a process group of its own. 0, ERR_NOMEM, or why it cannot be started.
 */
int program_start(struct program *program, const char *const arguments[]);

/* The same for a program of the system: the first argument is its name, which is looked for in
 * PATH. ERR_NOT_FOUND where it is not installed. */
int program_start_other(struct program *program, const char *const arguments[]);

/*
 * For the program's main: where a daemon of ours started it, it gets SIGTERM when that daemon ends
 * in whatever way, so that it gives back what it borrowed and holds no line that nobody asks for.
 * (The kernel looks at the thread that started it: call program_start on one that lasts.)
 */
void program_follow_parent(void);

/*
 * Ends it and what it started, and waits for it: at most two seconds, in which it can put in order
 * what it has begun (give back a line that it borrowed). What it still prints is thrown away.
 * Returns its exit code, or 128 + the signal.
 */
int program_end(struct program *program);

/* Waits until both of its outputs have ended, and it has; what it still prints is thrown away.
 * Returns as program_end. */
int program_wait(struct program *program);

/*
 * Runs it to its end and hands out what it printed: *out (malloc'd, zero-terminated, at most
 * `size_max` bytes) and the last `words_size` - 1 bytes that it complained with. Its exit code, or
 * a negative error: ERR_TOO_LARGE, ERR_TIMEOUT (it was ended), or as program_start.
 */
int program_ask(const char *const arguments[], size_t size_max, char **out, size_t *size,
                char *words, size_t words_size);

/* The same for a program of the system, as program_start_other, which has `time_s` seconds. */
int program_ask_other(const char *const arguments[], int time_s, size_t size_max, char **out,
                      size_t *size, char *words, size_t words_size);

/* Keeps the last bytes of what is put behind `kept`, zero-terminated, cut at the begin of a line.
 */
void program_keep_words(char *kept, size_t room, const char *more, size_t size);

#endif
