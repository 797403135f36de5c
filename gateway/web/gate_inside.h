/* What the files of the gate share. */
#ifndef SLUICE_WEB_GATE_INSIDE_H
#define SLUICE_WEB_GATE_INSIDE_H

#include <pthread.h>

#include "web/accounts.h"
#include "web/attempts.h"
#include "web/audit.h"
#include "web/device.h"
#include "web/gate.h"
#include "web/sessions.h"
#include "web/setup.h"

#define GATE_COOKIE        "__Host-sluice"
#define GATE_DEVICE_COOKIE "__Host-sluice-device"
#define GATE_BODY_MAX      4096 /* of the gate's own routes */
#define GATE_WORDS_SIZE    256

struct gatekeeper {
    struct gate_options options;
    struct accounts *accounts;
    struct sessions *sessions;
    struct attempts *attempts;
    struct setup *setup;     /* NULL where there were accounts when it was opened */
    struct journal *journal; /* of the API that is mounted */
    struct gate_site site;
    pthread_mutex_t lock; /* of what follows */
    char **names;
    size_t name_count;
    struct {
        int64_t window_ns; /* when its minute began */
        unsigned noted, left_out;
    } failures; /* of logins, as the audit trail has them */
};

/* Who asks, for work: over the socket as well as over the network. 0; or an error with `reply`
 * filled in, also where the role is less than `least`. */
int gate_caller(struct gatekeeper *gate, const struct http_request *request, enum role least,
                struct caller *caller, struct http_reply *reply);

/* Has `work` done for a request, with the gate as its context. */
void gate_work(struct gatekeeper *gate, struct http_reply *reply,
               void (*work)(void *context, const struct http_request *request,
                            struct http_reply *reply));

/* A handler that has `work` done. */
#define GATE_AS_WORK(name, work)                                                                   \
    static void name(void *context, const struct route_request *request, struct http_reply *reply) \
    {                                                                                              \
        (void)request;                                                                             \
        gate_work(context, reply, work);                                                           \
    }

/* Whether the body says that it is JSON, which a form of a foreign page cannot; else `reply` is
 * filled in. */
bool gate_wants_json(const struct http_request *request, struct http_reply *reply);

/* 429, and when to come back. */
void gate_reply_wait(struct http_reply *reply, int64_t wait_s);

/* Who tries which password: `number` has room for that of a browser that is known, and like the
 * other texts outlives the attempt. `account` is NULL where there is none of that name. */
struct attempt gate_attempt(const struct http_request *request, const char *origin,
                            const char *name, const struct account *account,
                            char number[DEVICE_NUMBER_SIZE]);

/* Begins a session and gives its cookie, and the mark of a browser that is known. 0; ERR_IO;
 * ERR_DENIED: the account is another one by now. */
int gate_let_in(struct gatekeeper *gate, const struct account *account, struct session *session,
                struct http_reply *reply);

/* The mark of a browser that is known, again after the password has changed. */
void gate_mark_device(const struct account *account, struct http_reply *reply);

/* Notes a wrong password or code; what comes too often is counted and told with the next. */
void gate_note_failure(struct gatekeeper *gate, const struct caller *caller, const char *what,
                       const char *words);

/* {"ok":true} */
void gate_reply_ok(struct http_reply *reply);

/* The session object: who `caller` is; `session` is NULL where there is none. `notes` are sentences
 * of what a setup could not do, ended by NULL; NULL: not told. */
void gate_reply_session(struct gatekeeper *gate, const struct caller *caller,
                        const struct session *session, const char *const *notes,
                        struct http_reply *reply);

/* The answer to a change of the accounts that failed. */
void gate_reply_failure(struct gatekeeper *gate, int error, struct http_reply *reply);

struct routes gate_session_routes(struct gatekeeper *gate); /* log in and out, one's password */
struct routes gate_setup_routes(struct gatekeeper *gate);   /* the first owner; the clock */
struct routes gate_account_routes(struct gatekeeper *gate); /* accounts and tokens */

#endif
