/*
 * The configurations that there were: each change with who made it, from where, when, what became
 * of it, and its whole text. Kept in a folder, two files a change; the newest HISTORY_MAX, and of
 * these no more than HISTORY_BYTES_MAX.
 */
#ifndef SLUICE_CONFIG_HISTORY_H
#define SLUICE_CONFIG_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_MAX           64
#define HISTORY_BYTES_MAX     (8 * 1024 * 1024)
#define HISTORY_CHANGE_SIZE   16
#define HISTORY_WORDS_SIZE    512
#define HISTORY_COMMENT_SIZE  256
#define HISTORY_REVISION_SIZE 17
#define HISTORY_NO_REVISION   "none" /* of a file that is not there */

enum history_state {
    HISTORY_CONFIRMED,
    HISTORY_PENDING,
    HISTORY_REVERTED,
};

struct history_entry {
    uint64_t change; /* its number, from 1 */
    int64_t at_ms;   /* wall clock */
    char by[64], origin[64];
    char comment[HISTORY_COMMENT_SIZE];
    char words[HISTORY_WORDS_SIZE]; /* which keys changed */
    char why[HISTORY_WORDS_SIZE];   /* it was reverted; "" */
    enum history_state state;
    char revision[HISTORY_REVISION_SIZE];
};

/* Names a text by what is in it: 16 hexadecimal digits. */
void history_revision(const char *text, size_t size, char out[HISTORY_REVISION_SIZE]);

/* "confirmed", "pending", "reverted". */
const char *history_state_name(enum history_state state);

/*
 * Writes an entry, with `text` (terminated) or, where that is NULL, over one that is there; makes
 * the folder when it is missing, and lets go of what is too old. One thread at a time for a folder;
 * the other functions may run beside it. 0 or an error.
 */
int history_put(const char *folder, const struct history_entry *entry, const char *text);

/* The entries, newest first; *entries is the caller's to free. 0, also where there are none, or
 * ERR_NOMEM. */
int history_list(const char *folder, struct history_entry **entries, size_t *count);

/* The text of a change, terminated, the caller's to free. 0 or ERR_NOT_FOUND, ... */
int history_text(const char *folder, uint64_t change, char **text, size_t *size);

#endif
