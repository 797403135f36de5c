#include "web/profiles_api.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "config/catalog.h"
#include "core/error.h"
#include "core/heir.h"
#include "core/save.h"
#include "core/words.h"
#include "web/answer.h"
#include "web/audit.h"
#include "web/later.h"
#include "web/reply.h"

#define NAME_SIZE_MAX    64
#define PROFILE_SIZE_MAX (64 * 1024)
#define SENTENCE_SIZE    512

/* The first mistake is told; whoever writes a whole profile by hand has `sluice profile check`. */
static void keep_first(void *context, const struct config_error *error)
{
    char *sentence = context;

    if (!*sentence)
        snprintf(sentence, SENTENCE_SIZE, "%.80s%s%.400s", error->key, *error->key ? ": " : "",
                 error->sentence);
}

static void say_nothing(void *context, const struct config_error *error)
{
    (void)context;
    (void)error;
}

static bool is_name(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

    return size > 0 && size <= NAME_SIZE_MAX && name[size] == '\0';
}

/* One that is in use is not changed under the devices that use it. 1, 0 or an error. */
static int is_taken(const struct config_parts *parts, const char *name)
{
    struct catalog *catalog;
    const char *nearest;
    int error = catalog_open(&catalog, parts, say_nothing, NULL);

    if (error)
        return error;
    bool taken = catalog_find(catalog, name, &nearest) != NULL;
    catalog_close(catalog);
    return taken;
}

static void refuse_folder(struct http_reply *reply, const char *folder, int error)
{
    char sentence[PATH_MAX + SENTENCE_SIZE];

    snprintf(sentence, sizeof sentence, "%s cannot be written: %s", folder ? folder : "/etc/sluice",
             error_text(error));
    reply_refusal(reply, 409, sentence,
                  "let the daemon's user write there, or put the file there by hand");
}

/* 0 with the file in its place, or an error with the reply filled in. */
static int store(const struct profiles_given *given, const struct http_request *http,
                 const char *path, const char *folder, struct http_reply *reply)
{
    char sentence[SENTENCE_SIZE] = "";
    int error = heir_mkdir(folder, 0755);

    if (!error)
        error = save_file(path, http->body, http->size, 0644);
    if (error) {
        refuse_folder(reply, folder, error);
        return error;
    }
    /* Nobody uses a profile of that name yet, so that it may stand there while it is looked at. */
    error = catalog_check(path, given->parts, keep_first, sentence);
    if (error) {
        save_remove(path);
        reply_error(reply, 400, *sentence ? sentence : error_text(error));
    }
    return error;
}

static void put_profile(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    const struct profiles_given *given = context;
    const char *name = request->names[0], *folder = catalog_own_folder(given->parts);
    char path[PATH_MAX], words[NAME_SIZE_MAX + 16];
    struct answer answer;
    struct text text;

    if (!is_name(name)) {
        reply_error(reply, 400, "a profile's name has small letters, digits, - and _, at most 64");
        return;
    }
    int taken = is_taken(given->parts, name);
    if (taken < 0) {
        reply_failure(reply, taken);
        return;
    }
    if (taken) {
        reply_refusal(reply, 409, "there is a profile of that name already", "choose another name");
        return;
    }
    if (!folder) {
        refuse_folder(reply, NULL, ERR_NOT_FOUND);
        return;
    }
    snprintf(path, sizeof path, "%.3900s/%.64s.json", folder, name);
    if (store(given, request->http, path, folder, reply))
        return;
    text_init(&text, words, sizeof words);
    words_put(&text, "name", name);
    audit_note(given->journal, request->caller, "profile-made", words);
    if (!answer_begin(&answer, reply))
        return;
    json_write_text(&answer.writer, "name", name);
    json_write_text(&answer.writer, "path", path);
    answer_end(&answer, reply, 201);
}

LATER_ROUTE(put_profile)

struct routes profiles_routes(struct profiles_given *given)
{
    static const struct route rows[] = {
        {"PUT", "/api/v1/profiles/{profile}", ROLE_OWNER, put_profile_later, PROFILE_SIZE_MAX},
    };

    return (struct routes){rows, sizeof rows / sizeof *rows, given};
}
