/* What a profile says under "assign": by which registers a device gets its unit and its line. */
#ifndef SLUICE_CONFIG_ASSIGN_H
#define SLUICE_CONFIG_ASSIGN_H

#include <stdbool.h>
#include <stdint.h>

/* Reads an item of "bauds", as "9600=2". False where it is none. */
bool config_assign_baud(const char *text, int32_t *baud, uint16_t *code);

struct assign_format {
    uint8_t data_bits, stop_bits;
    char parity;       /* 'N', 'E', 'O' */
    uint16_t code;     /* of the format, or of its parity alone... */
    int32_t stop_code; /* ...where the stop bits have a register of their own; -1: they have not */
};

/* Reads an item of "formats", as "8E1=1" or, with two registers, "8E1=2/1". False where it is
 * none. */
bool config_assign_format(const char *text, struct assign_format *format);

#endif
