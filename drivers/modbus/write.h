/*
 * Writing a point: which requests it takes, one after the other, and what the answers mean. No I/O:
 * whoever has the wire asks for the next request and hands back what came of it, so that it serves
 * a thread that waits and an engine that does not.
 *
 *     read before (only to rewrite a register of which only a part is meant) -> write -> read back
 *
 * A write is sent once and never repeated: the device may act on each. When its answer is lost,
 * what is read back decides.
 */
#ifndef SLUICE_MODBUS_WRITE_H
#define SLUICE_MODBUS_WRITE_H

#include "core/site.h"
#include "modbus/decode.h"
#include "modbus/encode.h"
#include "modbus/link.h"

enum write_stage { WRITE_READS_FIRST, WRITE_WRITES, WRITE_READS_BACK, WRITE_DONE };

struct modbus_write {
    enum write_stage stage;
    const struct site_device *device;
    const struct site_point *point;
    uint8_t registers[ENCODE_SIZE_MAX]; /* as they are to be in the device; a coil: its bit */
    uint8_t mask[2];                    /* of a part of a register: its place; else zero */
    uint8_t data[ENCODE_SIZE_MAX];      /* of the request */
    bool acknowledged;
    /* When it is done: */
    uint16_t status;
    bool have_value; /* `value` was read back */
    struct value value;
    int64_t mono_ns; /* when it was */
    char text[MODBUS_TEXT_SIZE_MAX];
};

/* Begins to write; the device and point outlive it. `value` was agreed to by modbus_can_write. */
void modbus_write_begin(struct modbus_write *write, const struct site_device *device,
                        const struct site_point *point, const struct value *value);

/* The next request, but for its unit and time-out; false when it is done. Its data lives in
 * `write`. */
bool modbus_write_next(struct modbus_write *write, struct modbus_request *request);

/* What came of that request: as of link_ops.transact, but ERR_CLOSED. */
void modbus_write_take(struct modbus_write *write, int result, const struct link_reply *reply);

/* Why no value can ever be written to the point, as a sentence; NULL: some can. */
const char *modbus_write_refusal(const struct modbus_point_options *point);

/* driver.can_write */
bool modbus_can_write(const struct site_device *device, const struct site_point *point,
                      const struct value *value, char *why, size_t why_size);

#endif
