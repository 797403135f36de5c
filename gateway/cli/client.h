/* Asks the daemon over its unix socket: one request a connection, and an answer that says where it
 * ends, so that one that breaks off is none. */
#ifndef SLUICE_CLI_CLIENT_H
#define SLUICE_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Whether a daemon takes connections there; for commands that can do without one. */
bool client_finds_daemon(const char *socket_path);

/* The same for those that cannot: EXIT_CODE_NO_DAEMON after telling how to start one, or
 * EXIT_CODE_OK. */
int client_must_find(const char *socket_path);

/* Room for a path with its query. */
#define CLIENT_PATH_SIZE_MAX 2048

/*
 * GETs `path` and writes the body to `out` as it comes. Returns an exit code (daemon/gateway.h):
 * EXIT_CODE_NO_DAEMON after telling how to start one, EXIT_CODE_USAGE when the daemon refuses the
 * question (its sentence is told), EXIT_CODE_SYSTEM when it breaks off (told), EXIT_CODE_OK.
 */
int client_get(const char *socket_path, const char *path, FILE *out);

/* The same of an answer that goes on for ever, until that moment of the monotonic clock (INT64_MAX:
 * for ever), whether anything comes or not. */
int client_get_until(const char *socket_path, const char *path, FILE *out, int64_t until_ns);

/* POSTs a JSON body, and writes the body of the answer to `out` as it comes. As client_get. */
int client_post(const char *socket_path, const char *path, const char *body, FILE *out);

/* Sends a JSON body by any method ("PUT", "DELETE" with an empty one). As client_post. */
int client_send(const char *socket_path, const char *method, const char *path, const char *body,
                FILE *out);

/* PUTs what is in `file`, `size` bytes, and writes the answer's body to `out`; `sent` is told how
 * many of them have gone. What is wrong is written to `told`. As client_post. */
int client_put_file(const char *socket_path, const char *path, FILE *file, int64_t size,
                    void (*sent)(void *context, int64_t size), void *context, FILE *out,
                    FILE *told);

/* The same into memory, zero-terminated; *answer is the caller's to free, also after a failure:
 * then there may be a part of it, or NULL. */
int client_send_body(const char *socket_path, const char *method, const char *path,
                     const char *body, char **answer);

/* POSTs without a body and prints nothing: what comes back is in `answer`, what is wrong in
 * `sentence`, without the command's name and a line's end, both zero-terminated. */
int client_try_post(const char *socket_path, const char *path, char *answer, size_t answer_size,
                    char *sentence, size_t sentence_size);

/* The same as client_get into memory, zero-terminated; *body is the caller's to free. */
int client_get_body(const char *socket_path, const char *path, char **body);

/* Appends "&key=value" (or "?key=value") to a path of CLIENT_PATH_SIZE_MAX, percent-encoded. NULL
 * appends nothing. */
void client_add_query(char *path, const char *key, const char *value);

#endif
