#include "daemon/change_note.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/json.h"
#include "config/json_write.h"
#include "core/error.h"
#include "core/save.h"

#define NOTE_SIZE_MAX 4096

static void beside(const char *path, const char *ending, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%.*s.%s", PATH_MAX - 16, path, ending);
}

static char *note_text(const struct change_note *note, size_t *size)
{
    char *made = NULL;
    struct json_writer writer = {.out = open_memstream(&made, size)};

    if (!writer.out)
        return NULL;
    json_write_open(&writer, NULL, '{');
    json_write_text(&writer, "what",
                    "a change of the configuration that nobody has confirmed yet; when sluiced "
                    "starts and finds this, it puts the file before it back");
    json_write_integer(&writer, "change", (int64_t)note->change);
    json_write_integer(&writer, "until", note->until_ms);
    json_write_text(&writer, "by", note->by);
    json_write_text(&writer, "origin", note->origin);
    json_write_text(&writer, "before", note->before);
    json_write_text(&writer, "after", note->after);
    json_write_close(&writer, '}');
    if (fclose(writer.out) == 0)
        return made;
    free(made);
    return NULL;
}

mode_t change_note_mode(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? status.st_mode & 0777 : 0640;
}

int change_note_put(const char *path, const struct change_note *note, const char *text, size_t size)
{
    char before[PATH_MAX], pending[PATH_MAX];
    size_t made_size;
    char *made = note_text(note, &made_size);
    int error = made ? 0 : ERR_NOMEM;

    beside(path, "before", before);
    beside(path, "pending", pending);
    if (!error && text)
        error = save_file(before, text, size, change_note_mode(path));
    if (!error)
        error = save_file(pending, made, made_size, 0640);
    free(made);
    return error;
}

static bool take(const struct json *root, const char *key, char *out, size_t size)
{
    const struct json *value = json_find(root, key);

    if (!value || value->type != JSON_STRING || value->size >= size)
        return false;
    memcpy(out, value->text, value->size + 1);
    return true;
}

static int parse(const char *text, size_t size, struct change_note *note)
{
    struct arena *arena;
    struct json *root;
    int64_t change = 0;

    if (arena_open(&arena))
        return ERR_NOMEM;
    bool fine = json_read(&root, arena, text, size, NULL, NULL) == 0;
    const struct json *number = fine ? json_find(root, "change") : NULL;
    const struct json *until = fine ? json_find(root, "until") : NULL;
    fine = number && json_integer(number, &change) && change > 0 && until &&
           json_integer(until, &note->until_ms) && take(root, "by", note->by, sizeof note->by) &&
           take(root, "origin", note->origin, sizeof note->origin) &&
           take(root, "before", note->before, sizeof note->before) &&
           take(root, "after", note->after, sizeof note->after);
    note->change = (uint64_t)change;
    arena_close(arena);
    return fine ? 0 : ERR_CORRUPT;
}

int change_note_read(const char *path, struct change_note *note)
{
    char pending[PATH_MAX], *text;
    size_t size;

    memset(note, 0, sizeof *note);
    beside(path, "pending", pending);
    int error = save_read(pending, NOTE_SIZE_MAX, &text, &size);
    if (error)
        return error;
    error = parse(text, size, note);
    free(text);
    return error;
}

/* Whether the text is there already, by an attempt that failed at its last step. */
static bool is_undone(const char *path, const struct change_note *note)
{
    char revision[HISTORY_REVISION_SIZE] = "", *text;
    size_t size;

    if (save_read(path, JSON_SIZE_MAX, &text, &size))
        return false;
    history_revision(text, size, revision);
    free(text);
    return strcmp(revision, note->before) == 0;
}

int change_note_undo(const char *path, const struct change_note *note)
{
    char before[PATH_MAX], revision[HISTORY_REVISION_SIZE], *text;
    size_t size;

    if (strcmp(note->before, HISTORY_NO_REVISION) == 0)
        return save_remove(path);
    if (is_undone(path, note))
        return 0;
    beside(path, "before", before);
    int error = save_read(before, JSON_SIZE_MAX, &text, &size);
    if (error)
        return error;
    history_revision(text, size, revision);
    error = strcmp(revision, note->before) == 0 ? save_move(before, path) : ERR_CORRUPT;
    /* The file is a link into another filesystem. */
    if (error && error != ERR_CORRUPT)
        error = save_over(path, text, size, 0640);
    free(text);
    return error;
}

int change_note_hold(const char *path)
{
    char pending[PATH_MAX];

    beside(path, "pending", pending);
    int fd = open(pending, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_from_errno(errno);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int error = errno == EWOULDBLOCK ? ERR_BUSY : error_from_errno(errno);
    close(fd);
    return error;
}

int change_note_drop(const char *path)
{
    char before[PATH_MAX], pending[PATH_MAX];

    beside(path, "before", before);
    beside(path, "pending", pending);
    int error = save_remove(pending);
    /* Without its note the text means nothing; the next change writes it anew. */
    if (!error)
        (void)save_remove(before);
    return error;
}
