/*
 * One request on its way over Modbus TCP: its frame, and whether a frame that came is the answer.
 *
 * A reply carries the number of its request, but not every device and gateway keeps the numbers
 * apart: some put the newest on whatever comes from the line behind them, so that an answer that
 * was given up comes back with the number of the request that followed it. Therefore three things:
 * the numbers are scattered, so that none is another's neighbour; what has come before a request
 * leaves is not its answer (the caller throws it away); and a request of whose shape one is
 * outstanding goes behind a detour, as on a line (fence.h). Replies out of order are known by their
 * numbers, so nothing is done about shapes that are only in doubt.
 *
 * A new connection forgets nothing: a gateway hands on what its line brings, whoever asked for it.
 * But what came late on the old one went with it, so a server that was slow for a while would leave
 * as much outstanding as the fence holds. Then the detour is one that is outstanding itself: the
 * unit is asked on, and its first answer makes room.
 *
 * Pure: no I/O. `fence` is the unit's, and the same in all calls.
 */
#ifndef SLUICE_MODBUS_TCP_FLIGHT_H
#define SLUICE_MODBUS_TCP_FLIGHT_H

#include "modbus/fence.h"
#include "modbus/link.h"
#include "modbus/mbap.h"

struct tcp_flight {
    struct modbus_request request; /* that is to be answered */
    struct modbus_request detour;
    bool detours; /* it is under way, and the request behind it */
    bool open;    /* what was sent last has no answer yet */
    bool misled;  /* something came of its unit, or with its number, that is not its answer, nor a
                     late one to a request that was given up */
    bool late;    /* such a late one came */
    uint16_t number;
    int64_t began_ns, deadline_ns;
    struct link_reply reply; /* the counts are of both */
};

/* Of the outcomes of tcp_flight_take: none yet... */
#define TCP_FLIGHT_WAITS 1
/* ...and a detour has been answered: tcp_flight_frame gives what is next, mostly the request. */
#define TCP_FLIGHT_GOES_ON 2

/* Begins: `request` must hold as long as the flight. */
void tcp_flight_begin(struct tcp_flight *flight, struct fence *fence,
                      const struct modbus_request *request, int64_t now_ns);

/* The frame that is to be sent now, and its size; *number is the connection's last one. Its
 * time-out begins. */
size_t tcp_flight_frame(struct tcp_flight *flight, uint16_t *number, int64_t now_ns,
                        uint8_t frame[MBAP_FRAME_MAX]);

/*
 * Takes a frame. Returns 0, ERR_EXCEPTION or ERR_PROTOCOL as link_ops.transact does, with the
 * reply's data valid as long as the frame; or one of the two above. One that answers another
 * request, of this unit or not, is counted as a stray.
 */
int tcp_flight_take(struct tcp_flight *flight, struct fence *fence, const struct mbap_frame *frame,
                    int64_t now_ns);

/* The same for a frame while none is under way to that unit: late replies are no longer waited for.
 * Returns whether its number is one of a request that was given up. */
bool tcp_flight_late(struct fence *fence, const struct mbap_frame *frame, int64_t now_ns);

/* Its time is over. `partial`: a part of a frame has come. Returns ERR_TIMEOUT, ERR_PROTOCOL or
 * ERR_CHECKSUM. */
int tcp_flight_time_out(const struct tcp_flight *flight, bool partial);

/* It ended without its answer, for whatever reason: that may still come. */
void tcp_flight_lost(const struct tcp_flight *flight, struct fence *fence);

#endif
