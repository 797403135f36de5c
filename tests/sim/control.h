/* A unix socket over which test scripts steer a simulator, one command per line. */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#define CONTROL_WORDS_MAX  8
#define CONTROL_ANSWER_MAX 65536

struct control;

/* What a command leads to. The answer is one line without its end; "ok" is filled in beforehand.
 * With watch set the answer is held back until *watch has reached target. */
struct control_answer {
    char text[CONTROL_ANSWER_MAX];
    const uint64_t *watch;
    uint64_t target;
};

typedef void control_handler(void *context, size_t count, char *words[],
                             struct control_answer *answer);

/* Listens at path, replacing what a killed simulator left there. NULL with errno set on failure. */
struct control *control_open(const char *path, control_handler *handler, void *context);

/* Readable when control_run has something to do; -1 when control is NULL. */
int control_fd(const struct control *control);

void control_run(struct control *control);

/* Releases commands whose wait is over; cheap enough to be called after every event. */
void control_check(struct control *control);

void control_close(struct control *control); /* NULL is fine */

/* The other side: sends each command, prints its answer. Returns the exit status: 0, 1 when an
 * answer is an error, 2 when there is no simulator. */
int control_tell(const char *path, int count, char *commands[]);

void control_error(struct control_answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
