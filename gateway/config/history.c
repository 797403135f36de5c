#include "config/history.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/fingerprint.h"
#include "config/json.h"
#include "config/json_write.h"
#include "config/utf8.h"
#include "core/error.h"
#include "core/heir.h"
#include "core/save.h"

#define ENTRY_SIZE_MAX (16 * 1024)
#define FILES_MAX      4096 /* that are looked at */

static const char *const state_names[] = {"confirmed", "pending", "reverted"};

void history_revision(const char *text, size_t size, char out[HISTORY_REVISION_SIZE])
{
    uint64_t hash = FINGERPRINT_BEGIN;

    fingerprint_bytes(&hash, text, size);
    snprintf(out, HISTORY_REVISION_SIZE, "%016" PRIx64, hash);
}

const char *history_state_name(enum history_state state)
{
    return state_names[state];
}

static void path_of(const char *folder, uint64_t change, const char *kind, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%.*s/%08" PRIu64 ".%s", PATH_MAX - 40, folder, change, kind);
}

static char *entry_text(const struct history_entry *entry, size_t *size)
{
    char *made = NULL;
    struct json_writer writer = {.out = open_memstream(&made, size)};

    if (!writer.out)
        return NULL;
    json_write_open(&writer, NULL, '{');
    json_write_integer(&writer, "schema", 1);
    json_write_integer(&writer, "change", (int64_t)entry->change);
    json_write_integer(&writer, "at", entry->at_ms);
    json_write_text(&writer, "by", entry->by);
    json_write_text(&writer, "origin", entry->origin);
    json_write_text(&writer, "comment", entry->comment);
    json_write_text(&writer, "words", entry->words);
    json_write_text(&writer, "why", entry->why);
    json_write_text(&writer, "state", history_state_name(entry->state));
    json_write_text(&writer, "revision", entry->revision);
    json_write_close(&writer, '}');
    if (fclose(writer.out) == 0)
        return made;
    free(made);
    return NULL;
}

/* "00000012.json" to 12; 0 for any other name. */
static uint64_t change_of(const char *name)
{
    char *end;

    if (*name < '0' || *name > '9')
        return 0;
    errno = 0;
    uint64_t change = strtoull(name, &end, 10);
    return errno == 0 && strcmp(end, ".json") == 0 ? change : 0;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;

    return one > two ? -1 : one < two;
}

/* The numbers of the changes in the folder; *changes is the caller's to free. */
static int list_changes(const char *folder, uint64_t **changes, size_t *count)
{
    DIR *directory = opendir(folder);
    struct dirent *file;

    *count = 0;
    *changes = calloc(FILES_MAX, sizeof **changes);
    while (*changes && directory && *count < FILES_MAX && (file = readdir(directory))) {
        uint64_t change = change_of(file->d_name);
        if (change != 0)
            (*changes)[(*count)++] = change;
    }
    if (directory)
        closedir(directory);
    if (!*changes)
        return ERR_NOMEM;
    qsort(*changes, *count, sizeof **changes, newest_first);
    return 0;
}

static int64_t size_of(const char *folder, uint64_t change)
{
    char path[PATH_MAX];
    struct stat status;

    path_of(folder, change, "txt", path);
    return stat(path, &status) == 0 ? status.st_size : 0;
}

static void let_go(const char *folder)
{
    uint64_t *changes;
    size_t count;
    int64_t bytes = 0;

    if (list_changes(folder, &changes, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];

        bytes += size_of(folder, changes[i]);
        /* Two stay whatever their size: one that runs and one to go back to. */
        if (i < 2 || (i < HISTORY_MAX && bytes <= HISTORY_BYTES_MAX))
            continue;
        path_of(folder, changes[i], "json", path);
        unlink(path);
        path_of(folder, changes[i], "txt", path);
        unlink(path);
    }
    free(changes);
}

int history_put(const char *folder, const struct history_entry *entry, const char *text)
{
    char path[PATH_MAX];
    size_t size;
    int error = heir_mkdir(folder, 0700);

    if (error)
        return error;
    char *made = entry_text(entry, &size);
    if (!made)
        return ERR_NOMEM;
    /* The text first: an entry without one is none. */
    if (text) {
        path_of(folder, entry->change, "txt", path);
        error = save_file(path, text, strlen(text), 0600);
    }
    path_of(folder, entry->change, "json", path);
    if (!error)
        error = save_file(path, made, size, 0600);
    free(made);
    if (!error && text)
        let_go(folder);
    return error;
}

static void take_text(const struct json *root, const char *key, char *out, size_t size)
{
    const struct json *value = json_find(root, key);

    snprintf(out, size, "%s", value && value->type == JSON_STRING ? value->text : "");
    utf8_cut(out);
}

static bool take_entry(struct history_entry *entry, const struct json *root)
{
    const struct json *at = json_find(root, "at");
    char state[16];

    if (!at || !json_integer(at, &entry->at_ms))
        return false;
    take_text(root, "by", entry->by, sizeof entry->by);
    take_text(root, "origin", entry->origin, sizeof entry->origin);
    take_text(root, "comment", entry->comment, sizeof entry->comment);
    take_text(root, "words", entry->words, sizeof entry->words);
    take_text(root, "why", entry->why, sizeof entry->why);
    take_text(root, "revision", entry->revision, sizeof entry->revision);
    take_text(root, "state", state, sizeof state);
    for (unsigned i = 0; i < sizeof state_names / sizeof *state_names; i++)
        if (strcmp(state, state_names[i]) == 0)
            entry->state = (enum history_state)i;
    return true;
}

/* False for a file that is none of ours or damaged: it is passed over. */
static bool read_entry(const char *folder, uint64_t change, struct history_entry *entry)
{
    char path[PATH_MAX], *text;
    size_t size;
    struct arena *arena;
    struct json *root;
    bool taken = false;

    memset(entry, 0, sizeof *entry);
    entry->change = change;
    path_of(folder, change, "json", path);
    if (save_read(path, ENTRY_SIZE_MAX, &text, &size))
        return false;
    if (arena_open(&arena) == 0) {
        if (json_read(&root, arena, text, size, NULL, NULL) == 0)
            taken = take_entry(entry, root);
        arena_close(arena);
    }
    free(text);
    return taken;
}

int history_list(const char *folder, struct history_entry **entries, size_t *count)
{
    uint64_t *changes;
    size_t listed;

    *entries = NULL;
    *count = 0;
    int error = list_changes(folder, &changes, &listed);
    if (!error) {
        listed = listed < HISTORY_MAX ? listed : HISTORY_MAX;
        *entries = calloc(listed + 1, sizeof **entries);
        error = *entries ? 0 : ERR_NOMEM;
    }
    for (size_t i = 0; !error && i < listed; i++)
        *count += read_entry(folder, changes[i], &(*entries)[*count]);
    free(changes);
    return error;
}

int history_text(const char *folder, uint64_t change, char **text, size_t *size)
{
    char path[PATH_MAX];

    path_of(folder, change, "txt", path);
    return save_read(path, JSON_SIZE_MAX, text, size);
}
