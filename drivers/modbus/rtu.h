/*
 * The frames of Modbus RTU: unit, PDU, CRC (Modbus over serial line 1.02, 2.5.1). What ends a frame
 * is its own length, as the PDU tells it, and not a silence: networks and USB adapters break frames
 * up. Pure: no I/O.
 */
#ifndef SLUICE_MODBUS_RTU_H
#define SLUICE_MODBUS_RTU_H

#include <stdbool.h>

#include "modbus/pdu.h"

#define RTU_AROUND_PDU  3 /* unit and CRC */
#define RTU_FRAME_MAX   (PDU_SIZE_MAX + RTU_AROUND_PDU)
#define RTU_FRAME_LEAST 5 /* an exception */

/* CRC-16 with the polynomial 8005, reflected, from FFFF; the same document, 6.2.2. */
uint16_t rtu_crc(const uint8_t *data, size_t size);

/* Writes the frame of a PDU and returns its size. */
size_t rtu_encode(uint8_t unit, const uint8_t *pdu, size_t size, uint8_t frame[RTU_FRAME_MAX]);

/*
 * The size of the reply that begins with these bytes, at most RTU_FRAME_MAX; 0 when more of it must
 * be seen to tell; ERR_PROTOCOL when it is the reply to nothing that pdu.h can ask, or longer than
 * any.
 */
int rtu_reply_size(const uint8_t *bytes, size_t have);

/* Whether the CRC at the end of the frame is right. */
bool rtu_is_sound(const uint8_t *frame, size_t size);

#endif
