/* What sim_tcp answers. */
#include <string.h>

#include "registers.h"
#include "sim_tcp.h"
#include "units.h"
#include "wire.h"

static void put_length(struct frame *frame, size_t length)
{
    frame->data[4] = (uint8_t)(length >> 8);
    frame->data[5] = (uint8_t)length;
}

static void corrupt(struct server *server, struct frame *frame, enum unit_corruption how)
{
    frame->intact = false;
    server->stats.corrupted++;
    switch (how) {
    case CORRUPT_UNIT:
        frame->data[6] = (uint8_t)(frame->data[6] % 247 + 1);
        break;
    case CORRUPT_FUNCTION:
        frame->data[7] ^= 0x07;
        break;
    case CORRUPT_LENGTH:
        if (frame->length > HEADER_BYTES + 4) {
            frame->length -= 2;
            frame->data[8] = (uint8_t)(frame->data[8] - 2);
            put_length(frame, frame->length - 6);
        }
        break;
    case CORRUPT_SHORT:
        frame->length -= 2;
        break;
    case CORRUPT_PROTOCOL:
        frame->data[3] = 1;
        break;
    default:
        /* TCP has no check sum to fail at this level, so a turned bit would go unnoticed in a
         * value; the transaction identifier is where it can be seen. */
        frame->data[0] ^= 0x55;
        break;
    }
}

int64_t answer_request(struct server *server, const uint8_t *data, size_t length,
                       struct frame *frame)
{
    struct unit *unit = server->options.units.by_id[data[6]];
    struct registers_reply content;
    struct unit_mood mood;
    int64_t took_ns;

    server->stats.requests++;
    if (!unit) {
        server->stats.other_unit++;
        return WIRE_NEVER;
    }
    unit->requests++;
    mood = unit_decide(unit, unit->dead_ns ? wire_now_ns() : 0);
    if (mood.silent) {
        server->stats.silenced++;
        return WIRE_NEVER;
    }
    if (mood.exception) {
        registers_exception(data[HEADER_BYTES] & 0x7f, mood.exception, &content);
    } else if (!registers_answer(unit, data + HEADER_BYTES, length - HEADER_BYTES, &content)) {
        server->stats.bad_length++;
        return WIRE_NEVER;
    }
    server->stats.exceptions += content.exception;
    memcpy(frame->data, data, HEADER_BYTES);
    memcpy(frame->data + HEADER_BYTES, content.pdu, content.length);
    frame->length = HEADER_BYTES + content.length;
    put_length(frame, 1 + content.length);
    frame->unit = unit->id;
    frame->intact = true;
    frame->has_counter = content.has_counter;
    frame->counter = content.counter;
    if (mood.corruption)
        corrupt(server, frame, mood.corruption);
    took_ns = unit->turnaround_ns + mood.delay_ns;
    frame->delayed =
        server->options.late_after_ns ? took_ns > server->options.late_after_ns : mood.delay_ns > 0;
    frame->requests = unit->requests;
    return took_ns ? wire_now_ns() + took_ns : 0;
}
