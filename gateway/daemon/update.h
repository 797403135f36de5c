/*
 * Updates of the whole system, where it came as an image with two slots: takes a bundle by upload
 * or from an address, has it verified and installed into the slot that does not run, and goes back.
 * The machine decides at its next start; what crashes there falls back by itself. docs/updates.md.
 */
#ifndef SLUICE_DAEMON_UPDATE_H
#define SLUICE_DAEMON_UPDATE_H

#include "daemon/update_rauc.h"
#include "daemon/update_refusal.h"
#include "web/api.h"

struct update;
struct update_take; /* of one upload */

enum update_phase {
    UPDATE_NONE,       /* there was none since the start */
    UPDATE_RECEIVING,  /* the bundle comes in */
    UPDATE_CHECKING,   /* its signature, board and version */
    UPDATE_INSTALLING, /* cannot be cancelled any more */
    UPDATE_INSTALLED,  /* runs after a restart of the machine */
    UPDATE_REFUSED,
};

/* What is asked for, and by whom. */
struct update_wish {
    const char *url; /* NULL: it is uploaded */
    int64_t size;    /* of the upload; -1: not known */
    bool older;      /* also one that is older than what runs */
    const struct caller *caller;
};

/* How far it is. */
struct update_job {
    enum update_phase phase;
    bool download;
    int64_t size, received;            /* size -1: not known */
    int percent;                       /* of the installation */
    char step[96];                     /* RAUC's words for what it does */
    char version[UPDATE_VERSION_SIZE]; /* of the bundle; "" until it is known */
    char by[CALLER_NAME_SIZE], from[CALLER_ORIGIN_SIZE];
    int64_t begun_ms, ended_ms; /* wall clock; 0: it goes on */
    struct update_refusal refusal;
};

/* `state_path` and `wish_path` (daemon/wish.h) outlive it. ERR_NOMEM. */
int update_open(struct update **update, const char *state_path, const char *wish_path);

/* What goes on is cancelled, but not an installation: RAUC's service brings it to its end. NULL is
 * fine. */
void update_close(struct update *update);

/* Mounts the routes; before api_listen. ERR_FULL. The journal gets notes of what is done. */
int update_mount(struct update *update, struct api *api, struct journal *journal);

/* Before api_close: what comes in ends, and neither API nor journal is used any more. */
void update_unmount(struct update *update);

/*
 * Begins an update. With `take` set for an upload, whose bytes go to update_take_bytes. 0;
 * ERR_BUSY: another one goes on; ERR_UNSUPPORTED: this system is not updated so; ERR_TOO_LARGE,
 * ERR_NO_SPACE; ERR_NOMEM. Any thread.
 */
int update_begin(struct update *update, const struct update_wish *wish, struct update_take **take);

/* As http_reply.take. */
int update_take_bytes(void *take, const char *data, size_t size);
void update_take_end(struct update_take *take); /* all came that was announced */
void update_take_close(void *take);             /* nothing more comes, and it is gone */

/* Ends an update that is still coming in or checked. False where there is none. Any thread. */
bool update_cancel(struct update *update);

/* Copies how far it is. Any thread. */
void update_look(struct update *update, struct update_job *job);

/* The oldest version that may be installed, as the image says; "" where it does not. */
void update_minimum(char version[UPDATE_VERSION_SIZE]);

/* The version of the system that runs: the image's, or where it says none, the gateway's. */
void update_running(const struct update_box *box, char version[UPDATE_VERSION_SIZE]);

const char *update_phase_name(enum update_phase phase);

#endif
