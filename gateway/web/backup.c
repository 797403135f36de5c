#include "web/backup.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/catalog.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/save.h"
#include "tls/digest.h"
#include "tls/seal.h"
#include "web/files_api.h"
#include "web/files_use.h"
#include "web/password.h"
#include "web/profiles_use.h"

#define LABEL "sluice-backup 1 "
#define KIND  "sluice-backup"

__attribute__((format(printf, 3, 4))) static int refuse(char why[BACKUP_WHY_SIZE], int error,
                                                        const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, BACKUP_WHY_SIZE, format, arguments);
    va_end(arguments);
    return error;
}

static void ignore(void *context, struct json_place at, const char *sentence)
{
    (void)context;
    (void)at;
    (void)sentence;
}

/* What the sealed part belongs to: it does not open beside another configuration. */
static bool make_label(const char *config, uint8_t label[sizeof LABEL - 1 + DIGEST_SIZE])
{
    memcpy(label, LABEL, sizeof LABEL - 1);
    return digest_make(config, strlen(config), label + sizeof LABEL - 1);
}

static void write_base64(struct json_writer *writer, const char *key, const void *data, size_t size)
{
    char *text = malloc(BASE64_TEXT_SIZE(size));

    if (text) {
        base64_write(data, size, text);
        json_write_text(writer, key, text);
        explicit_bzero(text, BASE64_TEXT_SIZE(size));
    }
    free(text);
}

/* --- writing --- */

struct writing {
    struct json_writer *writer;
    const struct backup_place *place;
    bool secrets; /* the secret files, else the others */
    size_t bytes; /* of all of them so far */
    int error;    /* and the sentence for it: nothing more is written */
    char *why;
};

static void write_entry(struct writing *writing, const char *name, const char *path)
{
    char *data;
    size_t size;

    if (writing->error)
        return;
    int error = save_read(path, FILES_SIZE_MAX, &data, &size);
    if (error) {
        writing->error = refuse(writing->why, error, "%s cannot be taken into the backup: %s", name,
                                error_text(error));
        return;
    }
    writing->bytes += size;
    if (writing->bytes > BACKUP_BYTES_MAX)
        writing->error = refuse(writing->why, ERR_TOO_LARGE,
                                "the files are larger than 8 MiB together, and a backup holds no "
                                "more: remove those that nothing uses");
    json_write_open(writing->writer, NULL, '{');
    json_write_text(writing->writer, "name", name);
    write_base64(writing->writer, "data", data, size);
    json_write_close(writing->writer, '}');
    explicit_bzero(data, size);
    free(data);
}

static void write_file(void *context, const char *name)
{
    struct writing *writing = context;
    char path[PATH_MAX];

    if (files_is_secret(name) != writing->secrets)
        return;
    files_path(writing->place->config_path, name, path, sizeof path);
    write_entry(writing, name, path);
}

/* A backup that has some of the files would be found out when they are needed. */
static void write_files(struct writing *writing)
{
    json_write_open(writing->writer, "files", '[');
    int found = files_each(writing->place->config_path, write_file, writing);
    json_write_close(writing->writer, ']');
    if (found > FILES_MAX)
        writing->error = refuse(writing->why, ERR_FULL,
                                "there are %d files beside the configuration, and a backup holds "
                                "%d: remove those that nothing uses",
                                found, FILES_MAX);
    else if (found < 0)
        writing->error = refuse(writing->why, found, "%s", error_text(found));
}

static void write_profile(void *context, const char *name, const char *path)
{
    write_entry(context, name, path);
}

/* Those that no other gateway has. */
static int write_profiles(struct writing *writing, const char *config)
{
    struct arena *arena;
    struct json *root = NULL;

    if (arena_open(&arena)) {
        writing->error = refuse(writing->why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
        return writing->error;
    }
    json_read(&root, arena, config, strlen(config), ignore, NULL);
    json_write_open(writing->writer, "profiles", '[');
    profiles_use_each(root, writing->place->parts, write_profile, writing);
    json_write_close(writing->writer, ']');
    arena_close(arena);
    return writing->error;
}

/* The secret files and the accounts as a document of their own. */
static int write_secrets(struct writing *writing, char **text, size_t *size)
{
    struct json_writer writer = {.out = open_memstream(text, size)};
    char *accounts;
    size_t accounts_size;

    if (!writer.out)
        return refuse(writing->why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
    writing->writer = &writer;
    writing->secrets = true;
    json_write_open(&writer, NULL, '{');
    write_files(writing);
    int error = save_read(writing->place->accounts_path, FILES_SIZE_MAX, &accounts, &accounts_size);
    if (!error) {
        write_base64(&writer, "accounts", accounts, accounts_size);
        explicit_bzero(accounts, accounts_size);
        free(accounts);
    } else if (error != ERR_NOT_FOUND && !writing->error) {
        writing->error =
            refuse(writing->why, error, "the accounts cannot be taken into the backup: %s",
                   error_text(error));
    }
    json_write_close(&writer, '}');
    if (fclose(writer.out) != 0 && !writing->error)
        writing->error = refuse(writing->why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
    return writing->error;
}

static int write_sealed(struct json_writer *writer, const char *config, const char *passphrase,
                        const char *plain, size_t size)
{
    uint8_t salt[PASSWORD_SALT_SIZE], nonce[SEAL_NONCE_SIZE], key[PASSWORD_KEY_SIZE],
        label[sizeof LABEL - 1 + DIGEST_SIZE];
    uint8_t *sealed = malloc(size + SEAL_TAG_SIZE);
    int error = sealed && make_label(config, label) ? 0 : ERR_NOMEM;

    if (!error)
        error = seal_random(salt, sizeof salt);
    if (!error)
        error = seal_random(nonce, sizeof nonce);
    if (!error)
        error = password_derive(passphrase, salt, key);
    if (!error)
        error = seal_close(key, nonce, label, sizeof label, plain, size, sealed);
    if (!error) {
        json_write_open(writer, "sealed", '{');
        json_write_text(writer, "kdf", "argon2id v=19 m=7168 t=5 p=1");
        write_base64(writer, "salt", salt, sizeof salt);
        json_write_text(writer, "cipher", "chacha20-poly1305");
        write_base64(writer, "nonce", nonce, sizeof nonce);
        write_base64(writer, "data", sealed, size + SEAL_TAG_SIZE);
        json_write_close(writer, '}');
    }
    explicit_bzero(key, sizeof key);
    free(sealed);
    return error;
}

static void write_one_left_out(void *context, const struct json *value, bool kept)
{
    if (!kept)
        json_write_text(context, NULL, value->text);
}

static void write_left_out(struct json_writer *writer, const struct backup_place *place)
{
    struct files_use *use = files_use_open(place->config_path);

    json_write_open(writer, "left_out", '[');
    files_use_each(use, write_one_left_out, writer);
    json_write_close(writer, ']');
    files_use_close(use);
}

/* What is beside the configuration: in the open, and sealed. */
static int write_beside(struct writing *writing, const char *config, const char *passphrase)
{
    struct json_writer *writer = writing->writer;
    char *secrets = NULL;
    size_t size = 0;

    write_files(writing);
    write_left_out(writer, writing->place);
    if (writing->error || write_profiles(writing, config))
        return writing->error;
    if (!passphrase) {
        json_write_raw(writer, "sealed", "null");
        return 0;
    }
    int error = write_secrets(writing, &secrets, &size);
    if (!error) {
        error = write_sealed(writer, config, passphrase, secrets, size);
        if (error)
            refuse(writing->why, error, "%s", error_text(error));
    }
    if (secrets)
        explicit_bzero(secrets, size);
    free(secrets);
    return error;
}

int backup_config(const struct backup_place *place, char **text)
{
    size_t size;
    int error = save_read(place->config_path, JSON_SIZE_MAX, text, &size);

    if (error != ERR_NOT_FOUND)
        return error;
    *text = strdup(place->first);
    return *text ? 0 : ERR_NOMEM;
}

int backup_write(struct json_writer *writer, const struct backup_place *place,
                 const char *gateway_id, const char *passphrase, int64_t now_ms,
                 char why[BACKUP_WHY_SIZE])
{
    struct writing writing = {.writer = writer, .place = place, .why = why};
    char *config;
    int error = backup_config(place, &config);

    if (error)
        return refuse(why, error, "the configuration cannot be read");
    json_write_text(writer, "kind", KIND);
    json_write_integer(writer, "schema", BACKUP_SCHEMA);
    json_write_text(writer, "gateway", gateway_id);
    json_write_text(writer, "version", SLUICE_VERSION);
    json_write_integer(writer, "made", now_ms);
    json_write_text(writer, "config", config);
    error = write_beside(&writing, config, passphrase);
    free(config);
    return error;
}

/* --- reading --- */

static const char *text_of(const struct json *object, const char *key, size_t *size)
{
    const struct json *value = json_find(object, key);

    if (!value || value->type != JSON_STRING)
        return NULL;
    *size = value->size;
    return value->text;
}

/* malloc'd and terminated; NULL where there is none. */
static char *data_of(const struct json *object, const char *key, size_t *size)
{
    size_t text_size;
    const char *text = text_of(object, key, &text_size);
    char *data = text ? malloc(text_size + 1) : NULL;

    if (data && base64_read(text, text_size, data, size) != 0) {
        free(data);
        return NULL;
    }
    if (data)
        data[*size] = '\0';
    return data;
}

static int read_entry(struct backup *backup, const struct json *entry, bool profile,
                      char why[BACKUP_WHY_SIZE])
{
    struct backup_file *file = &backup->files[backup->count];
    size_t size, max = profile ? BACKUP_PROFILES_MAX : FILES_MAX,
                 count = profile ? backup->profile_count : backup->count - backup->profile_count;
    const char *name = text_of(entry, "name", &size);

    if (!name || !(profile ? catalog_name_valid(name) : files_name_valid(name)))
        return refuse(why, ERR_INVALID, "a file in it has a name that no file may have");
    if (count == max)
        return refuse(why, ERR_INVALID, "it holds more than %zu files", max);
    *file = (struct backup_file){.name = name, .profile = profile};
    file->data = data_of(entry, "data", &file->size);
    if (!file->data)
        return refuse(why, ERR_INVALID, "a file in it is damaged");
    backup->count++;
    backup->profile_count += profile;
    return 0;
}

static int read_entries(struct backup *backup, const struct json *object, const char *key,
                        bool profiles, char why[BACKUP_WHY_SIZE])
{
    const struct json *list = json_find(object, key);
    const struct json *entry = list && list->type == JSON_LIST ? list->first : NULL;
    int error = 0;

    for (; entry && !error; entry = entry->next)
        error = read_entry(backup, entry, profiles, why);
    return error;
}

/* The plain text of the sealed part, malloc'd and terminated; NULL with an error. */
static char *unseal(const struct json *sealed, const char *config, const char *passphrase,
                    size_t *size, int *error)
{
    size_t salt_size = 0, nonce_size = 0, data_size = 0;
    char *salt = data_of(sealed, "salt", &salt_size),
         *nonce = data_of(sealed, "nonce", &nonce_size),
         *data = data_of(sealed, "data", &data_size);
    uint8_t key[PASSWORD_KEY_SIZE], label[sizeof LABEL - 1 + DIGEST_SIZE];
    char *plain = malloc(data_size + 1);

    *error = salt && nonce && data && salt_size == PASSWORD_SALT_SIZE &&
                     nonce_size == SEAL_NONCE_SIZE && data_size >= SEAL_TAG_SIZE
                 ? 0
                 : ERR_INVALID;
    if (!*error && (!plain || !make_label(config, label)))
        *error = ERR_NOMEM;
    if (!*error)
        *error = password_derive(passphrase, (uint8_t *)salt, key);
    if (!*error)
        *error = seal_open(key, (uint8_t *)nonce, label, sizeof label, (uint8_t *)data, data_size,
                           plain);
    explicit_bzero(key, sizeof key);
    free(salt);
    free(nonce);
    free(data);
    if (*error) {
        free(plain);
        return NULL;
    }
    *size = data_size - SEAL_TAG_SIZE;
    plain[*size] = '\0';
    return plain;
}

static int read_sealed(struct backup *backup, const struct json *sealed, const char *passphrase,
                       char why[BACKUP_WHY_SIZE])
{
    struct json *root = NULL;
    size_t size;
    int error;
    char *plain = unseal(sealed, backup->config, passphrase, &size, &error);

    if (!plain)
        return refuse(why, error, "%s",
                      error == ERR_DENIED ? "the passphrase is another one, or the backup was "
                                            "changed since it was made"
                                          : "the sealed part is damaged");
    error = arena_open(&backup->arena);
    if (!error)
        error = json_read(&root, backup->arena, plain, size, ignore, NULL);
    explicit_bzero(plain, size);
    free(plain);
    if (error)
        return refuse(why, error, "%s", error_text(error));
    backup->accounts.data = data_of(root, "accounts", &backup->accounts.size);
    return read_entries(backup, root, "files", false, why);
}

int backup_read(struct backup *backup, const struct json *document, const char *passphrase,
                char why[BACKUP_WHY_SIZE])
{
    size_t size;
    int64_t schema = 0;
    const char *kind = text_of(document, "kind", &size);
    const struct json *number = json_find(document, "schema"), *sealed;

    memset(backup, 0, sizeof *backup);
    backup->files = calloc(FILES_MAX + BACKUP_PROFILES_MAX, sizeof *backup->files);
    if (!backup->files)
        return refuse(why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
    if (!kind || strcmp(kind, KIND) != 0 || !number || !json_integer(number, &schema))
        return refuse(why, ERR_INVALID, "it is no backup of a Sluice gateway");
    if (schema != BACKUP_SCHEMA)
        return refuse(why, ERR_VERSION,
                      "it was made by a newer version of Sluice; update this one");
    backup->config = text_of(document, "config", &size);
    if (!backup->config)
        return refuse(why, ERR_INVALID, "it holds no configuration");
    backup->displays = json_find(document, "displays");
    sealed = json_find(document, "sealed");
    backup->secrets_left_out = !sealed || sealed->type != JSON_OBJECT;
    int error = read_entries(backup, document, "files", false, why);
    if (!error)
        error = read_entries(backup, document, "profiles", true, why);
    if (error || backup->secrets_left_out)
        return error;
    if (!passphrase)
        return refuse(why, ERR_DENIED, "its secrets are sealed: give its passphrase");
    return read_sealed(backup, sealed, passphrase, why);
}

static void wipe(struct backup_file *file)
{
    if (file->data)
        explicit_bzero(file->data, file->size);
    free(file->data);
}

void backup_close(struct backup *backup)
{
    for (size_t i = 0; i < backup->count; i++)
        wipe(&backup->files[i]);
    wipe(&backup->accounts);
    free(backup->files);
    arena_close(backup->arena);
}
