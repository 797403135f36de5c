/* What of RTU stands at some bytes: how long requests and replies are by what they say, and whether
 * the checksum at that end is right. Pure. */
#ifndef SLUICE_MODBUS_SNIFF_RTU_H
#define SLUICE_MODBUS_SNIFF_RTU_H

#include "modbus/sniff.h"

#define SNIFF_RTU_AROUND 3 /* unit and checksum, around a PDU */
#define SNIFF_RTU_LEAST  4 /* bytes of a frame, of whatever function */

/* The size of the PDU that begins with these bytes, if it is a request, or a reply; 0 where more
 * must be seen to tell; ERR_NOT_FOUND for functions whose size nobody knows. */
int sniff_request_size(const uint8_t *pdu, size_t have);
int sniff_reply_size(const uint8_t *pdu, size_t have);

/*
 * The frame at these bytes: its size, 0 when more may make one, ERR_NOT_FOUND when nothing can.
 * `last`: a silence stands behind them, so that a frame of a function that nobody knows is over.
 * `behind`: garbage stands before them.
 */
int sniff_rtu_at(const uint8_t *bytes, size_t have, enum sniff_way way, bool last, bool behind);

#endif
