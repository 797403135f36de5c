#include "web/accounts.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/event.h"
#include "core/log.h"
#include "core/save.h"
#include "web/accounts_file.h"

struct accounts {
    char path[PATH_MAX];
    enum accounts_state state;
    struct accounts_list list;
    pthread_mutex_t lock;     /* of the two above; never held while the disk is waited for */
    pthread_mutex_t changing; /* one change at a time, until it is durable */
};

bool accounts_name_valid(const char *name)
{
    return id_valid(name) && strlen(name) < ACCOUNTS_NAME_SIZE;
}

/* A file that cannot be read must not make the next visitor the owner. */
static void read_file(struct accounts *accounts)
{
    char why[256];
    int error = accounts_file_read(accounts->path, &accounts->list, why, sizeof why);

    if (error == 0 && accounts->list.account_count > 0) {
        accounts->state = ACCOUNTS_READY;
    } else if (error == ERR_NOT_FOUND || error == 0) {
        accounts->state = ACCOUNTS_NONE;
    } else {
        memset(&accounts->list, 0, sizeof accounts->list);
        accounts->state = ACCOUNTS_DAMAGED;
        log_error("web",
                  "%s cannot be read: %s; nobody can log in to the page. \"sluice password NAME\" "
                  "on this machine makes a new owner; the old file is kept as %s.damaged then",
                  accounts->path, why, accounts->path);
    }
}

int accounts_open(struct accounts **out, const char *folder)
{
    struct accounts *accounts = calloc(1, sizeof *accounts);

    if (!accounts)
        return ERR_NOMEM;
    if ((size_t)snprintf(accounts->path, sizeof accounts->path, "%s/accounts.json", folder) >=
        sizeof accounts->path) {
        free(accounts);
        return ERR_TOO_LARGE;
    }
    pthread_mutex_init(&accounts->lock, NULL);
    pthread_mutex_init(&accounts->changing, NULL);
    read_file(accounts);
    *out = accounts;
    return 0;
}

void accounts_close(struct accounts *accounts)
{
    if (!accounts)
        return;
    pthread_mutex_destroy(&accounts->changing);
    pthread_mutex_destroy(&accounts->lock);
    explicit_bzero(&accounts->list, sizeof accounts->list);
    free(accounts);
}

const char *accounts_path(const struct accounts *accounts)
{
    return accounts->path;
}

enum accounts_state accounts_state(struct accounts *accounts)
{
    pthread_mutex_lock(&accounts->lock);
    enum accounts_state state = accounts->state;
    pthread_mutex_unlock(&accounts->lock);
    return state;
}

static struct account *find(struct accounts_list *list, const char *name)
{
    for (size_t i = 0; i < list->account_count; i++)
        if (strcmp(list->accounts[i].name, name) == 0)
            return &list->accounts[i];
    return NULL;
}

void accounts_language(struct accounts *accounts, const char *name,
                       char language[ACCOUNTS_LANGUAGE_SIZE])
{
    pthread_mutex_lock(&accounts->lock);
    const struct account *account = find(&accounts->list, name);
    memcpy(language, account && account->language[0] ? account->language : accounts->list.language,
           ACCOUNTS_LANGUAGE_SIZE);
    pthread_mutex_unlock(&accounts->lock);
}

bool accounts_language_valid(const char *language)
{
    size_t size = strspn(language, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

    return size >= 2 && language[size] == '\0' && size < ACCOUNTS_LANGUAGE_SIZE;
}

bool accounts_find(struct accounts *accounts, const char *name, struct account *account)
{
    pthread_mutex_lock(&accounts->lock);
    const struct account *found = find(&accounts->list, name);
    if (found)
        *account = *found;
    pthread_mutex_unlock(&accounts->lock);
    return found != NULL;
}

bool accounts_find_token(struct accounts *accounts, const uint8_t hash[DIGEST_SIZE],
                         struct token *token)
{
    bool found = false;

    pthread_mutex_lock(&accounts->lock);
    for (size_t i = 0; i < accounts->list.token_count; i++) {
        if (digest_equal(accounts->list.tokens[i].hash, hash, DIGEST_SIZE)) {
            *token = accounts->list.tokens[i];
            found = true;
        }
    }
    pthread_mutex_unlock(&accounts->lock);
    return found;
}

size_t accounts_list(struct accounts *accounts, struct account list[ACCOUNTS_MAX])
{
    pthread_mutex_lock(&accounts->lock);
    size_t count = accounts->list.account_count;
    memcpy(list, accounts->list.accounts, count * sizeof *list);
    pthread_mutex_unlock(&accounts->lock);
    return count;
}

size_t accounts_list_tokens(struct accounts *accounts, struct token list[ACCOUNTS_TOKENS_MAX])
{
    pthread_mutex_lock(&accounts->lock);
    size_t count = accounts->list.token_count;
    memcpy(list, accounts->list.tokens, count * sizeof *list);
    pthread_mutex_unlock(&accounts->lock);
    return count;
}

struct wish {
    const char *name, *language;
    enum role role;
    const char *hash;
    const uint8_t *token_hash;
};

static int64_t now_ms(void)
{
    return clock_wall(&clock_system) / NS_PER_MS;
}

typedef int change_fn(struct accounts_list *list, const struct wish *wish);

/* The damaged file stays for whoever wants to look what was in it. It gets a second name and keeps
 * its own until the new one takes that: were there none for a moment, and the power failed in it,
 * the next visitor could become the owner. */
static void keep_damaged(const struct accounts *accounts)
{
    char kept[PATH_MAX];

    if ((size_t)snprintf(kept, sizeof kept, "%s.damaged", accounts->path) >= sizeof kept)
        return;
    if (save_remove(kept) != 0 || link(accounts->path, kept) != 0)
        log_warn("web", "the damaged file cannot be kept as %s", kept);
}

/* Once it is durable. */
static void take_over(struct accounts *accounts, const struct accounts_list *list)
{
    pthread_mutex_lock(&accounts->lock);
    accounts->list = *list;
    accounts->state = list->account_count > 0 ? ACCOUNTS_READY : ACCOUNTS_NONE;
    pthread_mutex_unlock(&accounts->lock);
}

/* Makes the change on a copy, which counts once it is durable: until then everybody is let in as
 * before, however long the disk takes. */
static int change(struct accounts *accounts, change_fn *make, const struct wish *wish)
{
    struct accounts_list *list = malloc(sizeof *list);

    if (!list)
        return ERR_NOMEM;
    pthread_mutex_lock(&accounts->changing);
    pthread_mutex_lock(&accounts->lock);
    *list = accounts->list;
    bool damaged = accounts->state == ACCOUNTS_DAMAGED;
    pthread_mutex_unlock(&accounts->lock);
    int error = make(list, wish);
    if (!error) {
        if (damaged)
            keep_damaged(accounts);
        error = accounts_file_write(accounts->path, list);
    }
    if (!error)
        take_over(accounts, list);
    pthread_mutex_unlock(&accounts->changing);
    explicit_bzero(list, sizeof *list);
    free(list);
    return error;
}

static bool has_owner(const struct accounts_list *list)
{
    for (size_t i = 0; i < list->account_count; i++)
        if (list->accounts[i].role == ROLE_OWNER)
            return true;
    return false;
}

static int add(struct accounts_list *list, const struct wish *wish)
{
    if (!accounts_name_valid(wish->name) || wish->role == ROLE_ANYBODY || !wish->hash)
        return ERR_INVALID;
    if (list->account_count == ACCOUNTS_MAX)
        return ERR_FULL;
    struct account *account = &list->accounts[list->account_count++];
    *account = (struct account){.role = wish->role, .since_ms = now_ms()};
    snprintf(account->name, sizeof account->name, "%s", wish->name);
    snprintf(account->hash, sizeof account->hash, "%s", wish->hash);
    return 0;
}

static int make_first(struct accounts_list *list, const struct wish *wish)
{
    if (list->account_count > 0)
        return ERR_EXISTS;
    snprintf(list->language, sizeof list->language, "%s", wish->language);
    return add(list, wish);
}

static int put_account(struct accounts_list *list, const struct wish *wish)
{
    struct account *account = find(list, wish->name);

    if (!account) {
        int error = add(list, wish);
        /* Nobody is there to make an owner of the first. */
        return !error && !has_owner(list) ? ERR_DENIED : error;
    }
    if (wish->role != ROLE_ANYBODY)
        account->role = wish->role;
    if (wish->hash) {
        snprintf(account->hash, sizeof account->hash, "%s", wish->hash);
        account->since_ms = now_ms();
    }
    return has_owner(list) ? 0 : ERR_DENIED;
}

static int set_language(struct accounts_list *list, const struct wish *wish)
{
    struct account *account = find(list, wish->name);

    if (!account)
        return ERR_NOT_FOUND;
    snprintf(account->language, sizeof account->language, "%s", wish->language);
    return 0;
}

static int remove_account(struct accounts_list *list, const struct wish *wish)
{
    struct account *account = find(list, wish->name);

    if (!account)
        return ERR_NOT_FOUND;
    size_t behind = list->account_count - (size_t)(account - list->accounts) - 1;
    memmove(account, account + 1, behind * sizeof *account);
    list->account_count--;
    return has_owner(list) ? 0 : ERR_DENIED;
}

static struct token *find_token(struct accounts_list *list, const char *name)
{
    for (size_t i = 0; i < list->token_count; i++)
        if (strcmp(list->tokens[i].name, name) == 0)
            return &list->tokens[i];
    return NULL;
}

static int add_token(struct accounts_list *list, const struct wish *wish)
{
    if (!accounts_name_valid(wish->name) || wish->role == ROLE_ANYBODY)
        return ERR_INVALID;
    if (find_token(list, wish->name))
        return ERR_EXISTS;
    if (list->token_count == ACCOUNTS_TOKENS_MAX)
        return ERR_FULL;
    struct token *token = &list->tokens[list->token_count++];
    *token = (struct token){.role = wish->role, .since_ms = now_ms()};
    snprintf(token->name, sizeof token->name, "%s", wish->name);
    memcpy(token->hash, wish->token_hash, DIGEST_SIZE);
    return 0;
}

static int remove_token(struct accounts_list *list, const struct wish *wish)
{
    struct token *token = find_token(list, wish->name);

    if (!token)
        return ERR_NOT_FOUND;
    size_t behind = list->token_count - (size_t)(token - list->tokens) - 1;
    memmove(token, token + 1, behind * sizeof *token);
    list->token_count--;
    return 0;
}

int accounts_first(struct accounts *accounts, const char *name, const char *hash,
                   const char *language)
{
    struct wish wish = {.name = name, .role = ROLE_OWNER, .hash = hash, .language = language};

    /* Whoever has root on the machine decides what becomes of a damaged file, nobody else. */
    if (accounts_state(accounts) == ACCOUNTS_DAMAGED)
        return ERR_EXISTS;
    return change(accounts, make_first, &wish);
}

int accounts_put(struct accounts *accounts, const char *name, enum role role, const char *hash)
{
    struct wish wish = {.name = name, .role = role, .hash = hash};

    return change(accounts, put_account, &wish);
}

int accounts_set_language(struct accounts *accounts, const char *name, const char *language)
{
    struct wish wish = {.name = name, .language = language};

    return accounts_language_valid(language) ? change(accounts, set_language, &wish) : ERR_INVALID;
}

int accounts_remove(struct accounts *accounts, const char *name)
{
    struct wish wish = {.name = name};

    return change(accounts, remove_account, &wish);
}

int accounts_add_token(struct accounts *accounts, const char *name, enum role role,
                       const uint8_t hash[DIGEST_SIZE])
{
    struct wish wish = {.name = name, .role = role, .token_hash = hash};

    return change(accounts, add_token, &wish);
}

int accounts_remove_token(struct accounts *accounts, const char *name)
{
    struct wish wish = {.name = name};

    return change(accounts, remove_token, &wish);
}

int accounts_restore(struct accounts *accounts, const void *data, size_t size)
{
    struct accounts_list *list = calloc(1, sizeof *list);
    char path[PATH_MAX], why[256];

    if (!list)
        return ERR_NOMEM;
    /* The file's own reader says whether it is one. */
    snprintf(path, sizeof path, "%.*s.restored", PATH_MAX - 16, accounts->path);
    pthread_mutex_lock(&accounts->changing);
    int error = save_file(path, data, size, 0600);
    if (!error && accounts_file_read(path, list, why, sizeof why) != 0)
        error = ERR_CORRUPT;
    if (!error && list->account_count == 0)
        error = ERR_CORRUPT;
    if (!error && !has_owner(list))
        error = ERR_DENIED;
    save_remove(path);
    if (!error)
        error = accounts_file_write(accounts->path, list);
    if (!error)
        take_over(accounts, list);
    pthread_mutex_unlock(&accounts->changing);
    explicit_bzero(list, sizeof *list);
    free(list);
    return error;
}
