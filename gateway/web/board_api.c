#include "web/board_api.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/json_write.h"
#include "core/error.h"
#include "core/save.h"
#include "web/reply.h"

#define SENTENCE_SIZE 512

/* A drawing may be shown, and do nothing. */
#define DRAWING_POLICY "default-src 'none'; style-src 'unsafe-inline'; sandbox"

static const char no_board[] = "{\"board\":null}\n";

static void answer_invalid(const struct board *board, struct http_reply *reply)
{
    char sentence[SENTENCE_SIZE];

    snprintf(sentence, sizeof sentence,
             "the description of the board in %.300s cannot be read: install it anew",
             board->folder);
    reply_error(reply, 500, sentence);
}

/* {"board":...} in malloc'd memory. */
static int write_board(const struct board *board, char **body, size_t *size)
{
    FILE *out = open_memstream(body, size);
    struct json_writer writer = {.out = out};

    if (!out)
        return ERR_NOMEM;
    json_write_open(&writer, NULL, '{');
    int error = board_write(board, &writer, "board");
    json_write_close(&writer, '}');
    if (ferror(out) && !error)
        error = ERR_NOMEM;
    if (fclose(out) && !error)
        error = ERR_NOMEM;
    if (error) {
        free(*body);
        *body = NULL;
    }
    return error;
}

static void do_board(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct board board;
    char *body = NULL;
    size_t size = sizeof no_board - 1;
    int error = board_find(context, &board);

    (void)request;
    if (error == ERR_NOT_FOUND) {
        body = strdup(no_board);
        error = body ? 0 : ERR_NOMEM;
    } else if (!error) {
        error = write_board(&board, &body, &size);
    }
    if (!error)
        reply_json(reply, 200, body, size);
    else if (error == ERR_INVALID)
        answer_invalid(&board, reply);
    else
        reply_failure(reply, error);
}

static void do_drawing(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct board board;
    char path[PATH_MAX + 16], *drawing = NULL;
    size_t size = 0;
    int error = board_find(context, &board);

    (void)request;
    if (!error) {
        snprintf(path, sizeof path, "%s/wiring.svg", board.folder);
        error = save_read(path, BOARD_SIZE_MAX, &drawing, &size);
    }
    if (error == ERR_NOT_FOUND) {
        reply_error(reply, 404, "there is no drawing of this board");
    } else if (error) {
        reply_failure(reply, error);
    } else {
        reply->status = 200;
        reply->type = "image/svg+xml";
        reply->body = drawing;
        reply->size = size;
        http_reply_header(reply, "Content-Security-Policy", DRAWING_POLICY);
    }
}

/* Files are read: not on the server's thread. */
static void get_board(void *context, const struct route_request *request, struct http_reply *reply)
{
    (void)request;
    reply->work = do_board;
    reply->work_context = context;
}

static void get_drawing(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    (void)request;
    reply->work = do_drawing;
    reply->work_context = context;
}

struct routes board_routes(const struct board_places *places)
{
    static const struct route rows[] = {
        {"GET", "/api/v1/board", ROLE_VIEWER, get_board, 0},
        {"GET", "/api/v1/board/drawing", ROLE_VIEWER, get_drawing, 0},
    };

    return (struct routes){rows, sizeof rows / sizeof *rows, (void *)(uintptr_t)places};
}
