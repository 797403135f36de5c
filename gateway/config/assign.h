/* What a profile says under "assign": by which registers a device gets its unit and its baud. */
#ifndef SLUICE_CONFIG_ASSIGN_H
#define SLUICE_CONFIG_ASSIGN_H

#include <stdbool.h>
#include <stdint.h>

/* Reads an item of "bauds", as "9600=2". False where it is none. */
bool config_assign_baud(const char *text, int32_t *baud, uint16_t *code);

#endif
