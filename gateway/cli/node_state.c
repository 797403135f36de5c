#include "cli/node_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/node_file.h"
#include "core/error.h"
#include "core/text.h"
#include "daemon/gateway.h"

static uint32_t both(const uint16_t *registers)
{
    return (uint32_t)registers[0] << 16 | registers[1];
}

static void take(struct node_state *state, const uint16_t *at)
{
    state->boot_loader = at[UPDATE_AT_MODE] != 0;
    state->running = at[UPDATE_AT_RUNNING] < SLOTS_NONE ? at[UPDATE_AT_RUNNING] : SLOTS_NONE;
    for (unsigned i = 0; i < 2; i++) {
        state->slot[i].state = at[UPDATE_AT_STATES + i];
        state->slot[i].reason = at[UPDATE_AT_REASONS + i];
        state->slot[i].version = both(at + UPDATE_AT_VERSIONS + 2 * i);
    }
    state->phase = at[UPDATE_AT_PHASE];
    state->fault = at[UPDATE_AT_FAULT];
    state->pages = at[UPDATE_AT_PAGES];
    state->tries = at[UPDATE_AT_TRIES];
    state->next = both(at + UPDATE_AT_NEXT);
    state->length = both(at + UPDATE_AT_LENGTH);
    state->oldest = both(at + UPDATE_AT_OLDEST);
    state->trial_s = at[UPDATE_AT_TRIAL_S];
    state->block_max = at[UPDATE_AT_BLOCK_MAX];
    state->slot_size = both(at + UPDATE_AT_SLOT_SIZE);
    state->reply_ms = at[UPDATE_AT_REPLY_MS];
    for (unsigned i = 0; i < IMAGE_BOARD_SIZE; i++)
        state->board[i] = (char)(at[UPDATE_AT_BOARD + i / 2] >> (i % 2 ? 0 : 8));
}

int node_state_read(struct node_link *link, struct node_state *state, int tries)
{
    uint16_t registers[UPDATE_READ_COUNT];
    int error = node_link_read(link, 0, UPDATE_READ_COUNT, registers, tries);

    *state = (struct node_state){0};
    if (error)
        return error;
    if (registers[UPDATE_AT_MAGIC] != UPDATE_MAGIC ||
        registers[UPDATE_AT_WINDOW] != UPDATE_WINDOW ||
        registers[UPDATE_AT_BLOCK_MAX] < IMAGE_ALIGN ||
        registers[UPDATE_AT_BLOCK_MAX] > UPDATE_BLOCK_MAX)
        return ERR_UNSUPPORTED;
    take(state, registers);
    for (const char *at = state->board; *at; at++) {
        if (*at < ' ' || *at > '~')
            return ERR_UNSUPPORTED;
    }
    return 0;
}

int node_state_tell(const struct node_link *link, int error)
{
    if (error != ERR_UNSUPPORTED)
        return node_link_tell(link, error);
    fprintf(stderr,
            "%s: what this device has at holding register %u is no window for updates that this "
            "program knows: it is no node of ours, or a later one\n",
            link->command, UPDATE_FIRST);
    return EXIT_CODE_FAILED;
}

const char *node_state_word(unsigned state)
{
    static const char *const words[] = {"empty",
                                        "not all there",
                                        "all there, not started",
                                        "on trial",
                                        "confirmed",
                                        "confirmed before",
                                        "went back from it",
                                        "was not confirmed, went back from it",
                                        "refused",
                                        "damaged"};

    return state < sizeof words / sizeof words[0] ? words[state] : "unknown";
}

const char *node_state_fault(unsigned fault)
{
    static const char *const words[] = {
        [IMAGE_FINE] = "for a reason that is not known",
        [IMAGE_NOT_ONE] = "it is no version for a node",
        [IMAGE_OTHER_BOARD] = "it is for another board",
        [IMAGE_OTHER_SLOT] = "it is for the slot that runs",
        [IMAGE_TOO_LONG] = "it is longer than a slot of this node",
        [IMAGE_TOO_OLD] = "it is older than the node allows: versions before that one were "
                          "withdrawn. Take a newer one",
        [IMAGE_ON_TRIAL] = "the version that runs is on trial: sluice node confirm, or sluice "
                           "node rollback, comes first",
        [IMAGE_OUT_OF_TURN] = "that does not come next: another program updates this node, or it "
                              "was restarted. Say it again",
        [IMAGE_BAD_BLOCK] = "the bytes there are not those that were sent. Say it again",
        [IMAGE_FLASH] = "its flash could not be erased or written. Say it again; when that does "
                        "not help, the node is worn out",
        [IMAGE_ALTERED] = "its bytes are not those that were signed: fetch the file again",
        [IMAGE_UNSIGNED] = "it is signed with another key than the one that this node's boot "
                           "loader knows",
        [IMAGE_NOTHING] = "the other slot holds no version to go back to",
    };

    return fault < sizeof words / sizeof words[0] ? words[fault] : words[IMAGE_FINE];
}

bool node_state_on_trial(const struct node_state *state)
{
    return state->running < SLOTS_NONE && state->slot[state->running].state == SLOT_TRIAL;
}

bool node_state_was_left(const struct node_state *state, unsigned slot)
{
    return slot < SLOTS_NONE &&
           (state->slot[slot].state == SLOT_DROPPED || state->slot[slot].state == SLOT_FAILED);
}

void node_state_json(const struct node_state *state, char *out, size_t size)
{
    char version[16];
    struct text text;

    text_init(&text, out, size);
    text_printf(&text, "{\"board\":\"%s\",\"boot_loader\":%s,\"running\":%s,\"slots\":[",
                state->board, state->boot_loader ? "true" : "false",
                state->running == SLOTS_NONE ? "null"
                : state->running             ? "\"B\""
                                             : "\"A\"");
    for (unsigned i = 0; i < 2; i++) {
        text_printf(&text, "%s{\"state\":\"%s\"", i ? "," : "",
                    node_state_word(state->slot[i].state));
        if (state->slot[i].version || state->slot[i].state != SLOT_EMPTY)
            text_printf(&text, ",\"version\":\"%s\"",
                        node_file_version(state->slot[i].version, version));
        if (state->slot[i].state == SLOT_REFUSED)
            text_printf(&text, ",\"why\":\"%s\"", node_state_fault(state->slot[i].reason));
        text_string(&text, "}");
    }
    text_string(&text, "]");
    if (state->trial_s != UINT16_MAX)
        text_printf(&text, ",\"trial_s\":%u,\"tries_left\":%u", state->trial_s, state->tries);
    if (state->phase)
        text_printf(&text, ",\"received\":%" PRIu32 ",\"length\":%" PRIu32, state->next,
                    state->length);
    text_printf(&text, ",\"oldest\":\"%s\"}", node_file_version(state->oldest, version));
}

void node_state_print(const struct node_state *state, bool json)
{
    char version[16], line[NODE_STATE_JSON_SIZE];

    if (json) {
        node_state_json(state, line, sizeof line);
        printf("%s\n", line);
        return;
    }
    printf("board   %s\n", state->board);
    for (unsigned i = 0; i < 2; i++) {
        unsigned is = state->slot[i].state;

        printf("slot %c  %s%s%s%s%s%s\n", i ? 'B' : 'A',
               is == SLOT_EMPTY ? "" : node_file_version(state->slot[i].version, version),
               is == SLOT_EMPTY ? "" : "  ", node_state_word(is), is == SLOT_REFUSED ? ": " : "",
               is == SLOT_REFUSED ? node_state_fault(state->slot[i].reason) : "",
               i == state->running ? ", runs" : "");
    }
    if (state->boot_loader)
        printf("Neither can be started: the boot loader answers. sluice node update mends it.\n");
    if (node_state_on_trial(state))
        printf("The version on trial restarts the node in %u s, and after %u more tries the old "
               "one is back, unless it is confirmed: sluice node confirm.\n",
               state->trial_s, state->tries);
    if (state->phase == UPDATE_ERASING || state->phase == UPDATE_RECEIVING)
        printf("An update is under way: %" PRIu32 " of %" PRIu32 " bytes are there.\n", state->next,
               state->length);
    if (state->oldest)
        printf("No version before %s is taken.\n", node_file_version(state->oldest, version));
}
