#include "cli/node_update.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/node_polls.h"
#include "core/error.h"
#include "daemon/gateway.h"

#define TRIES        5
#define LINE_SIZE    120
#define BACK_NS      (60 * NS_PER_S) /* a boot loader that checks a signature is silent for some */
#define LOOK_NS      (300 * NS_PER_MS)
#define WATCH_NS     (180 * NS_PER_S) /* for all good answers */
#define WATCH_TRY_NS (200 * NS_PER_MS)
#define SELDOM_NS    (5 * NS_PER_S) /* a gateway that polls it more seldom is not waited for */

struct updating {
    struct node_link *link;
    const struct node_wish *wish;
    const uint8_t *part; /* the header for the slot that does not run */
    struct node_state state;
    unsigned slot;
    int shown; /* percent; -1: nothing yet */
};

static void show_progress(struct updating *updating, uint32_t done, uint32_t all)
{
    int percent = all ? (int)((uint64_t)done * 100 / all) : 100;
    char line[LINE_SIZE];

    if (percent == updating->shown)
        return;
    snprintf(line, sizeof line, "{\"kind\":\"progress\",\"done\":%" PRIu32 ",\"of\":%" PRIu32 "}",
             done, all);
    told_line(&updating->link->told, line, done == all);
    if (updating->wish->json)
        printf("%s\n", line);
    else if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%3d %% of %" PRIu32 " bytes%s", percent, all, done == all ? "\n" : "");
    else if (percent / 10 != updating->shown / 10 || updating->shown < 0)
        fprintf(stderr, "%d %% of %" PRIu32 " bytes\n", percent, all);
    fflush(stdout);
    updating->shown = percent;
}

/* For who follows: words for a person, and for a program which step it is. */
static void show_step(const struct updating *updating, const char *step, const char *words)
{
    char line[LINE_SIZE];

    snprintf(line, sizeof line, "{\"kind\":\"step\",\"step\":\"%s\"}", step);
    told_line(&updating->link->told, line, true);
    if (updating->wish->json)
        printf("%s\n", line);
    else
        fprintf(stderr, "%s\n", words);
    fflush(stdout);
}

int node_update_command(struct node_link *link, unsigned command, unsigned reply_ms)
{
    const uint8_t data[2] = {0, (uint8_t)command};

    return node_link_write(link, UPDATE_AT_COMMAND, data, sizeof data, reply_ms);
}

int node_update_tell(struct node_link *link, int error)
{
    struct node_state state;

    if (error != ERR_EXCEPTION || (link->exception != 3 && link->exception != 4) ||
        node_state_read(link, &state, TRIES) != 0)
        return node_state_tell(link, error);
    fprintf(stderr, "%s: the node refuses it: %s\n", link->command, node_state_fault(state.fault));
    return EXIT_CODE_FAILED;
}

static bool is_lost(int error)
{
    return error == ERR_TIMEOUT || error == ERR_CHECKSUM || error == ERR_PROTOCOL;
}

/* The header. Sent again it changes nothing, so a lost reply does not matter. */
static int begin(struct updating *updating)
{
    int error = ERR_TIMEOUT;

    for (int i = 0; i < TRIES && is_lost(error); i++)
        error = node_link_write(updating->link, UPDATE_AT_BEGIN, updating->part, IMAGE_HEADER_SIZE,
                                updating->state.reply_ms);
    return error;
}

/* Behind a command whose reply was lost, or refused because it was done before, the node is asked
 * where it is. */
static int look(struct updating *updating, int error)
{
    if (error && !is_lost(error) && error != ERR_EXCEPTION)
        return error;
    int looked = node_state_read(updating->link, &updating->state, TRIES);
    return looked ? looked : error == ERR_EXCEPTION ? error : 0;
}

static int erase(struct updating *updating)
{
    int error = look(updating, 0);
    unsigned most = updating->state.pages + 2 * TRIES;

    for (int lost = 0; !error && updating->state.phase == UPDATE_ERASING;) {
        if (most-- == 0)
            return ERR_UNSUPPORTED; /* no node of ours goes on for ever */
        error = node_update_command(updating->link, UPDATE_ERASE, updating->state.reply_ms);
        if (error && (lost++ > TRIES || look(updating, error) == 0))
            error = lost > TRIES ? error : 0;
        else if (!error && --updating->state.pages == 0)
            error = look(updating, 0);
    }
    return error;
}

static int send_block(struct updating *updating, uint32_t at, uint32_t size)
{
    uint8_t data[4 + UPDATE_BLOCK_MAX];
    int error = ERR_TIMEOUT;

    data[0] = (uint8_t)(at >> 24);
    data[1] = (uint8_t)(at >> 16);
    data[2] = (uint8_t)(at >> 8);
    data[3] = (uint8_t)at;
    memcpy(data + 4, updating->part + IMAGE_HEADER_SIZE + at, size);
    for (int i = 0; i < TRIES && is_lost(error); i++)
        error = node_link_write(updating->link, UPDATE_AT_BLOCK, data, 4 + size,
                                updating->state.reply_ms);
    return error;
}

static int send_blocks(struct updating *updating)
{
    uint32_t length = image_length(updating->part), at = updating->state.next;
    uint32_t most = updating->state.block_max / IMAGE_ALIGN * IMAGE_ALIGN;
    int error = 0;

    if (at > 0 && at < length && !updating->wish->json)
        fprintf(stderr, "it goes on at byte %" PRIu32 "\n", at);
    while (!error && at < length) {
        uint32_t size = length - at < most ? length - at : most;

        show_progress(updating, at, length);
        error = send_block(updating, at, size);
        at += error ? 0 : size;
    }
    if (!error)
        show_progress(updating, length, length);
    return error;
}

static int finish(struct updating *updating)
{
    int error = ERR_TIMEOUT;

    for (int i = 0; i < TRIES && is_lost(error); i++)
        error = node_update_command(updating->link, UPDATE_FINISH, updating->state.reply_ms);
    return error;
}

/* All of it into the slot. A node that was restarted meanwhile says that something does not come
 * next: then all of it is gone through again, and goes on where it was. */
static int deliver(struct updating *updating)
{
    int error = 0;

    for (int i = 0; i < TRIES; i++) {
        error = begin(updating);
        if (error == ERR_EXCEPTION)
            return error;
        if (!error)
            error = erase(updating);
        if (!error && updating->state.phase == UPDATE_RECEIVING)
            error = send_blocks(updating);
        if (!error && updating->state.phase != UPDATE_IDLE)
            error = finish(updating);
        else if (!error)
            error = ERR_TIMEOUT;
        if (!is_lost(error) && !(error == ERR_EXCEPTION && look(updating, 0) == 0 &&
                                 updating->state.fault == IMAGE_OUT_OF_TURN))
            return error;
    }
    return error;
}

int node_update_await(struct node_link *link, struct node_state *state)
{
    int64_t give_up_ns = clock_mono(&clock_system) + BACK_NS;
    int error;

    do {
        error = node_link_pause(link, LOOK_NS);
        if (error != ERR_CLOSED)
            error = node_state_read(link, state, 1);
    } while (error && error != ERR_CLOSED && error != ERR_EXCEPTION && error != ERR_UNSUPPORTED &&
             clock_mono(&clock_system) < give_up_ns);
    return error;
}

int node_update_back(struct node_link *link, struct node_state *state, unsigned *before)
{
    int error = node_state_read(link, state, TRIES);

    *before = state->running;
    for (int i = 0; i < TRIES && !error; i++) {
        /* It may restart before its reply has left. */
        error = node_update_command(link, UPDATE_BACK, state->reply_ms);
        if (error && !is_lost(error))
            return error;
        error = node_update_await(link, state);
        if (!error && (state->running != *before || node_state_was_left(state, *before)))
            break;
    }
    return error;
}

/* A question that nobody else asks of it so: the unit, which every node has as its first setting.
 */
static int ask_once(struct node_link *link)
{
    uint16_t value;

    link->why[0] = '\0';
    return node_link_ask(link, MODBUS_HOLDING_REGISTERS, 0, 1, &value, 1);
}

int node_update_watch(struct node_link *link, int reads)
{
    int64_t now_ns = clock_mono(&clock_system), give_up_ns = now_ns + WATCH_NS;
    int64_t polled_ns = now_ns; /* when the gateway had last read it */
    struct node_polls polls;
    int good = 0, error = 0;
    bool polled = node_polls_open(&polls, link);

    for (; good < reads && now_ns < give_up_ns; now_ns = clock_mono(&clock_system)) {
        error = node_link_pause(link, polled ? LOOK_NS : WATCH_TRY_NS);
        if (error == ERR_CLOSED)
            return error;
        int more = polled ? node_polls_look(&polls) : 0;
        good = more < 0 ? 0 : good + more;
        if (more > 0)
            polled_ns = now_ns;
        if (polled && now_ns - polled_ns < SELDOM_NS)
            continue;
        error = ask_once(link);
        good = error ? 0 : good + 1;
    }
    return good >= reads ? 0 : error ? error : ERR_TIMEOUT;
}

static const char *letter(unsigned slot)
{
    return slot ? "B" : "A";
}

/* What can be said before anything is sent. */
static int look_before(struct updating *updating, const struct node_file *file)
{
    struct node_link *link = updating->link;
    struct node_state *state = &updating->state;
    char a[16], b[16];
    int error = node_state_read(link, state, TRIES);

    if (error)
        return node_state_tell(link, error);
    updating->slot = state->running == 0 ? 1 : 0;
    updating->part = file->part[updating->slot];
    if (strncmp(state->board, (const char *)updating->part + IMAGE_BOARD_AT, IMAGE_BOARD_SIZE) !=
        0) {
        fprintf(stderr,
                "%s: this file is for board %.*s, and the node is %s: take the file of "
                "that board\n",
                link->command, IMAGE_BOARD_SIZE, (const char *)updating->part + IMAGE_BOARD_AT,
                state->board);
        return EXIT_CODE_FAILED;
    }
    if (node_state_on_trial(state)) {
        fprintf(stderr, "%s: the node refuses it: %s\n", link->command,
                node_state_fault(IMAGE_ON_TRIAL));
        return EXIT_CODE_FAILED;
    }
    if (state->running < SLOTS_NONE && !updating->wish->older &&
        image_version(updating->part) < state->slot[state->running].version) {
        fprintf(stderr,
                "%s: %s is older than %s, which runs. With --older it is installed all the same\n",
                link->command, node_file_version(image_version(updating->part), a),
                node_file_version(state->slot[state->running].version, b));
        return EXIT_CODE_FAILED;
    }
    if (!updating->wish->json)
        fprintf(stderr, "%s gets %s into slot %s; %s runs\n", state->board,
                node_file_version(image_version(updating->part), a), letter(updating->slot),
                state->running == SLOTS_NONE
                    ? "the boot loader"
                    : node_file_version(state->slot[state->running].version, b));
    return EXIT_CODE_OK;
}

/* Another version than the new one answers: why. */
static int tell_back(const struct updating *updating, const struct node_state *state)
{
    unsigned is = state->slot[updating->slot].state;

    if (is == SLOT_REFUSED)
        fprintf(stderr, "%s: the node refused the version: %s\n", updating->link->command,
                node_state_fault(state->slot[updating->slot].reason));
    else if (is == SLOT_FILLED)
        fprintf(stderr,
                "%s: the new version is all there, but was not started: the command for it, sent "
                "%d times, did not reach the node. It works as before. Say it again; when that "
                "does not help, look at the line\n",
                updating->link->command, TRIES);
    else
        fprintf(stderr, "%s: %s: the new version is %s. The node works as before\n",
                updating->link->command,
                state->boot_loader ? "the boot loader answers" : "went back to the old version",
                is == SLOT_FAILED ? "one that did not work" : node_state_word(is));
    return EXIT_CODE_FAILED;
}

/* Has it started, and waits until the node answers. Where the new version is there and was not
 * started, the request was lost, and is sent again. */
static int start(struct updating *updating)
{
    struct node_link *link = updating->link;
    int error = 0;

    for (int i = 0; i < TRIES && !error; i++) {
        error = node_update_command(link, UPDATE_START, updating->state.reply_ms);
        if (error && !is_lost(error))
            return error;
        show_step(updating, "restarting",
                  error ? "whether it restarts is not known: there was no reply"
                        : "it restarts with the new version");
        error = node_update_await(link, &updating->state);
        if (updating->state.slot[updating->slot].state != SLOT_FILLED)
            break;
    }
    return error;
}

/* From the restart to the confirmation. */
static int try_out(struct updating *updating)
{
    struct node_link *link = updating->link;
    char words[80];
    int error = start(updating);

    if (error)
        return node_update_tell(link, error);
    if (updating->state.running != updating->slot)
        return tell_back(updating, &updating->state);
    if (updating->wish->no_confirm)
        return EXIT_CODE_OK;
    snprintf(words, sizeof words, "it answers; %d good answers, and it is confirmed",
             updating->wish->reads);
    show_step(updating, "watching", words);
    error = node_update_watch(link, updating->wish->reads);
    if (error == ERR_TIMEOUT)
        fprintf(stderr,
                "%s: the new version does not answer well enough to be confirmed. The node goes "
                "back to the old one by itself\n",
                link->command);
    if (error)
        return error == ERR_TIMEOUT ? EXIT_CODE_FAILED : node_link_tell(link, error);
    error = ERR_TIMEOUT;
    for (int i = 0; i < TRIES && is_lost(error); i++)
        error = node_update_command(link, UPDATE_CONFIRM, updating->state.reply_ms);
    if (error)
        return node_update_tell(link, error);
    error = node_state_read(link, &updating->state, TRIES);
    if (error)
        return node_state_tell(link, error);
    return updating->state.running == updating->slot &&
                   updating->state.slot[updating->slot].state == SLOT_CONFIRMED
               ? EXIT_CODE_OK
               : tell_back(updating, &updating->state);
}

static void show_done(const struct updating *updating)
{
    const struct node_wish *wish = updating->wish;
    char version[16], line[LINE_SIZE];

    node_file_version(image_version(updating->part), version);
    snprintf(line, sizeof line,
             "{\"kind\":\"done\",\"version\":\"%s\",\"slot\":\"%s\",\"confirmed\":%s}", version,
             letter(updating->slot), wish->no_confirm ? "false" : "true");
    told_line(&updating->link->told, line, true);
    if (wish->json)
        printf("%s\n", line);
    else
        printf("%s runs%s\n", version,
               wish->no_confirm ? ", on trial: sluice node confirm" : ", and is confirmed");
}

static int run(struct node_link *link, const struct node_file *file, const struct node_wish *wish)
{
    struct updating updating = {.link = link, .wish = wish, .shown = -1};
    int code = look_before(&updating, file), error;

    if (code)
        return code;
    error = deliver(&updating);
    if (error)
        return node_update_tell(link, error);
    code = try_out(&updating);
    if (code)
        return code;
    show_done(&updating);
    return EXIT_CODE_OK;
}

int node_update_run(struct node_link *link, const struct node_file *file,
                    const struct node_wish *wish)
{
    link->told.kind = "node-update";

    int code = run(link, file, wish);
    told_end(&link->told, code);
    return code;
}
