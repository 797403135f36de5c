/* The pins of the board beside the line: contacts, outputs, the light, the sensor's two wires. */
#ifndef SLUICE_NODE_CONTACTS_H
#define SLUICE_NODE_CONTACTS_H

#include "node/core/i2c.h"
#include "node/core/node.h"

/* Sets them up; whether the strap of the rescue is set. */
bool contacts_open(void);

void contacts_read(bool closed[MAP_DISCRETES]);
void contacts_show(const bool outputs[MAP_COILS]);

/* Lights for a moment: somebody was answered. */
void contacts_blink(uint32_t now_ms);
void contacts_tick(uint32_t now_ms);

/* Millivolts at the terminal, or -1. */
int32_t contacts_analog(unsigned channel);

extern const struct i2c contacts_i2c;

#endif
