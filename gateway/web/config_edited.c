#include "web/config_edited.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/json.h"
#include "config/lines.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/save.h"
#include "web/answer.h"
#include "web/audit.h"
#include "web/later.h"
#include "web/reply.h"

static void kept_path(const struct config_keeper *keeper, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%.*s.edited", PATH_MAX - 16, keeper->path);
}

/* What makes one text of the other. */
static void write_lines(struct json_writer *writer, const char *old, const char *new)
{
    char *lines = NULL;
    size_t size;
    FILE *out = open_memstream(&lines, &size);

    if (out) {
        lines_compare(old, new, out);
        fclose(out);
    }
    json_write_text(writer, "lines", lines ? lines : "");
    free(lines);
}

/* The text that was applied last, and its revision; NULL where the history does not have it. */
static char *text_in_force(const struct config_keeper *keeper, char revision[HISTORY_REVISION_SIZE])
{
    struct history_entry *entries;
    size_t count, at = 0, size;
    char *text = NULL;

    if (history_list(keeper->history, &entries, &count))
        return NULL;
    while (at < count && entries[at].state == HISTORY_REVERTED)
        at++;
    if (at < count && history_text(keeper->history, entries[at].change, &text, &size) == 0)
        memcpy(revision, entries[at].revision, HISTORY_REVISION_SIZE);
    free(entries);
    return text;
}

/* The file where it is another than what was applied last; null where it is not. */
static void write_waiting(const struct config_keeper *keeper, struct json_writer *writer,
                          const char *text, size_t size)
{
    char applied[HISTORY_REVISION_SIZE] = "", revision[HISTORY_REVISION_SIZE];
    char *in_force = text_in_force(keeper, applied);

    history_revision(text, size, revision);
    if (in_force && strcmp(revision, applied) != 0) {
        json_write_open(writer, "waiting", '{');
        write_lines(writer, in_force, text);
        json_write_close(writer, '}');
    } else {
        json_write_raw(writer, "waiting", "null");
    }
    free(in_force);
}

/* What lies beside the file; null where nothing does. */
static void write_kept(const struct config_keeper *keeper, struct json_writer *writer,
                       const char *now)
{
    char path[PATH_MAX], *text = NULL;
    struct stat status;
    size_t size;

    kept_path(keeper, path);
    if (stat(path, &status) != 0 || save_read(path, JSON_SIZE_MAX, &text, &size) != 0) {
        json_write_raw(writer, "kept", "null");
        return;
    }
    json_write_open(writer, "kept", '{');
    json_write_text(writer, "path", path);
    json_write_integer(writer, "at",
                       (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / NS_PER_MS);
    write_lines(writer, now, text);
    json_write_close(writer, '}');
    free(text);
}

static void get_edited(void *context, const struct route_request *request, struct http_reply *reply)
{
    const struct config_keeper *keeper = context;
    struct answer answer;
    char *text = NULL;
    size_t size = 0;
    int error = save_read(keeper->path, JSON_SIZE_MAX, &text, &size);

    (void)request;
    if (error && error != ERR_NOT_FOUND) {
        reply_failure(reply, error);
        return;
    }
    if (answer_begin(&answer, reply)) {
        if (text)
            write_waiting(keeper, &answer.writer, text, size);
        else
            json_write_raw(&answer.writer, "waiting", "null");
        write_kept(keeper, &answer.writer, text ? text : "");
        answer_end(&answer, reply, 200);
    }
    free(text);
}

static void delete_edited(void *context, const struct route_request *request,
                          struct http_reply *reply)
{
    const struct config_keeper *keeper = context;
    char path[PATH_MAX], sentence[PATH_MAX + 128];
    struct stat status;

    kept_path(keeper, path);
    if (stat(path, &status) != 0) {
        reply_error(reply, 404, "no edit is kept beside the configuration");
        return;
    }
    int error = save_remove(path);
    if (error) {
        snprintf(sentence, sizeof sentence, "%.*s cannot be removed: %s", PATH_MAX - 1, path,
                 error_text(error));
        reply_error(reply, 409, sentence);
        return;
    }
    audit_note(keeper->journal, request->caller, "config-edit-removed", "");
    reply->status = 204;
}

LATER_ROUTE(get_edited)
LATER_ROUTE(delete_edited)

struct routes config_edited_routes(const struct config_keeper *keeper)
{
    static const struct route rows[] = {
        {"GET", "/api/v1/config/edited", ROLE_OWNER, get_edited_later, 0},
        {"DELETE", "/api/v1/config/edited", ROLE_OWNER, delete_edited_later, 0},
    };

    return (struct routes){rows, sizeof rows / sizeof *rows, (void *)(uintptr_t)keeper};
}
