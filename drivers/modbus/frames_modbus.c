/*
 * libmodbus makes and reads the RTU frames of a serial port; nothing else includes it. It is given
 * an open descriptor and asked for whole frames; where it would open one, keep a time of its own or
 * recover from errors is never used. Its byte time-out is off: then its response time-out is one
 * deadline for the whole reply, however slowly the bytes come.
 */
#include <errno.h>
#include <modbus.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

#include "core/error.h"
#include "modbus/frames.h"

#define MICROSECONDS 1000000

struct modbus_frames {
    struct frames base; /* first: what others get a pointer to */
    modbus_t *library;
    uint8_t adu[MODBUS_MAX_ADU_LENGTH];
};

static int send_frame(struct frames *base, uint8_t unit, const uint8_t *pdu, size_t size)
{
    struct modbus_frames *frames = (struct modbus_frames *)base;

    frames->adu[0] = unit;
    memcpy(frames->adu + 1, pdu, size);
    modbus_set_socket(frames->library, base->wire->fd);
    /* It takes its unit from here, not from the frame. */
    modbus_set_slave(frames->library, unit);
    return modbus_send_raw_request(frames->library, frames->adu, (int)size + 1) == (int)size + 3
               ? 0
               : ERR_IO;
}

static int receive_frame(struct frames *base, int64_t until_mono_ns, struct frame *frame)
{
    struct modbus_frames *frames = (struct modbus_frames *)base;
    int ready = wire_wait(base->wire, until_mono_ns), size;
    int64_t left_us = (until_mono_ns - wire_now(base->wire)) / NS_PER_US;

    if (ready <= 0)
        return ready == 0 ? ERR_TIMEOUT : ready;
    if (left_us < 1000)
        left_us = 1000;
    modbus_set_response_timeout(frames->library, (uint32_t)(left_us / MICROSECONDS),
                                (uint32_t)(left_us % MICROSECONDS));
    size = modbus_receive_confirmation(frames->library, frames->adu);
    if (size < 0 && errno != ETIMEDOUT && errno != EMBBADCRC && errno != EMBBADDATA)
        return ERR_IO;
    if (size < 0)
        return ERR_CHECKSUM;
    /* 0: a frame that it saw to be another unit's and keeps to itself. */
    *frame = (struct frame){.unit = size ? frames->adu[0] : 0,
                            .pdu = frames->adu + 1,
                            .pdu_size = size ? (size_t)size - 3 : 2};
    return 0;
}

static void free_frames(struct frames *base)
{
    modbus_free(((struct modbus_frames *)base)->library);
    free(base);
}

int frames_new_modbus(struct frames **frames, struct wire *wire)
{
    static const struct frames_ops ops = {send_frame, receive_frame, free_frames};
    const struct port_settings *line = &wire->options->line;
    struct modbus_frames *made = calloc(1, sizeof *made);
    modbus_t *library = modbus_new_rtu("/dev/null", line->baud, line->parity, 8, line->stop_bits);

    if (!made || !library) {
        if (library)
            modbus_free(library);
        free(made);
        return ERR_NOMEM;
    }
    modbus_set_byte_timeout(library, 0, 0);
    made->base.ops = &ops;
    made->base.wire = wire;
    made->library = library;
    *frames = &made->base;
    return 0;
}

bool frames_modbus_can(const struct wire *wire, uint8_t function)
{
    return wire->fd < FD_SETSIZE && function != PDU_IDENTIFY && !wire->drains;
}
