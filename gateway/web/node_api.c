#include "web/node_api.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "core/error.h"
#include "core/save.h"
#include "core/words.h"
#include "web/audit.h"
#include "web/later.h"
#include "web/program.h"
#include "web/reply.h"

#define WORDS_SIZE  512
#define ANSWER_SIZE 1024

struct node_api {
    char path[PATH_MAX], fresh[PATH_MAX]; /* one that is looked at before it counts */
    struct journal *journal;
    pthread_mutex_t lock; /* of one upload at a time */
};

/* What the program says behind its own name and that of the file. */
static const char *sentence_of(const char *words, const char *path)
{
    const char *name = strstr(words, path);

    return name && strncmp(name + strlen(path), ": ", 2) == 0 ? name + strlen(path) + 2 : words;
}

/* What is in the file: *said is malloc'd. Its exit code or an error, with `words`. */
static int look(const char *path, char **said, size_t *size, char words[WORDS_SIZE])
{
    const char *const arguments[] = {"node", "file", "--json", "--", path, NULL};

    *said = NULL;
    words[0] = '\0';
    return program_ask(arguments, ANSWER_SIZE, said, size, words, WORDS_SIZE);
}

static void answer_file(const char *path, struct http_reply *reply, int status)
{
    char words[WORDS_SIZE], *said;
    size_t size;
    int code = look(path, &said, &size, words);

    if (code == 0) {
        reply_json(reply, status, said, size);
        return;
    }
    free(said);
    if (code < 0)
        reply_failure(reply, code);
    else
        reply_error(reply, 404, "no update for nodes was uploaded: PUT /api/v1/node/file");
}

/* Which version for which board it is: what the program said of it. */
static void note(const struct node_api *api, const struct caller *caller, const char *said,
                 size_t size)
{
    static const char *const keys[] = {"board", "version"};
    struct arena *arena = NULL;
    struct json *root = NULL;
    char line[WORDS_SIZE];
    struct text text;

    text_init(&text, line, sizeof line);
    if (arena_open(&arena) == 0 && json_read(&root, arena, said, size, NULL, NULL) == 0)
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            const struct json *value = json_find(root, keys[i]);

            words_put(&text, keys[i], value && value->type == JSON_STRING ? value->text : "");
        }
    if (api->journal)
        audit_note(api->journal, caller, "node-file", line);
    arena_close(arena);
}

/* Looks at what came, and puts it in the place of the one before. With the reply filled in. */
static void take(struct node_api *api, const struct route_request *request,
                 struct http_reply *reply)
{
    char words[WORDS_SIZE], *said = NULL;
    size_t size = 0;
    int error = save_file(api->fresh, request->http->body, request->http->size, 0600);
    int code = error ? error : look(api->fresh, &said, &size, words);

    if (code == 0)
        code = save_move(api->fresh, api->path);
    if (code != 0)
        save_remove(api->fresh);
    if (code > 0)
        reply_refusal(reply, 400, sentence_of(words, api->fresh),
                      "take the file sluice-node-BOARD-VERSION.snu as its maker gave it");
    else if (code < 0)
        reply_failure(reply, code);
    if (code != 0) {
        free(said);
        return;
    }
    note(api, request->caller, said, size);
    reply_json(reply, 201, said, size);
}

static void put_file(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct node_api *api = context;

    pthread_mutex_lock(&api->lock);
    take(api, request, reply);
    pthread_mutex_unlock(&api->lock);
}

static void get_file(void *context, const struct route_request *request, struct http_reply *reply)
{
    struct node_api *api = context;

    (void)request;
    answer_file(api->path, reply, 200);
}

SLOW_ROUTE(put_file)
SLOW_ROUTE(get_file)

int node_api_open(struct node_api **out, const char *folder, struct journal *journal)
{
    struct node_api *api = calloc(1, sizeof *api);

    if (!api)
        return ERR_NOMEM;
    snprintf(api->path, sizeof api->path, "%.*s/node.snu", PATH_MAX - 32, folder);
    snprintf(api->fresh, sizeof api->fresh, "%.*s/node-new.snu", PATH_MAX - 32, folder);
    api->journal = journal;
    pthread_mutex_init(&api->lock, NULL);
    *out = api;
    return 0;
}

void node_api_close(struct node_api *api)
{
    if (!api)
        return;
    pthread_mutex_destroy(&api->lock);
    free(api);
}

const char *node_api_path(const struct node_api *api)
{
    return api->path;
}

struct routes node_api_routes(struct node_api *api)
{
    static const struct route rows[] = {
        {"GET", "/api/v1/node/file", ROLE_VIEWER, get_file_later, 0},
        {"PUT", "/api/v1/node/file", ROLE_OWNER, put_file_later, NODE_FILE_BYTES_MAX},
    };

    return (struct routes){rows, sizeof rows / sizeof *rows, api};
}
