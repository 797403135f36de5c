/*
 * Who may come in: accounts with a role and a password's hash, and tokens for programs. They are
 * kept in one file of the state folder, which is replaced whole on each change and is never part of
 * the configuration or the journal. Thread-safe; changes wait for the disk.
 */
#ifndef SLUICE_WEB_ACCOUNTS_H
#define SLUICE_WEB_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "tls/digest.h"
#include "web/password.h"
#include "web/route.h"

#define ACCOUNTS_MAX           32
#define ACCOUNTS_TOKENS_MAX    64
#define ACCOUNTS_NAME_SIZE     41 /* of an account's or token's name: an id (core/event.h) */
#define ACCOUNTS_LANGUAGE_SIZE 12

struct accounts;

enum accounts_state {
    ACCOUNTS_NONE, /* nobody yet: the first visitor makes the owner */
    ACCOUNTS_READY,
    ACCOUNTS_DAMAGED, /* the file cannot be read: nobody gets in, and nobody becomes the owner */
};

struct account {
    char name[ACCOUNTS_NAME_SIZE];
    enum role role;
    char hash[PASSWORD_HASH_SIZE];
    int64_t since_ms;                      /* wall clock: when the password was set */
    char language[ACCOUNTS_LANGUAGE_SIZE]; /* that it chose; "": the gateway's */
};

struct token {
    char name[ACCOUNTS_NAME_SIZE];
    enum role role;
    uint8_t hash[DIGEST_SIZE]; /* key.h */
    int64_t since_ms;
};

/* Reads FOLDER/accounts.json. Never refuses because of what stands there: see accounts_state.
 * ERR_NOMEM, ERR_IO (no random numbers), ERR_TOO_LARGE (the path). */
int accounts_open(struct accounts **accounts, const char *folder);
void accounts_close(struct accounts *accounts); /* NULL is fine */

enum accounts_state accounts_state(struct accounts *accounts);

/* The path of the file, for messages. */
const char *accounts_path(const struct accounts *accounts);

/* The language of that account, or, where it has none of its own or `name` is no account, the
 * first visitor's; "" before there is one. */
void accounts_language(struct accounts *accounts, const char *name,
                       char language[ACCOUNTS_LANGUAGE_SIZE]);

/* Whether it can be a language: a code such as "en" or "pt-BR". */
bool accounts_language_valid(const char *language);

/* A copy of the account or token. False where there is none. */
bool accounts_find(struct accounts *accounts, const char *name, struct account *account);
bool accounts_find_token(struct accounts *accounts, const uint8_t hash[DIGEST_SIZE],
                         struct token *token);

/* Copies of all, in the order of their making; returns how many. */
size_t accounts_list(struct accounts *accounts, struct account list[ACCOUNTS_MAX]);
size_t accounts_list_tokens(struct accounts *accounts, struct token list[ACCOUNTS_TOKENS_MAX]);

/*
 * Each of these returns 0 once the change is durable, or an error of the disk with nothing changed.
 *
 * accounts_first makes the owner: ERR_EXISTS unless there is nobody yet. accounts_put adds an
 * account or changes its role, its password or both (ROLE_ANYBODY, NULL: as it was); where the file
 * was damaged the first is the owner of a new one. ERR_INVALID: no name, or a new account without
 * role or password; ERR_FULL; ERR_DENIED: no owner would be left. accounts_remove: ERR_NOT_FOUND,
 * ERR_DENIED as before.
 */
int accounts_first(struct accounts *accounts, const char *name, const char *hash,
                   const char *language);
int accounts_put(struct accounts *accounts, const char *name, enum role role, const char *hash);
int accounts_remove(struct accounts *accounts, const char *name);

/* The language of an account that there is: ERR_INVALID, ERR_NOT_FOUND. */
int accounts_set_language(struct accounts *accounts, const char *name, const char *language);

/* ERR_INVALID: no name; ERR_EXISTS, ERR_FULL. ERR_NOT_FOUND. */
int accounts_add_token(struct accounts *accounts, const char *name, enum role role,
                       const uint8_t hash[DIGEST_SIZE]);
int accounts_remove_token(struct accounts *accounts, const char *name);

/* Takes the content of another such file in place of all accounts and tokens. ERR_CORRUPT: it is
 * none, or has no account; ERR_DENIED: it has no owner; nothing changes then. */
int accounts_restore(struct accounts *accounts, const void *data, size_t size);

/* Whether it can be the name of an account or token. */
bool accounts_name_valid(const char *name);

#endif
