#include "web/placed.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/catalog.h"
#include "core/error.h"
#include "core/heir.h"
#include "core/log.h"
#include "core/save.h"
#include "core/shelf.h"
#include "web/files_api.h"
#include "web/files_use.h"
#include "web/profiles_use.h"
#include "web/reply.h"

struct entry {
    const struct backup_file *file;
    char *path;  /* where it belongs; NULL: it has no place here */
    char *there; /* what counts now; NULL: nothing. Of a profile also a shipped one of its name */
    bool secret, written;
    char *before; /* what an undo puts back; NULL: nothing was there */
    size_t before_size;
};

struct placed {
    const struct backup_place *place;
    size_t count;
    struct entry entries[];
};

static int find_places(struct entry *entry, const struct backup_place *place)
{
    const char *name = entry->file->name, *folder = catalog_own_folder(place->parts);
    char path[PATH_MAX], there[PATH_MAX];
    bool own = true, has_place;

    if (!entry->file->profile) {
        files_path(place->config_path, name, path, sizeof path);
        snprintf(there, sizeof there, "%s", path);
    } else {
        if (catalog_file(place->parts, name, there, &own))
            *there = '\0';
        if (*there && own)
            snprintf(path, sizeof path, "%s", there);
        else
            snprintf(path, sizeof path, "%.3800s/%.255s.json", folder ? folder : "", name);
    }
    has_place = !entry->file->profile || folder;
    entry->path = has_place ? strdup(path) : NULL;
    entry->there = *there ? strdup(there) : NULL;
    return (entry->path || !has_place) && (entry->there || !*there) ? 0 : ERR_NOMEM;
}

int placed_open(struct placed **out, const struct backup_place *place, const struct backup *backup)
{
    struct placed *placed = calloc(1, sizeof *placed + backup->count * sizeof *placed->entries);
    int error = placed ? 0 : ERR_NOMEM;

    *out = placed;
    if (!placed)
        return error;
    struct files_use *use = files_use_open_text(place->config_path, backup->config);
    placed->place = place;
    placed->count = backup->count;
    for (size_t i = 0; i < placed->count && !error; i++) {
        const struct backup_file *file = &backup->files[i];
        struct entry *entry = &placed->entries[i];

        entry->file = file;
        entry->secret = file->secret ||
                        (!file->profile &&
                         files_use_secret(use, place->parts, file->name, file->data, file->size));
        error = find_places(entry, place);
    }
    files_use_close(use);
    return error;
}

void placed_close(struct placed *placed)
{
    for (size_t i = 0; placed && i < placed->count; i++) {
        struct entry *entry = &placed->entries[i];

        if (entry->before)
            explicit_bzero(entry->before, entry->before_size);
        free(entry->before);
        free(entry->path);
        free(entry->there);
    }
    free(placed);
}

enum there { THERE_NOTHING, THERE_THE_SAME, THERE_ANOTHER };

static enum there look(const struct entry *entry)
{
    enum there there = THERE_ANOTHER;
    char *data;
    size_t size;
    int error =
        entry->there ? shelf_read(entry->there, BACKUP_BYTES_MAX, &data, &size) : ERR_NOT_FOUND;

    if (error)
        return error == ERR_NOT_FOUND ? THERE_NOTHING : THERE_ANOTHER;
    if (size == entry->file->size && memcmp(data, entry->file->data, size) == 0)
        there = THERE_THE_SAME;
    explicit_bzero(data, size);
    free(data);
    return there;
}

static void find_user(const struct placed *placed, const struct backup_file *file,
                      char user[FILES_USER_SIZE])
{
    const char *config = placed->place->config_path;

    if (file->profile)
        profiles_user(config, file->name, user);
    else
        files_user(config, file->name, user);
}

bool placed_refuse_used(const struct placed *placed, struct http_reply *reply)
{
    char user[FILES_USER_SIZE], name[NAME_MAX + 8], sentence[640];

    for (size_t i = 0; i < placed->count; i++) {
        const struct backup_file *file = placed->entries[i].file;

        if (look(&placed->entries[i]) != THERE_ANOTHER)
            continue;
        find_user(placed, file, user);
        if (!*user)
            continue;
        snprintf(name, sizeof name, "%.255s%s", file->name, file->profile ? ".json" : "");
        snprintf(
            sentence, sizeof sentence,
            "%s is in use by %s and is another than the one to be restored; nothing is restored. "
            "Have the configuration name a copy of it under another name, or none, and "
            "restore again",
            name, user);
        reply_error(reply, 409, sentence);
        return true;
    }
    return false;
}

static mode_t mode_of(const struct entry *entry)
{
    return entry->secret ? 0600 : 0644;
}

static int make_folder_of(const char *path)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", path);
    return heir_mkdir(dirname(folder), 0755);
}

static int write_entry(struct entry *entry)
{
    const struct backup_file *file = entry->file;

    if (look(entry) == THERE_THE_SAME)
        return 0;
    if (!entry->path)
        return ERR_UNSUPPORTED;
    int error = save_read(entry->path, BACKUP_BYTES_MAX, &entry->before, &entry->before_size);
    if (error && error != ERR_NOT_FOUND)
        return error;
    error = file->profile ? make_folder_of(entry->path) : 0;
    if (error)
        return error;
    entry->written = true;
    return save_file(entry->path, file->data, file->size, mode_of(entry));
}

int placed_write(struct placed *placed, struct http_reply *reply)
{
    char sentence[PATH_MAX + BACKUP_WHY_SIZE];
    int error = 0;

    for (size_t i = 0; i < placed->count && !error; i++) {
        const char *path = placed->entries[i].path;

        error = write_entry(&placed->entries[i]);
        if (error && path) {
            snprintf(sentence, sizeof sentence, "%s cannot be written: %s", path,
                     error_text(error));
            reply_error(reply, 409, sentence);
        } else if (error) {
            reply_error(reply, 409, "there is no folder for profiles of your own");
        }
    }
    return error;
}

void placed_undo(const struct placed *placed)
{
    /* The last one first: a name may stand in a backup twice. */
    for (size_t i = placed->count; i-- > 0;) {
        const struct entry *entry = &placed->entries[i];

        if (!entry->written)
            continue;
        int error = entry->before
                        ? save_file(entry->path, entry->before, entry->before_size, mode_of(entry))
                        : save_remove(entry->path);
        if (error)
            log_error("web", "%s is that of a backup that was refused, and cannot be put back: %s",
                      entry->path, error_text(error));
    }
}
