/*
 * The window of holding registers by which a new version comes over the bus, in a version that runs
 * and in the boot loader: docs/node-update.md. Nothing goes on in the background: what a command
 * makes is done when it has returned.
 *
 * One thread, the one that answers requests.
 */
#ifndef SLUICE_NODE_UPDATE_H
#define SLUICE_NODE_UPDATE_H

#include "node/core/slots.h"

#define UPDATE_FIRST     4096 /* holding register, counted from 0 */
#define UPDATE_MAGIC     0x534E
#define UPDATE_WINDOW    1 /* its version */
#define UPDATE_BLOCK_MAX 240

/* From the first register of the window. To be read: */
enum update_register {
    UPDATE_AT_MAGIC = 0,
    UPDATE_AT_WINDOW,
    UPDATE_AT_MODE, /* 0 a version, 1 the boot loader */
    UPDATE_AT_RUNNING,
    UPDATE_AT_STATES,
    UPDATE_AT_VERSIONS = 6,
    UPDATE_AT_REASONS = 10,
    UPDATE_AT_PHASE = 12,
    UPDATE_AT_FAULT,
    UPDATE_AT_PAGES,
    UPDATE_AT_TRIES,
    UPDATE_AT_NEXT,
    UPDATE_AT_LENGTH = 18,
    UPDATE_AT_OLDEST = 20,
    UPDATE_AT_TRIAL_S = 22,
    UPDATE_AT_BLOCK_MAX,
    UPDATE_AT_SLOT_SIZE,
    UPDATE_AT_REPLY_MS = 26,
    UPDATE_AT_BOARD = 28,
    UPDATE_READ_COUNT = 40,
    /* To be written: */
    UPDATE_AT_BEGIN = 64,
    UPDATE_AT_COMMAND = 144,
    UPDATE_AT_BLOCK = 160, /* two registers of where it begins, then its bytes */
    UPDATE_COUNT = UPDATE_AT_BLOCK + 2 + UPDATE_BLOCK_MAX / 2,
};

enum update_command {
    UPDATE_ERASE = 1,
    UPDATE_FINISH,
    UPDATE_START,
    UPDATE_CONFIRM,
    UPDATE_BACK,
};

enum update_phase {
    UPDATE_IDLE,
    UPDATE_ERASING,
    UPDATE_RECEIVING,
    UPDATE_COMPLETE,
};

struct update {
    const struct slots *slots;
    uint8_t running, target; /* slots */
    uint8_t phase, fault;
    bool reset;
    uint16_t pages; /* still to be erased */
    uint16_t ran_s;
    uint32_t next; /* byte of the version */
    uint8_t header[IMAGE_HEADER_SIZE];
};

/* `running`: the slot that this code is in; SLOTS_NONE: the boot loader. `slots` outlives it. */
void update_open(struct update *update, const struct slots *slots, unsigned running);

/* The callbacks of an area (slave.h) of UPDATE_COUNT holding registers; `context` is the update. */
uint16_t update_read(void *context, uint16_t index);
uint8_t update_write(void *context, uint16_t index, uint16_t count, const uint8_t *data);

/* Whether the node is to restart, once the reply has been sent. */
bool update_wants_reset(const struct update *update);

/* To be called once a second. True: this version was not confirmed in its time, restart. */
bool update_second(struct update *update);

#endif
