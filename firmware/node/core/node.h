/*
 * A node as a whole, without the hardware: its registers, what happens to a frame, what a
 * millisecond brings. The program around it gives it frames and readings, and does what it asks
 * for.
 */
#ifndef SLUICE_NODE_NODE_H
#define SLUICE_NODE_NODE_H

#include "map_table.h"
#include "node/core/filter.h"
#include "node/core/frame.h"
#include "node/core/input.h"
#include "node/core/sensor.h"
#include "node/core/settings.h"
#include "node/core/slave.h"

#define NODE_ANALOGS 2
#define NODE_AREAS   5

_Static_assert(MAP_INPUT_ANALOG_INPUT_VOLTAGE_2 == MAP_INPUT_ANALOG_INPUT_VOLTAGE_1 + 1 &&
                   MAP_INPUT_COUNTER_2 == MAP_INPUT_COUNTER_1 + 2,
               "channels lie one behind the other");

/* What does not change while it runs. */
struct node_facts {
    struct settings_board settings;
    const char *model;       /* the board's id */
    const char *version;     /* of the firmware */
    uint64_t serial;         /* of the SoC; 0: it has none */
    uint16_t restart_reason; /* MAP_RESTART_REASON_IS_... */
    bool rescue;             /* the strap is set */
};

struct node {
    const struct node_facts *facts;
    struct settings settings;
    struct area areas[NODE_AREAS];
    struct slave slave;
    uint16_t inputs[MAP_INPUTS]; /* the input registers as they are read */
    struct input contacts[MAP_DISCRETES];
    bool outputs[MAP_COILS];
    struct filter temperature, humidity, pressure, analog[NODE_ANALOGS];
    uint32_t answered;
    uint32_t now_ms, second_ms;
    uint32_t heard_ms; /* when the last request for it came */
    uint16_t asked;    /* MAP_SYSTEM_RESET_IS_..., to be done when the reply has left */
};

/* Begins with the settings that are stored. `facts` must outlive it. */
void node_open(struct node *node, const struct node_facts *facts);

/* Adds registers that another part of the program looks after; false when there is no room. */
bool node_add_area(struct node *node, const struct area *area);

/*
 * A sound frame of `size` bytes, checksum included, is there. Returns the size of the frame to be
 * sent back, with its checksum, or 0 when there is nothing to say: it is for another unit, or for
 * all. What is for all sets relays, and nothing else.
 */
size_t node_answer(struct node *node, const uint8_t *frame, size_t size,
                   uint8_t reply[FRAME_SIZE_MAX]);

enum node_wish {
    NODE_NOTHING,
    NODE_LINE, /* open the line anew: settings_line(), and the unit and framing in settings */
    NODE_RESTART,
};

/* The reply has left, or there was none. Whatever it asks for comes before the next frame. */
enum node_wish node_sent(struct node *node);

/* A millisecond has passed; or several, where something took long. `closed` is what the contacts
 * look like now. */
enum node_wish node_tick(struct node *node, uint32_t now_ms, const bool closed[MAP_DISCRETES]);

/* How often to measure. */
uint32_t node_interval_ms(const struct node *node);

/* What the climate sensor has to say. */
void node_take_sensor(struct node *node, const struct sensor *sensor, enum sensor_news news);

/* What an analog input has, in millivolts; below 0: it has no reading. */
void node_take_analog(struct node *node, unsigned channel, int32_t millivolts);

/* Counters that others keep. */
void node_take_damaged(struct node *node, uint32_t frames);

#endif
