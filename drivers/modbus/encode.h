/* From values to registers, the inverse of decode.h: pure, no I/O. */
#ifndef SLUICE_MODBUS_ENCODE_H
#define SLUICE_MODBUS_ENCODE_H

#include "core/event.h"
#include "modbus/options.h"

#define ENCODE_SIZE_MAX (2 * MODBUS_REGISTERS_MAX)

/*
 * Encodes a value of the point's type as its registers go over the wire, 2 * point->count bytes; of
 * a part of a register: the register with nothing but that part; of a coil: one byte, 0 or 1. The
 * point is prepared (modbus_decode_prepare).
 *
 * Nothing is rounded but to the nearest single or double of a point that holds one: a number that
 * lies off the steps of `scale` by more than a millionth of a step is refused, as are what the type
 * cannot hold and what would be read as "not available". Returns true, or false with a sentence in
 * `why` that says what is allowed.
 */
bool modbus_encode(const struct modbus_point_options *point, const struct value *value,
                   uint8_t out[ENCODE_SIZE_MAX], char *why, size_t why_size);

/* Whether the point is only a part of its register (a bit, some bits, a byte), and then which. */
bool modbus_encode_part(const struct modbus_point_options *point, uint8_t mask[2]);

#endif
