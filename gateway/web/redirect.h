/*
 * Plain HTTP: nothing but the way to HTTPS. Small connections of their own, so that nobody who
 * plays with them comes near the server behind TLS.
 */
#ifndef SLUICE_WEB_REDIRECT_H
#define SLUICE_WEB_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop; /* core/loop.h */
struct redirect;

#define REDIRECT_REQUEST_SIZE 4096 /* of the request's line and headers */
#define REDIRECT_ANSWER_SIZE  (REDIRECT_REQUEST_SIZE + 1024)

struct redirect_target {
    uint16_t port;            /* of HTTPS */
    const char *const *names; /* as hosts_is_ours */
    size_t name_count;
};

/* All on the loop's thread. `target` and its names outlive it and may change. ERR_NOMEM. */
int redirect_open(struct redirect **redirect, struct loop *loop,
                  const struct redirect_target *target);
void redirect_close(struct redirect *redirect);

/* Serves a non-blocking connection, which it takes over. When there are too many the oldest one
 * gives way. */
void redirect_take(struct redirect *redirect, int fd);

/*
 * The answer to a request of `size` bytes, all zero-terminated: 308 to the same place by HTTPS; 400
 * for what is no request or asks for a host that is not ours. Returns the answer's size, or 0 while
 * the request is not complete. Pure.
 */
size_t redirect_answer(const char *request, size_t size, const struct redirect_target *target,
                       char answer[REDIRECT_ANSWER_SIZE]);

#endif
