/* What the window of a sensor node's update says, and in words. */
#ifndef SLUICE_CLI_NODE_STATE_H
#define SLUICE_CLI_NODE_STATE_H

#include "cli/node_link.h"

struct node_state {
    bool boot_loader;
    unsigned running; /* slot; SLOTS_NONE */
    struct {
        unsigned state, reason;
        uint32_t version;
    } slot[2];
    unsigned phase, fault, pages, tries;
    uint32_t next, length, oldest;
    unsigned trial_s; /* UINT16_MAX: not on trial */
    unsigned block_max, reply_ms;
    uint32_t slot_size;
    char board[IMAGE_BOARD_SIZE + 1];
};

/* As node_link_read; ERR_UNSUPPORTED: what is there is no window of ours (told by
 * node_state_tell). */
int node_state_read(struct node_link *link, struct node_state *state, int tries);

/* Tells an error of node_state_read; returns an exit code. */
int node_state_tell(const struct node_link *link, int error);

/* "confirmed", ... */
const char *node_state_word(unsigned state);

/* Why a version, or a command, was refused, and what to do. */
const char *node_state_fault(unsigned fault);

bool node_state_on_trial(const struct node_state *state);

/* Whether the version in that slot was told to make way for the other one. */
bool node_state_was_left(const struct node_state *state, unsigned slot);

#define NODE_STATE_JSON_SIZE 768

/* All of it as an object of JSON, zero-terminated. */
void node_state_json(const struct node_state *state, char *out, size_t size);

/* Shows it on standard output. */
void node_state_print(const struct node_state *state, bool json);

#endif
