/*
 * The fence against late replies on a serial line. A reply does not say which request it answers,
 * so the answer to a request that was given up may be taken for the answer to the next one. It can
 * only be told apart by what a reply does say: the unit, the function and how many bytes it holds,
 * here called its shape. A write is answered with a copy of its beginning (pdu.c compares it), but
 * a copy does not say of which of two equal writes, and function 16 does not return what was
 * written: all writes of one function have one shape, and so have identifications.
 *
 * Every request of a unit that got no reply is remembered as outstanding. While one is, only a
 * request of another shape may be sent to that unit; when its own reply comes, every older request
 * is settled, because a device answers in order. A request whose shape is outstanding is therefore
 * preceded by a detour, a read of the same place with another length, whose result is thrown away.
 * A detour never writes.
 *
 * A settled shape stays in doubt for a while, for the sake of devices that do not answer in order:
 * a read of it is followed by another detour. Had it been answered by a late reply, its own would
 * turn up before that of the detour, and neither is believed. An exception says nothing but its
 * function, so it may answer whatever request of that function is open.
 *
 * Assumed, and no more: a unit answers each request at most once; in order and not later than
 * FENCE_LATE_NS after the request, or out of order and not later than FENCE_DOUBT_NS. Pure: no I/O.
 * One struct per unit.
 */
#ifndef SLUICE_MODBUS_FENCE_H
#define SLUICE_MODBUS_FENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "modbus/pdu.h"

#define FENCE_LATE_NS  (60 * NS_PER_S)
#define FENCE_DOUBT_NS (10 * NS_PER_S)
#define FENCE_MAX      16 /* shapes that may be outstanding or in doubt at one unit */

struct fence {
    struct fence_shape_lost {
        int64_t first_ns, sent_ns; /* when the oldest and the newest were sent */
        uint32_t times;
        uint16_t shape;
        uint16_t number; /* of the newest, over Modbus TCP; 0: none */
        bool settled;
    } lost[FENCE_MAX]; /* each shape once, the oldest first */
    uint8_t count;
    int64_t late_ns;   /* how long after its request the newest late reply came, at least; 0: none,
                          or it is long ago */
    int64_t silent_ns; /* when the first request was sent that was given up since then; 0: none */
};

/* The shape of the reply to a request; of a reply that came, whose PDU is of `size` bytes, at least
 * 2. Never 0. */
uint16_t fence_shape(const struct modbus_request *request);
uint16_t fence_shape_of(const uint8_t *pdu, size_t size);

/* Whether a reply of that shape could be a late one at this moment. */
bool fence_closed(struct fence *fence, uint16_t shape, int64_t now_ns);

/* Whether a reply of that shape must be followed by a detour before it is believed. */
bool fence_doubtful(struct fence *fence, uint16_t shape, int64_t now_ns);

/*
 * The detour around a request, in *detour: a read that touches the same place (an identification
 * has none: then the first holding register) and whose shape is neither outstanding nor in doubt.
 * False when there is none: then the unit must be left alone until the oldest request is too old to
 * be answered.
 */
bool fence_detour(struct fence *fence, const struct modbus_request *request,
                  struct modbus_request *detour, int64_t now_ns);

/*
 * Where there is no room: a read that is outstanding, once more, in *detour, at the place of the
 * request where it can be; the one that was first asked for last. Its reply may be one to an older
 * read of that shape, of which as many stay outstanding. But a device answers in order, so whatever
 * was sent before the first of them is settled by it, which makes room; and a unit that is silent
 * for long makes no new shapes.
 */
void fence_again(const struct fence *fence, const struct modbus_request *request,
                 struct modbus_request *detour);

/* The request of that shape, sent at `sent_ns`, is given up. */
void fence_lost(struct fence *fence, uint16_t shape, int64_t sent_ns);

/* The same for one with a number, by which its reply is known. */
void fence_lost_numbered(struct fence *fence, uint16_t shape, int64_t sent_ns, uint16_t number);

/* Whether there is room to lose another one without forgetting one that is outstanding, as of the
 * last question that gave the time. */
bool fence_has_room(const struct fence *fence);

/* Whether any request of that function is outstanding; is in doubt. */
bool fence_waits(struct fence *fence, uint8_t function, int64_t now_ns);
bool fence_doubts(struct fence *fence, uint8_t function, int64_t now_ns);

/* The newest request was answered, by a reply whose shape was not outstanding: all before it are
 * settled. */
void fence_settled(struct fence *fence);

/* A late reply of that shape came: it is no longer expected, and what is older is settled. With the
 * moment it is noted how late it was. */
void fence_late(struct fence *fence, uint16_t shape);
void fence_late_at(struct fence *fence, uint16_t shape, int64_t now_ns);

/* A reply with that number came. Where the request was given up, it is noted how late it was, and
 * the answer is true; that it is no longer expected is not said by this. */
bool fence_late_number(struct fence *fence, uint16_t number, int64_t now_ns);

/* The request that was sent at `sent_ns` ended with a time-out. Where no late reply has come for so
 * long that there would have been one to the first time-out since the last, it is forgotten that
 * there were any: the unit does not answer late, but not at all. */
void fence_timed_out(struct fence *fence, int64_t sent_ns);

/*
 * An exception to that function came, of which a request is outstanding: it answers that one, or
 * the newest, and nobody can tell. The oldest of them is no longer waited for, but in doubt.
 */
void fence_exception(struct fence *fence, uint8_t function);

#endif
