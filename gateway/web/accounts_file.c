#include "web/accounts_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "core/error.h"
#include "core/save.h"
#include "core/text.h"
#include "web/key.h"

#define VERSION       1
#define FILE_SIZE_MAX (64 * 1024)

struct reading {
    struct accounts_list *list;
    char *why;
    size_t why_size;
};

static void tell(void *context, struct json_place at, const char *sentence)
{
    struct reading *reading = context;

    if (!*reading->why)
        snprintf(reading->why, reading->why_size, "line %u, column %u: %s", at.line, at.column,
                 sentence);
}

static const char *text_of(const struct json *object, const char *key)
{
    const struct json *value = json_find(object, key);

    return value && value->type == JSON_STRING ? value->text : "";
}

/* What an account and a token have in common. */
static bool take_common(const struct json *entry, char name[ACCOUNTS_NAME_SIZE], enum role *role,
                        int64_t *since_ms)
{
    const struct json *since = json_find(entry, "since");

    if (!accounts_name_valid(text_of(entry, "name")))
        return false;
    snprintf(name, ACCOUNTS_NAME_SIZE, "%s", text_of(entry, "name"));
    *role = route_role(text_of(entry, "role"));
    if (since && !json_integer(since, since_ms))
        return false;
    return *role != ROLE_ANYBODY;
}

static bool take_account(const struct json *entry, struct accounts_list *list)
{
    struct account *account = &list->accounts[list->account_count];
    const char *hash = text_of(entry, "hash");

    if (list->account_count == ACCOUNTS_MAX || !*hash || strlen(hash) >= PASSWORD_HASH_SIZE ||
        !take_common(entry, account->name, &account->role, &account->since_ms))
        return false;
    memcpy(account->hash, hash, strlen(hash) + 1);
    snprintf(account->language, sizeof account->language, "%s", text_of(entry, "language"));
    list->account_count++;
    return true;
}

static bool take_token(const struct json *entry, struct accounts_list *list)
{
    struct token *token = &list->tokens[list->token_count];

    if (list->token_count == ACCOUNTS_TOKENS_MAX ||
        !key_parse(text_of(entry, "hash"), token->hash) ||
        !take_common(entry, token->name, &token->role, &token->since_ms))
        return false;
    list->token_count++;
    return true;
}

static bool take_all(const struct json *root, struct accounts_list *list)
{
    const struct json *version = json_find(root, "version"),
                      *accounts = json_find(root, "accounts"), *tokens = json_find(root, "tokens");
    int64_t number;

    if (!version || !json_integer(version, &number) || number != VERSION || !accounts ||
        accounts->type != JSON_LIST || !tokens || tokens->type != JSON_LIST)
        return false;
    snprintf(list->language, sizeof list->language, "%s", text_of(root, "language"));
    for (const struct json *entry = accounts->first; entry; entry = entry->next)
        if (!take_account(entry, list))
            return false;
    for (const struct json *entry = tokens->first; entry; entry = entry->next)
        if (!take_token(entry, list))
            return false;
    return true;
}

int accounts_file_read(const char *path, struct accounts_list *list, char *why, size_t why_size)
{
    struct reading reading = {list, why, why_size};
    struct arena *arena = NULL;
    struct json *root = NULL;
    char *data = NULL;
    size_t size;

    why[0] = '\0';
    int error = save_read(path, FILE_SIZE_MAX, &data, &size);
    if (!error)
        error = arena_open(&arena);
    if (!error) {
        error = json_read(&root, arena, data, size, tell, &reading);
        if (error != ERR_NOMEM && (error || *why || !take_all(root, list)))
            error = ERR_CORRUPT;
    }
    if (error && !*why)
        snprintf(why, why_size, "%s", error_text(error));
    arena_close(arena);
    free(data);
    return error;
}

static void put(struct text *text, const char *key, const char *value)
{
    text_printf(text, "\"%s\":", key);
    text_json_string(text, value, strlen(value));
}

static void put_entry(struct text *text, const char *name, enum role role, const char *hash,
                      int64_t since_ms, const char *language)
{
    text_string(text, "  {");
    put(text, "name", name);
    text_string(text, ",");
    put(text, "role", route_role_word(role));
    text_string(text, ",");
    put(text, "hash", hash);
    text_printf(text, ",\"since\":%" PRId64, since_ms);
    if (*language) {
        text_string(text, ",");
        put(text, "language", language);
    }
    text_string(text, "}");
}

int accounts_file_write(const char *path, const struct accounts_list *list)
{
    char *data = malloc(FILE_SIZE_MAX), hash[KEY_TEXT_SIZE];
    struct text text;

    if (!data)
        return ERR_NOMEM;
    text_init(&text, data, FILE_SIZE_MAX);
    text_printf(&text, "{\"version\":%d,", VERSION);
    put(&text, "language", list->language);
    text_string(&text, ",\n \"accounts\":[");
    for (size_t i = 0; i < list->account_count; i++) {
        const struct account *account = &list->accounts[i];

        text_string(&text, i ? ",\n" : "\n");
        put_entry(&text, account->name, account->role, account->hash, account->since_ms,
                  account->language);
    }
    text_string(&text, "],\n \"tokens\":[");
    for (size_t i = 0; i < list->token_count; i++) {
        const struct token *token = &list->tokens[i];

        text_string(&text, i ? ",\n" : "\n");
        key_print(token->hash, hash);
        put_entry(&text, token->name, token->role, hash, token->since_ms, "");
    }
    text_string(&text, "]}\n");
    int error = text.cut ? ERR_TOO_LARGE : save_file(path, data, text.size, 0600);
    free(data);
    return error;
}
