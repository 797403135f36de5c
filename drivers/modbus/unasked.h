/* What comes over a line while nobody is asked. Pure: no I/O. */
#ifndef SLUICE_MODBUS_UNASKED_H
#define SLUICE_MODBUS_UNASKED_H

#include "modbus/fence.h"
#include "modbus/frames.h"

struct unasked {
    uint8_t bytes[FRAMES_BYTES_MAX]; /* the first of them */
    size_t size;                     /* 0: begin anew */
};

/* Keeps them behind those that there are, as far as there is room. */
void unasked_keep(struct unasked *unasked, const uint8_t *bytes, size_t size);

/*
 * Looks for late answers: a device that is slow for a while answers what was given up, one after
 * the other, and would be left alone for a minute if nobody took note. Each is no longer waited for
 * in the fence of its unit (`fences` has one for each of the 256). Returns whether all that came
 * were such answers.
 */
bool unasked_late(const struct unasked *unasked, const struct frames_codec *codec,
                  struct fence *fences, int64_t now_ns);

#endif
