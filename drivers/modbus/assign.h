/*
 * Gives a device its unit and the settings of its line, by the registers that its profile names,
 * and makes sure that it answers there. Nothing is written while two devices answer, or where
 * somebody is already. On the thread of its host.
 */
#ifndef SLUICE_MODBUS_ASSIGN_H
#define SLUICE_MODBUS_ASSIGN_H

#include "field/driver.h"
#include "modbus/options.h"

/* The holding registers, counted from 0. */
struct assign_map {
    uint16_t unit_reg, baud_reg, format_reg, stop_reg;
    bool f32;      /* they hold floats in two registers; else a register each */
    bool multiple; /* a single register is written by function 16, too */
    bool restart;  /* what was written holds from the next start of the device on */
};

struct assign_job {
    struct modbus_bus_options bus; /* its line is the one that the device has now */
    struct assign_map map;
    uint8_t from, to;          /* units */
    struct port_settings line; /* that it is to have */
    uint16_t baud_code;        /* what its baud register holds for that... */
    uint16_t format_code;      /* ...and the one of parity and stop bits, or of parity alone... */
    int32_t stop_code;         /* ...where stop_reg holds this for the stop bits; -1: it does not */
    int64_t timeout_ns;        /* for an answer */
    bool force;                /* although the register does not hold the unit */
    /* Called once all is as it should be, before anything is written; or NULL. */
    void (*found)(void *context);
    void *context;
};

#define ASSIGN_DONE 0 /* it answers at its new place */
#define ASSIGN_RESTART                                                                             \
    1 /* it was written, and holds when the device was off and on: then verify                     \
       */

/*
 * ASSIGN_DONE, ASSIGN_RESTART, or an error with a sentence in `why`, after which nothing was
 * written: ERR_TIMEOUT (nobody answers at `from`), ERR_EXISTS (two do, or somebody is at `to`),
 * ERR_INVALID (the register does not hold the unit), ERR_EXCEPTION (the device refuses); after
 * which it may have been: ERR_CORRUPT (it answers at neither place, or not as it should); or an
 * error of the port, or ERR_CLOSED.
 */
int assign(const struct assign_job *job, struct driver_host *host, char *why, size_t why_size);

/* Whether it answers at its new place, and holds that unit. 0, or as above. */
int assign_verify(const struct assign_job *job, struct driver_host *host, char *why,
                  size_t why_size);

#endif
