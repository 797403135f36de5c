/* Which points a device has: each is asked for by itself, and what came is judged. */
#ifndef SLUICE_CLI_PROBE_DEVICE_H
#define SLUICE_CLI_PROBE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/site.h"
#include "modbus/ask.h"

enum probe_verdict {
    PROBE_HAS,           /* a value, and one that can be */
    PROBE_IMPLAUSIBLE,   /* a value outside of the point's min and max */
    PROBE_NOT_AVAILABLE, /* the register is there and says that it has no value */
    PROBE_REFUSED,       /* exceptions 1 to 3: it has not */
    PROBE_FAILED,        /* another exception: nobody knows */
    PROBE_SILENT,        /* no proper answer */
};

/* "has", "implausible", "not available", "has not", "fails", "silent". */
const char *probe_verdict_name(enum probe_verdict verdict);

#define PROBE_VALUE_SIZE 160

struct probe_result {
    const struct site_point *point;
    enum probe_verdict verdict;
    uint16_t status;              /* why (core/status.h) */
    char value[PROBE_VALUE_SIZE]; /* as JSON; "" where there is none */
    bool configured;              /* the caller's: it is read without being asked for */
};

/*
 * Asks for one point. Patient: a device that is busy, and one that does not answer, is asked up to
 * three times. Returns 0; or the error of the line, when that fails altogether (ask_why).
 */
int probe_point(struct ask *ask, const struct site_device *device, const struct site_point *point,
                int64_t timeout_ns, struct probe_result *result);

#endif
