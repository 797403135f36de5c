/* Why an update is refused: each reason with its id, a sentence, and what to do next. */
#ifndef SLUICE_DAEMON_UPDATE_REFUSAL_H
#define SLUICE_DAEMON_UPDATE_REFUSAL_H

#include <stddef.h>

#define UPDATE_SENTENCE_SIZE 640

struct update_refusal {
    const char *id; /* "wrong-board": pages have their own words for it; NULL: nothing is refused */
    const char *next;                    /* what to do */
    char sentence[UPDATE_SENTENCE_SIZE]; /* what happened, and why */
};

/* The reason of that id; what is not in the table becomes "failed". `format` says what happened. */
void update_refuse(struct update_refusal *refusal, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Finds the reason in the words of RAUC about a bundle. `path` is its file: whether it began as a
 * bundle tells what was cut off from what never was one. */
void update_refuse_by_words(struct update_refusal *refusal, const char *words, const char *path);

/* The reason of an error while the bundle came in, or of ERR_BUSY that RAUC answers with. */
void update_refuse_by_error(struct update_refusal *refusal, int error);

#endif
