#include "daemon/naming.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/config.h"
#include "config/edit.h"
#include "core/error.h"
#include "core/save.h"
#include "core/text.h"
#include "daemon/gateway.h"

#define EDITS_SIZE      1024
#define APPLIED_AFTER_S 1

struct words {
    char *sentence;
    size_t size;
};

static void tell(void *context, const struct config_error *error)
{
    struct words *words = context;

    if (!words->sentence[0])
        snprintf(words->sentence, words->size, "%s: %s", error->key ? error->key : "",
                 error->sentence);
}

static void ignore(void *context, struct json_place at, const char *sentence)
{
    (void)context;
    (void)at;
    (void)sentence;
}

static void put_edit(struct text *text, const char *key, const char *value)
{
    if (!value)
        return;
    text_printf(text, "%s{\"at\":[\"gateway\",\"%s\"],\"set\":", text->size > 1 ? "," : "", key);
    text_json_string(text, value, strlen(value));
    text_string(text, "}");
}

/* The file's text with the edits made. */
static int edit(const char *old, size_t old_size, const char *id, const char *name, char **made,
                size_t *made_size, struct words *words)
{
    char edits[EDITS_SIZE], why[EDIT_WHY_SIZE] = "";
    struct arena *arena;
    struct json *root;
    struct text text;

    text_init(&text, edits, sizeof edits);
    text_string(&text, "[");
    put_edit(&text, "id", id);
    put_edit(&text, "name", name);
    text_string(&text, "]");
    if (text.cut || arena_open(&arena))
        return text.cut ? ERR_TOO_LARGE : ERR_NOMEM;
    int error = json_read(&root, arena, edits, text.size, ignore, NULL);
    if (!error)
        error = edit_text(root, old, old_size, made, made_size, why);
    if (error)
        snprintf(words->sentence, words->size, "%s", why);
    arena_close(arena);
    return error;
}

static int check(const char *text, const char *path, struct words *words)
{
    struct config_parts parts;
    struct config *config = NULL;

    gateway_config_parts(&parts);
    int error = config_load_text(&config, text, path, &parts, tell, words);
    config_free(config);
    return error;
}

static int replace(const char *path, const char *text, size_t size)
{
    struct stat before;

    if (stat(path, &before))
        return ERR_NOT_FOUND;
    int error = save_file(path, text, size, before.st_mode & 07777);
    /* A daemon that runs as root must not take the file from whoever edits it. */
    if (!error && geteuid() == 0 && chown(path, before.st_uid, before.st_gid))
        return ERR_DENIED;
    return error;
}

/* As a SIGHUP by hand. The timer is one for the life of a gateway: it has one first visitor. */
static void apply_soon(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGHUP};
    struct itimerspec after = {.it_value = {.tv_sec = APPLIED_AFTER_S}};
    timer_t timer;

    if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &after, NULL))
        kill(getpid(), SIGHUP);
}

int naming_write(const char *path, const char *id, const char *name, char *sentence, size_t size)
{
    struct words words = {sentence, size};
    char *old = NULL, *made = NULL;
    size_t old_size, made_size;

    sentence[0] = '\0';
    int error = save_read(path, JSON_SIZE_MAX, &old, &old_size);
    if (!error)
        error = edit(old, old_size, id, name, &made, &made_size, &words);
    if (!error)
        error = check(made, path, &words);
    if (!error)
        error = replace(path, made, made_size);
    if (!error)
        apply_soon();
    else if (!sentence[0])
        snprintf(sentence, size, "the id and name are not in %.150s: %s", path, error_text(error));
    free(old);
    free(made);
    return error;
}
