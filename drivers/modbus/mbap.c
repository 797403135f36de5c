#include "modbus/mbap.h"

#include <string.h>

#include "core/error.h"

size_t mbap_encode(const struct modbus_request *request, uint16_t transaction,
                   uint8_t frame[MBAP_FRAME_MAX])
{
    size_t size = pdu_encode(request, frame + MBAP_HEADER_SIZE);

    frame[0] = (uint8_t)(transaction >> 8);
    frame[1] = (uint8_t)transaction;
    frame[2] = frame[3] = 0;
    frame[4] = (uint8_t)((size + 1) >> 8);
    frame[5] = (uint8_t)(size + 1);
    frame[6] = request->unit;
    return MBAP_HEADER_SIZE + size;
}

uint8_t *mbap_room(struct mbap *mbap, size_t *room)
{
    if (mbap->first > 0) {
        memmove(mbap->data, mbap->data + mbap->first, mbap->end - mbap->first);
        mbap->end -= mbap->first;
        mbap->first = 0;
    }
    *room = sizeof mbap->data - mbap->end;
    return mbap->data + mbap->end;
}

int mbap_take(struct mbap *mbap, struct mbap_frame *frame)
{
    const uint8_t *bytes = mbap->data + mbap->first;
    size_t have = mbap->end - mbap->first, length;

    if (have < MBAP_HEADER_SIZE)
        return 0;
    length = (size_t)bytes[4] << 8 | bytes[5]; /* counts the unit, too */
    if (bytes[2] || bytes[3] || length < 3 || length > PDU_SIZE_MAX + 1)
        return ERR_PROTOCOL;
    if (have < MBAP_HEADER_SIZE - 1 + length)
        return 0;
    frame->transaction = (uint16_t)(bytes[0] << 8 | bytes[1]);
    frame->unit = bytes[6];
    frame->pdu = bytes + MBAP_HEADER_SIZE;
    frame->size = length - 1;
    mbap->first += MBAP_HEADER_SIZE - 1 + length;
    if (mbap->first == mbap->end)
        mbap_clear(mbap);
    return 1;
}
