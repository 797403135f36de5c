#include "modbus/tcp_flight.h"

#include "core/error.h"

#define NO_FUNCTION 0x80 /* with the bit of an exception */

/* The detour, where one is needed. False where one is and there is no room for another shape: then
 * it must not be lost. */
static bool choose_detour(struct tcp_flight *flight, struct fence *fence, int64_t now_ns)
{
    flight->detours = fence_closed(fence, fence_shape(&flight->request), now_ns);
    if (!fence_has_room(fence)) /* now that what is too old is forgotten */
        return false;
    return !flight->detours || fence_detour(fence, &flight->request, &flight->detour, now_ns);
}

void tcp_flight_begin(struct tcp_flight *flight, struct fence *fence,
                      const struct modbus_request *request, int64_t now_ns)
{
    *flight = (struct tcp_flight){.request = *request, .began_ns = now_ns};
    flight->reply.sent_ns = now_ns;
    if (choose_detour(flight, fence, now_ns))
        return;
    flight->detours = true;
    fence_again(fence, request, &flight->detour);
}

/* What is under way. */
static const struct modbus_request *sent(const struct tcp_flight *flight)
{
    return flight->detours ? &flight->detour : &flight->request;
}

size_t tcp_flight_frame(struct tcp_flight *flight, uint16_t *number, int64_t now_ns,
                        uint8_t frame[MBAP_FRAME_MAX])
{
    *number = mbap_number_behind(*number);
    flight->number = *number;
    flight->reply.sent_ns = now_ns;
    flight->reply.requests++;
    flight->open = true;
    flight->deadline_ns = now_ns + flight->request.timeout_ns;
    return mbap_encode(sent(flight), *number, frame);
}

/* An older request of the unit is answered, whatever number the frame carries. */
static bool takes_late(struct fence *fence, const struct mbap_frame *frame, int64_t now_ns)
{
    uint16_t shape = fence_shape_of(frame->pdu, frame->size);

    if (!fence_closed(fence, shape, now_ns))
        return false;
    fence_late(fence, shape);
    return true;
}

/* The detour that is sent again has been answered, by its own reply or an older one: as many of
 * them are outstanding as before. */
static int take_again(struct tcp_flight *flight, struct fence *fence, int64_t now_ns)
{
    uint16_t shape = fence_shape(&flight->detour);

    fence_lost(fence, shape, flight->reply.sent_ns);
    fence_late(fence, shape);
    return choose_detour(flight, fence, now_ns) ? TCP_FLIGHT_GOES_ON : ERR_PROTOCOL;
}

static int take_answer(struct tcp_flight *flight, struct fence *fence,
                       const struct mbap_frame *frame, int64_t now_ns)
{
    size_t offset = pdu_data_offset(flight->request.function);

    flight->reply.answers++;
    flight->open = false;
    if (flight->detours && fence_closed(fence, fence_shape(&flight->detour), now_ns))
        return take_again(flight, fence, now_ns);
    fence_settled(fence);
    if (flight->detours) {
        flight->detours = false;
        return TCP_FLIGHT_GOES_ON;
    }
    fence->late_ns = 0;
    flight->reply.data = frame->pdu + offset;
    flight->reply.size = frame->size - offset;
    return 0;
}

/* It says no more than its function: while an older request of that function is outstanding it may
 * be the answer to that one. */
static int take_exception(struct tcp_flight *flight, struct fence *fence,
                          const struct mbap_frame *frame, int64_t now_ns)
{
    uint8_t function = sent(flight)->function;

    flight->reply.answers++;
    if (fence_waits(fence, function, now_ns)) {
        fence_exception(fence, function);
        flight->reply.strays++;
        return ERR_PROTOCOL;
    }
    flight->open = false;
    fence_settled(fence);
    if (flight->detours) {
        flight->detours = false;
        return TCP_FLIGHT_GOES_ON;
    }
    fence->late_ns = 0;
    flight->reply.exception = frame->pdu[1];
    return ERR_EXCEPTION;
}

/* As pdu_match. Some servers (pymodbus from 3.7 on) put no function into an exception: by number
 * and unit it is known all the same to what. */
static enum pdu_match match(const struct tcp_flight *flight, const struct mbap_frame *frame)
{
    if (frame->size == 2 && frame->pdu[0] == NO_FUNCTION)
        return PDU_EXCEPTION;
    return pdu_match(sent(flight), frame->pdu, frame->size);
}

int tcp_flight_take(struct tcp_flight *flight, struct fence *fence, const struct mbap_frame *frame,
                    int64_t now_ns)
{
    flight->reply.mono_ns = now_ns;
    if (frame->unit == flight->request.unit && frame->transaction == flight->number) {
        switch (match(flight, frame)) {
        case PDU_ANSWER:
            return take_answer(flight, fence, frame, now_ns);
        case PDU_EXCEPTION:
            return take_exception(flight, fence, frame, now_ns);
        case PDU_OTHER:
            break;
        }
        flight->reply.strays++;
        flight->misled = true;
        return takes_late(fence, frame, now_ns) ? TCP_FLIGHT_WAITS : ERR_PROTOCOL;
    }
    flight->reply.strays++;
    if (frame->unit == flight->request.unit) {
        bool given_up = tcp_flight_late(fence, frame, now_ns);
        flight->late |= given_up;
        flight->misled |= !given_up;
    } else {
        flight->misled |= frame->transaction == flight->number;
    }
    return TCP_FLIGHT_WAITS;
}

bool tcp_flight_late(struct fence *fence, const struct mbap_frame *frame, int64_t now_ns)
{
    bool given_up = fence_late_number(fence, frame->transaction, now_ns);

    takes_late(fence, frame, now_ns);
    return given_up;
}

int tcp_flight_time_out(const struct tcp_flight *flight, bool partial)
{
    if (partial)
        return ERR_CHECKSUM;
    return flight->misled ? ERR_PROTOCOL : ERR_TIMEOUT;
}

void tcp_flight_lost(const struct tcp_flight *flight, struct fence *fence)
{
    if (flight->open)
        fence_lost_numbered(fence, fence_shape(sent(flight)), flight->reply.sent_ns,
                            flight->number);
}
