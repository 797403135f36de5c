/*
 * What the holding registers set, and how it lasts.
 *
 * A change of what the node is reached by (unit, baud, format, framing) is on trial first: it
 * applies when the reply has left, and is stored once a request comes in at the new place. When
 * none comes within SETTINGS_TRIAL_MS, or power is lost before, the node is where it was. So nobody
 * loses a node by a wrong number. Times are milliseconds of a 32-bit counter that may wrap.
 */
#ifndef SLUICE_NODE_SETTINGS_H
#define SLUICE_NODE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "map_table.h"
#include "node/core/store.h"

#define SETTINGS_TRIAL_MS 60000
#define SETTINGS_COUNT    MAP_HOLDING_SYSTEM_RESET /* those that are stored */

/* The first of them say where the node is reached. */
#define SETTINGS_PLACE (MAP_HOLDING_SETTING_FRAMING + 1)

/* What the board can do, and what it begins with. */
struct settings_board {
    const struct nflash *flash; /* NULL: nothing is kept without power */
    uint32_t baud_max;
    uint8_t formats; /* bit N: the format with code N */
    uint8_t framing; /* MAP_SETTING_FRAMING_IS_..., of a new node */
};

enum settings_trial {
    SETTINGS_SETTLED,
    SETTINGS_CHANGED, /* written; the node is still where it was */
    SETTINGS_TRIED,   /* it is at the new place, and nobody asked there so far */
};

struct settings {
    const struct settings_board *board;
    struct store store;
    uint16_t values[SETTINGS_COUNT]; /* that hold now */
    uint16_t kept[SETTINGS_COUNT];   /* that hold after a restart */
    uint16_t before[SETTINGS_PLACE]; /* those of the place to go back to when the trial ends */
    uint32_t trial_ms;               /* when the trial began */
    uint8_t trial;                   /* enum settings_trial */
    bool rescue;                     /* began at the factory's line for this time */
    bool unsaved;                    /* kept[] is to be stored */
    bool failed;                     /* and could not be */
};

struct settings_line {
    uint32_t baud;
    uint8_t data_bits, stop_bits;
    char parity; /* 'N', 'E', 'O' */
};

/* Begins with what is stored, or with the factory's settings. `rescue`: with the factory's unit and
 * line whatever is stored. The board must outlive it. */
void settings_open(struct settings *settings, const struct settings_board *board, bool rescue);

/* The factory's settings, to be stored and to hold from the next restart on. */
void settings_reset(struct settings *settings);

/*
 * Takes registers, high byte first: all or none. 0, or PDU_ILLEGAL_VALUE. `index` and `count` are
 * within SETTINGS_COUNT.
 */
uint8_t settings_write(struct settings *settings, uint16_t index, uint16_t count,
                       const uint8_t *data);

/* The line that values[] stands for. */
struct settings_line settings_line(const struct settings *settings);

/* The reply has left. Whether the line is to be opened anew; then the trial begins. */
bool settings_apply(struct settings *settings, uint32_t now_ms);

/* A sound request to this node came in: where it is now, it is reached. */
void settings_confirm(struct settings *settings);

/* Whether the trial has ended without one, and the line is to be opened anew as it was before. */
bool settings_expire(struct settings *settings, uint32_t now_ms);

/* Stores what is to be stored. Takes as long as the flash does: up to some 100 ms. */
void settings_save(struct settings *settings);

/* MAP_SETTINGS_STATE_IS_... */
uint16_t settings_state(const struct settings *settings);

#endif
