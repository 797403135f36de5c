/* From registers to values: pure, no I/O. */
#ifndef SLUICE_MODBUS_DECODE_H
#define SLUICE_MODBUS_DECODE_H

#include "core/event.h"
#include "modbus/options.h"

/* A string of 125 registers whose bytes are all Latin-1 letters beyond ASCII. */
#define MODBUS_TEXT_SIZE_MAX (4 * MODBUS_REGISTERS_MAX)

/* The bytes of a point's raw value, by its type and length. */
unsigned modbus_decode_size(const struct modbus_point_options *point);

/*
 * Works out the size, the byte order and the scaling of a point whose function and type are set,
 * and which type of value and how many decimals its readings have. `device_order` is one of
 * MODBUS_ABCD, CDAB, BADC, DCBA. A point whose scale stands in another register becomes one of all
 * registers between the two, so that both are always of the same reply.
 */
void modbus_decode_prepare(struct modbus_point_options *point, int device_order,
                           enum value_type *type, int8_t *decimals);

/*
 * Decodes the value that begins `index` registers (or bits, for functions 1 and 2) into the data of
 * a reply: registers as two bytes with the high one first, bits packed from the least significant.
 * The data must hold the whole point. Returns the status: STATUS_GOOD with *value filled (a text is
 * in `text`), STATUS_NOT_AVAILABLE for a sentinel, STATUS_NOT_A_NUMBER for NaN and infinities.
 */
uint16_t modbus_decode(const struct modbus_point_options *point, const uint8_t *data,
                       unsigned index, char text[MODBUS_TEXT_SIZE_MAX], struct value *value);

/*
 * The same for a reading that is to be believed: STATUS_IMPLAUSIBLE, with *value filled, for a
 * float so small or so large that no device measures it.
 */
uint16_t modbus_decode_reading(const struct modbus_point_options *point, const uint8_t *data,
                               unsigned index, char text[MODBUS_TEXT_SIZE_MAX],
                               struct value *value);

#endif
