/* What leaves the gateway as a document: a backup, or a template with what it needs. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/error.h"
#include "core/save.h"
#include "tls/seal.h"
#include "web/backup_inside.h"
#include "web/export_api.h"
#include "web/files_api.h"
#include "web/files_use.h"
#include "web/password.h"
#include "web/profiles_use.h"

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

struct writing {
    struct json_writer *writer;
    const struct backup_place *place;
    const struct files_use *use;
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
        writing->error = backup_refuse(writing->why, error, "%s cannot be taken along: %s", name,
                                       error_text(error));
        return;
    }
    writing->bytes += size;
    if (writing->bytes > BACKUP_BYTES_MAX)
        writing->error =
            backup_refuse(writing->why, ERR_TOO_LARGE,
                          "the files are larger than 8 MiB together, and no more is taken along: "
                          "remove those that nothing uses");
    json_write_open(writing->writer, NULL, '{');
    json_write_text(writing->writer, "name", name);
    write_base64(writing->writer, "data", data, size);
    json_write_close(writing->writer, '}');
    explicit_bzero(data, size);
    free(data);
}

/* One that cannot be read is told when it is to be written. */
static bool is_secret(const struct writing *writing, const char *name)
{
    char path[PATH_MAX], *data;
    size_t size;

    files_path(writing->place->config_path, name, path, sizeof path);
    if (save_read(path, FILES_SIZE_MAX, &data, &size))
        return files_is_secret(name);
    bool secret = files_use_secret(writing->use, writing->place->parts, name, data, size);
    explicit_bzero(data, size);
    free(data);
    return secret;
}

static void write_file(void *context, const char *name)
{
    struct writing *writing = context;
    char path[PATH_MAX];

    if (is_secret(writing, name) != writing->secrets)
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
        writing->error =
            backup_refuse(writing->why, ERR_FULL,
                          "there are %d files beside the configuration, and a backup holds "
                          "%d: remove those that nothing uses",
                          found, FILES_MAX);
    else if (found < 0)
        writing->error = backup_refuse(writing->why, found, "%s", error_text(found));
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
        writing->error = backup_refuse(writing->why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
        return writing->error;
    }
    json_read(&root, arena, config, strlen(config), NULL, NULL);
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
        return backup_refuse(writing->why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
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
        writing->error = backup_refuse(writing->why, error,
                                       "the accounts cannot be taken along: %s", error_text(error));
    }
    json_write_close(&writer, '}');
    if (fclose(writer.out) != 0 && !writing->error)
        writing->error = backup_refuse(writing->why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
    return writing->error;
}

static int write_sealed(struct json_writer *writer, const char *config, const char *passphrase,
                        const char *plain, size_t size)
{
    uint8_t salt[PASSWORD_SALT_SIZE], nonce[SEAL_NONCE_SIZE], key[PASSWORD_KEY_SIZE],
        label[BACKUP_LABEL_SIZE];
    uint8_t *sealed = malloc(size + SEAL_TAG_SIZE);
    int error = sealed && backup_label(config, label) ? 0 : ERR_NOMEM;

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

static void write_left_out(const struct writing *writing)
{
    json_write_open(writing->writer, "left_out", '[');
    files_use_each(writing->use, write_one_left_out, writing->writer);
    json_write_close(writing->writer, ']');
}

/* What is beside the configuration: in the open, and sealed. */
static int write_beside(struct writing *writing, const char *config, const char *passphrase)
{
    struct json_writer *writer = writing->writer;
    char *secrets = NULL;
    size_t size = 0;

    write_files(writing);
    write_left_out(writing);
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
            backup_refuse(writing->why, error, "%s", error_text(error));
    }
    if (secrets)
        explicit_bzero(secrets, size);
    free(secrets);
    return error;
}

static void write_head(struct json_writer *writer, const char *kind, int64_t now_ms)
{
    json_write_text(writer, "kind", kind);
    json_write_integer(writer, "schema", BACKUP_SCHEMA);
    json_write_text(writer, "version", SLUICE_VERSION);
    json_write_integer(writer, "made", now_ms);
}

int backup_write(struct json_writer *writer, const struct backup_place *place,
                 const char *gateway_id, const char *passphrase, int64_t now_ms,
                 char why[BACKUP_WHY_SIZE])
{
    struct writing writing = {.writer = writer, .place = place, .why = why};
    char *config;
    int error = backup_config(place, &config);

    if (error)
        return backup_refuse(why, error, "the configuration cannot be read");
    struct files_use *use = files_use_open_text(place->config_path, config);
    writing.use = use;
    write_head(writer, BACKUP_KIND, now_ms);
    json_write_text(writer, "gateway", gateway_id);
    json_write_text(writer, "config", config);
    error = write_beside(&writing, config, passphrase);
    files_use_close(use);
    free(config);
    return error;
}

/* --- a template --- */

static const char *name_of(const struct json *value)
{
    const char *slash = strrchr(value->text, '/');

    return slash ? slash + 1 : value->text;
}

/* Whether another gateway needs the same file: not where it is a secret, belongs to one (the
 * certificate of a key), or is named by what this gateway alone is. */
static bool is_common(const struct writing *writing, const struct json *value, bool kept)
{
    return kept && !strstr(value->text, "${") && !(value->key && strcmp(value->key, "cert") == 0) &&
           !is_secret(writing, name_of(value));
}

static void write_common(void *context, const struct json *value, bool kept)
{
    struct writing *writing = context;

    if (!export_own(value) && is_common(writing, value, kept))
        write_file(writing, name_of(value));
}

static void write_own(void *context, const struct json *value, bool kept)
{
    const struct writing *writing = context;

    if (!export_own(value) && !is_common(writing, value, kept))
        json_write_text(writing->writer, NULL, value->text);
}

int backup_write_template(struct json_writer *writer, const struct backup_place *place,
                          const char *template, int64_t now_ms, char why[BACKUP_WHY_SIZE])
{
    struct files_use *use = files_use_open(place->config_path);
    struct writing writing = {.writer = writer, .place = place, .use = use, .why = why};

    write_head(writer, TEMPLATE_KIND, now_ms);
    json_write_text(writer, "config", template);
    json_write_open(writer, "files", '[');
    files_use_each(use, write_common, &writing);
    json_write_close(writer, ']');
    json_write_open(writer, "left_out", '[');
    files_use_each(use, write_own, &writing);
    json_write_close(writer, ']');
    files_use_close(use);
    return writing.error ? writing.error : write_profiles(&writing, template);
}
