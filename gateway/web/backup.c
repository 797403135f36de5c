#include "web/backup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/catalog.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/save.h"
#include "tls/seal.h"
#include "web/backup_inside.h"
#include "web/files_api.h"
#include "web/password.h"

int backup_refuse(char why[BACKUP_WHY_SIZE], int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, BACKUP_WHY_SIZE, format, arguments);
    va_end(arguments);
    return error;
}

bool backup_label(const char *config, uint8_t label[BACKUP_LABEL_SIZE])
{
    memcpy(label, BACKUP_LABEL, sizeof BACKUP_LABEL - 1);
    return digest_make(config, strlen(config), label + sizeof BACKUP_LABEL - 1);
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
        return backup_refuse(why, ERR_INVALID, "a file in it has a name that no file may have");
    if (count == max)
        return backup_refuse(why, ERR_INVALID, "it holds more than %zu files", max);
    *file = (struct backup_file){.name = name, .profile = profile};
    file->data = data_of(entry, "data", &file->size);
    if (!file->data)
        return backup_refuse(why, ERR_INVALID, "a file in it is damaged");
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

static int read_secrets(struct backup *backup, const struct json *root, char why[BACKUP_WHY_SIZE])
{
    size_t first = backup->count;
    int error = read_entries(backup, root, "files", false, why);

    for (size_t i = first; i < backup->count; i++)
        backup->files[i].secret = true;
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
    uint8_t key[PASSWORD_KEY_SIZE], label[BACKUP_LABEL_SIZE];
    char *plain = malloc(data_size + 1);

    *error = salt && nonce && data && salt_size == PASSWORD_SALT_SIZE &&
                     nonce_size == SEAL_NONCE_SIZE && data_size >= SEAL_TAG_SIZE
                 ? 0
                 : ERR_INVALID;
    if (!*error && (!plain || !backup_label(config, label)))
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
        return backup_refuse(why, error, "%s",
                             error == ERR_DENIED
                                 ? "the passphrase is another one, or the backup was "
                                   "changed since it was made"
                                 : "the sealed part is damaged");
    error = arena_open(&backup->arena);
    if (!error)
        error = json_read(&root, backup->arena, plain, size, NULL, NULL);
    explicit_bzero(plain, size);
    free(plain);
    if (error)
        return backup_refuse(why, error, "%s", error_text(error));
    backup->accounts.data = data_of(root, "accounts", &backup->accounts.size);
    return read_secrets(backup, root, why);
}

static bool is_of(const struct json *document, const char *kind)
{
    size_t size;
    const char *own = text_of(document, "kind", &size);

    return own && strcmp(own, kind) == 0;
}

/* What is in the open in a document of either kind. */
static int read_open(struct backup *backup, const struct json *document, bool right_kind,
                     const char *other_kind, char why[BACKUP_WHY_SIZE])
{
    const struct json *number = json_find(document, "schema");
    int64_t schema = 0;
    size_t size;

    memset(backup, 0, sizeof *backup);
    backup->files = calloc(FILES_MAX + BACKUP_PROFILES_MAX, sizeof *backup->files);
    if (!backup->files)
        return backup_refuse(why, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
    if (!right_kind || !number || !json_integer(number, &schema))
        return backup_refuse(why, ERR_INVALID, "%s", other_kind);
    if (schema != BACKUP_SCHEMA)
        return backup_refuse(why, ERR_VERSION,
                             "it was made by a newer version of Sluice; update this one");
    backup->config = text_of(document, "config", &size);
    if (!backup->config)
        return backup_refuse(why, ERR_INVALID, "it holds no configuration");
    backup->secrets_left_out = true;
    int error = read_entries(backup, document, "files", false, why);
    return error ? error : read_entries(backup, document, "profiles", true, why);
}

int backup_read_template(struct backup *backup, const struct json *document,
                         char why[BACKUP_WHY_SIZE])
{
    return read_open(backup, document, is_of(document, TEMPLATE_KIND),
                     "it is no template of a Sluice gateway", why);
}

int backup_read(struct backup *backup, const struct json *document, const char *passphrase,
                char why[BACKUP_WHY_SIZE])
{
    const struct json *sealed = json_find(document, "sealed");
    int error = read_open(backup, document, is_of(document, BACKUP_KIND),
                          "it is no backup of a Sluice gateway", why);

    backup->displays = json_find(document, "displays");
    backup->secrets_left_out = !sealed || sealed->type != JSON_OBJECT;
    if (error || backup->secrets_left_out)
        return error;
    if (!passphrase)
        return backup_refuse(why, ERR_DENIED, "its secrets are sealed: give its passphrase");
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
