/* How board.h numbers the pins of STM32: the port's letter counted from A, and the pin. */
#ifndef SLUICE_NODE_STM32_PINS_H
#define SLUICE_NODE_STM32_PINS_H

#define PIN_PORT(pin)   ((pin) >> 8)
#define PIN_NUMBER(pin) ((pin)&0xFFu)

#endif
