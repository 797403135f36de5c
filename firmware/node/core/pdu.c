#include "node/core/pdu.h"

size_t pdu_request_size(const uint8_t *pdu, size_t have)
{
    switch (have ? pdu[0] : 0) {
    case PDU_READ_COILS:
    case PDU_READ_DISCRETE:
    case PDU_READ_HOLDING:
    case PDU_READ_INPUT:
    case PDU_WRITE_COIL:
    case PDU_WRITE_REGISTER:
        return 5;
    case PDU_WRITE_COILS:
    case PDU_WRITE_REGISTERS:
        return have > 5 ? 6u + pdu[5] : 6;
    case PDU_REPORT_SERVER:
        return 1;
    case PDU_IDENTIFY:
        return 4;
    default:
        return 0;
    }
}

/* A stream of objects, each with its number and its length in front: 6.21. */
static size_t identity_size(const uint8_t *pdu, size_t have)
{
    size_t at = 7;

    for (unsigned i = 0; have >= 7 && i < pdu[6] && at < PDU_SIZE_MAX; i++) {
        if (have < at + 2)
            return at + 2;
        at += 2u + pdu[at + 1];
    }
    return at;
}

size_t pdu_reply_size(const uint8_t *pdu, size_t have)
{
    if (have && pdu[0] & PDU_EXCEPTION)
        return 2;
    switch (have ? pdu[0] : 0) {
    case PDU_READ_COILS:
    case PDU_READ_DISCRETE:
    case PDU_READ_HOLDING:
    case PDU_READ_INPUT:
    case PDU_REPORT_SERVER:
        return have > 1 ? 2u + pdu[1] : 2;
    case PDU_WRITE_COIL:
    case PDU_WRITE_REGISTER:
    case PDU_WRITE_COILS:
    case PDU_WRITE_REGISTERS:
        return 5;
    case PDU_IDENTIFY:
        return identity_size(pdu, have);
    default:
        return 0;
    }
}
