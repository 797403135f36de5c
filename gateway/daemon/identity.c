#include "daemon/identity.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/save.h"
#include "core/words.h"

#define FILE_SIZE_MAX 1024

struct identity {
    char path[PATH_MAX];
    struct identity_facts now;
    pthread_mutex_t lock;         /* of what follows */
    struct identity_facts was;    /* those that this gateway was given its id on */
    char gateway_id[ID_SIZE_MAX]; /* "" until the first configuration */
    struct identity_look look;
    bool unread; /* the file is there, and nobody knows what it says: it is left as it is */
};

const char *identity_state_name(enum identity_state state)
{
    static const char *const names[] = {"sure", "asked", "copied"};

    return names[state];
}

/* Whether two facts contradict each other: of one kind, and not the same. */
static bool differs(const char *was, const char *now)
{
    size_t kind = strcspn(was, ":");

    return *was && *now && kind == strcspn(now, ":") && strncmp(was, now, kind) == 0 &&
           strcmp(was, now) != 0;
}

static bool is_comparable(const char *was, const char *now)
{
    return *was && *now && (strcmp(was, now) == 0 || differs(was, now));
}

/* A board that has still the number by which it is known is that board, whatever else there is. */
static void find_board(struct identity *identity)
{
    for (size_t i = 0; i < IDENTITY_BOARDS_MAX; i++)
        if (*identity->was.board && strcmp(identity->now.boards[i], identity->was.board) == 0)
            memcpy(identity->now.board, identity->was.board, sizeof identity->now.board);
}

/* The board decides where it has a number: an installation may be made anew on it, and a card be
 * replaced. */
static void compare(struct identity *identity, int64_t now_ms)
{
    const struct identity_facts *was = &identity->was, *now = &identity->now;
    struct identity_look *look = &identity->look;

    look->machine = differs(was->machine, now->machine);
    look->board = differs(was->board, now->board);
    look->medium = differs(was->medium, now->medium);
    bool other =
        is_comparable(was->board, now->board) ? look->board : look->machine || look->medium;
    if (!other) {
        look->state = IDENTITY_SURE;
    } else if (look->state == IDENTITY_SURE) {
        look->state = IDENTITY_ASKED;
        look->since_ms = now_ms;
    }
}

/* One line of words: the file of an installation that nobody edits. */
static int save(struct identity *identity)
{
    char line[FILE_SIZE_MAX], since[24];
    struct text text;

    text_init(&text, line, sizeof line);
    snprintf(since, sizeof since, "%" PRId64, identity->look.since_ms);
    words_put(&text, "gateway", identity->gateway_id);
    words_put(&text, "machine", identity->was.machine);
    words_put(&text, "board", identity->was.board);
    words_put(&text, "medium", identity->was.medium);
    if (identity->look.state != IDENTITY_SURE) {
        words_put(&text, "state", identity_state_name(identity->look.state));
        words_put(&text, "since", since);
    }
    text_string(&text, "\n");
    int error = save_file(identity->path, line, text.size, 0600);
    if (error)
        log_warn("daemon", "%s cannot be written: %s; a copied card is not noticed without it",
                 identity->path, error_text(error));
    return error;
}

/* 0, ERR_NOT_FOUND where there is none, or why it cannot be read. */
static int load(struct identity *identity)
{
    char *text = NULL, state[16], since[24];
    size_t size;

    int error = save_read(identity->path, FILE_SIZE_MAX, &text, &size);
    if (error)
        return error;
    text[strcspn(text, "\n")] = '\0';
    words_take(text, "gateway", identity->gateway_id, sizeof identity->gateway_id);
    words_take(text, "machine", identity->was.machine, IDENTITY_FACT_SIZE);
    words_take(text, "board", identity->was.board, IDENTITY_FACT_SIZE);
    words_take(text, "medium", identity->was.medium, IDENTITY_FACT_SIZE);
    words_take(text, "state", state, sizeof state);
    words_take(text, "since", since, sizeof since);
    for (enum identity_state each = IDENTITY_ASKED; each <= IDENTITY_COPIED; each++)
        if (strcmp(state, identity_state_name(each)) == 0)
            identity->look.state = each;
    identity->look.since_ms = strtoll(since, NULL, 10);
    free(text);
    return 0;
}

/* What is known now is what is compared with from now on; what is not known now stays. */
static void adopt(struct identity *identity)
{
    struct identity_facts *was = &identity->was;
    const struct identity_facts *now = &identity->now;

    if (*now->machine)
        memcpy(was->machine, now->machine, sizeof was->machine);
    if (*now->board)
        memcpy(was->board, now->board, sizeof was->board);
    if (*now->medium)
        memcpy(was->medium, now->medium, sizeof was->medium);
}

static void tell(const struct identity_look *look)
{
    log_error(
        "daemon",
        "this gateway is on another machine than before (%s%s%s another one): was the machine "
        "replaced, or the card copied? Nothing is published until that is said: on the page, "
        "or by sluice identity replaced, or sluice identity copied --id NEWID",
        look->board ? "its board is" : "",
        look->board && (look->machine || look->medium) ? ", and " : "",
        look->machine  ? "its installation is"
        : look->medium ? "its medium is"
                       : "");
}

/* What it was on cannot be told: that is not the same as that it was on nothing. */
static void ask_unread(struct identity *identity, int error, int64_t now_ms)
{
    identity->unread = true;
    identity->look.state = IDENTITY_ASKED;
    identity->look.since_ms = now_ms;
    log_error("daemon",
              "%s cannot be read: %s; whether this gateway is on the machine that it was on is not "
              "known. Nothing is published until that is said, or the file is read at a start: on "
              "the page, or by sluice identity replaced, or sluice identity copied --id NEWID",
              identity->path, error_text(error));
}

int identity_open(struct identity **out, const char *state_path, const struct identity_facts *facts,
                  int64_t now_ms)
{
    struct identity *identity = calloc(1, sizeof *identity);

    if (!identity)
        return ERR_NOMEM;
    pthread_mutex_init(&identity->lock, NULL);
    snprintf(identity->path, sizeof identity->path, "%.*s/identity", PATH_MAX - 16, state_path);
    identity->now = *facts;
    *out = identity;
    int error = load(identity);
    if (error && error != ERR_NOT_FOUND) {
        ask_unread(identity, error, now_ms);
        return 0;
    }
    if (!error) {
        find_board(identity);
        compare(identity, now_ms);
    }
    if (identity->look.state == IDENTITY_SURE)
        adopt(identity);
    else
        tell(&identity->look);
    save(identity);
    return 0;
}

void identity_close(struct identity *identity)
{
    if (!identity)
        return;
    pthread_mutex_destroy(&identity->lock);
    free(identity);
}

void identity_named(struct identity *identity, const char *gateway_id)
{
    pthread_mutex_lock(&identity->lock);
    bool other = identity->gateway_id[0] && strcmp(identity->gateway_id, gateway_id) != 0;
    bool same = strcmp(identity->gateway_id, gateway_id) == 0;
    if (other && identity->look.state != IDENTITY_SURE) {
        log_info("daemon", "the gateway is %s now, and no longer %s: it publishes again",
                 gateway_id, identity->gateway_id);
        identity->look = (struct identity_look){.state = IDENTITY_SURE};
        identity->unread = false;
        adopt(identity);
    }
    snprintf(identity->gateway_id, sizeof identity->gateway_id, "%s", gateway_id);
    if (!same && !identity->unread)
        save(identity);
    pthread_mutex_unlock(&identity->lock);
}

/* What is not known now is as it was. */
static const char *known(const char *now, const char *was)
{
    return *now ? now : was;
}

void identity_text(const struct identity *identity, char out[IDENTITY_TEXT_SIZE])
{
    const struct identity_facts *now = &identity->now, *was = &identity->was;

    snprintf(out, IDENTITY_TEXT_SIZE, "%s %s %s", known(now->machine, was->machine),
             known(now->board, was->board), known(now->medium, was->medium));
}

void identity_look(struct identity *identity, struct identity_look *look)
{
    pthread_mutex_lock(&identity->lock);
    *look = identity->look;
    pthread_mutex_unlock(&identity->lock);
}

bool identity_holds(struct identity *identity)
{
    struct identity_look look;

    identity_look(identity, &look);
    return look.state != IDENTITY_SURE;
}

int identity_answer(struct identity *identity, bool copied)
{
    int error = ERR_INVALID;

    pthread_mutex_lock(&identity->lock);
    if (identity->look.state != IDENTITY_SURE) {
        struct identity_look look = identity->look;
        struct identity_facts was = identity->was;

        if (copied) {
            identity->look.state = IDENTITY_COPIED;
        } else {
            identity->look = (struct identity_look){.state = IDENTITY_SURE};
            adopt(identity);
        }
        /* A copy of nobody knows what is not kept: it would be sure of itself at the next start. */
        error = copied && identity->unread ? 0 : save(identity);
        if (error) {
            identity->look = look;
            identity->was = was;
        } else if (!copied) {
            identity->unread = false;
        }
    }
    pthread_mutex_unlock(&identity->lock);
    return error;
}
