/* The accounts as a file of the state folder: read, written, and nothing else. For accounts.c. */
#ifndef SLUICE_WEB_ACCOUNTS_FILE_H
#define SLUICE_WEB_ACCOUNTS_FILE_H

#include "web/accounts.h"

struct accounts_list {
    char language[ACCOUNTS_LANGUAGE_SIZE];
    struct account accounts[ACCOUNTS_MAX];
    size_t account_count;
    struct token tokens[ACCOUNTS_TOKENS_MAX];
    size_t token_count;
};

/* Reads the file into a zeroed list. 0; ERR_NOT_FOUND: there is none; ERR_CORRUPT: it is not what
 * this wrote; ERR_DENIED, ERR_IO, ERR_NOMEM, with why, for the log. */
int accounts_file_read(const char *path, struct accounts_list *list, char *why, size_t why_size);

/* Replaces the file. 0 when it is durable, or the error of the disk, ERR_NOMEM. */
int accounts_file_write(const char *path, const struct accounts_list *list);

#endif
