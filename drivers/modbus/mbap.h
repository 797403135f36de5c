/*
 * The frames of Modbus TCP: a header of transaction, protocol, length and unit before the PDU
 * (Modbus messaging on TCP/IP 1.0b, 3.1.3). Pure: no I/O.
 */
#ifndef SLUICE_MODBUS_MBAP_H
#define SLUICE_MODBUS_MBAP_H

#include <stddef.h>
#include <stdint.h>

#include "modbus/pdu.h"

#define MBAP_HEADER_SIZE 7
#define MBAP_FRAME_MAX   (MBAP_HEADER_SIZE + PDU_SIZE_MAX)
#define MBAP_ROOM        (2 * MBAP_FRAME_MAX) /* what is worth asking a socket for at once */

/* What came of a connection and is not yet taken. */
struct mbap {
    size_t first, end; /* of the bytes in `data` */
    uint8_t data[MBAP_ROOM];
};

struct mbap_frame {
    uint16_t transaction;
    uint8_t unit;
    const uint8_t *pdu; /* valid until more is received */
    size_t size;
};

/*
 * The number of the request that follows the one of that number. All 65,536 come in turn, but not
 * in their order: no number is followed, at once or behind another one, by one that is larger or
 * smaller by 1, or differs from it in the last bit, as those do that a device gets wrong.
 */
static inline uint16_t mbap_number_behind(uint16_t number)
{
    return (uint16_t)(40505u * number + 13853u);
}

/* Writes the frame of a request and returns its size. */
size_t mbap_encode(const struct modbus_request *request, uint16_t transaction,
                   uint8_t frame[MBAP_FRAME_MAX]);

static inline void mbap_clear(struct mbap *mbap)
{
    mbap->first = mbap->end = 0;
}

static inline bool mbap_is_empty(const struct mbap *mbap)
{
    return mbap->first == mbap->end;
}

/* Where to receive to, and how many bytes fit: at least MBAP_FRAME_MAX when no frame is left to
 * take. The caller adds what came to mbap->end. */
uint8_t *mbap_room(struct mbap *mbap, size_t *room);

/* Takes the next frame. Returns 1, 0 when more must be received first, or ERR_PROTOCOL when the
 * stream is not, or no longer, one of frames: nothing behind can be believed. */
int mbap_take(struct mbap *mbap, struct mbap_frame *frame);

#endif
