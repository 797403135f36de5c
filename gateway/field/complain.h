/*
 * How a driver's check tells what is wrong, so that one run tells all of it and nothing twice: a
 * sentence that relies on an option which was told as wrong already would only be told once more.
 * The thread that loads a configuration.
 */
#ifndef SLUICE_FIELD_COMPLAIN_H
#define SLUICE_FIELD_COMPLAIN_H

#include <stdbool.h>

#include "field/driver.h"

struct complaining {
    struct driver_complaints *complaints;
    const struct site_device *device; /* that is being checked; NULL: the bus itself */
    const struct site_point *point;   /* NULL: the device itself */
    int error;                        /* ERR_CONFIG as soon as something is wrong, else 0 */
};

/*
 * Whether none of the options in `keys`, with blanks between them, was told as wrong. Keys of the
 * point, device or bus that is being checked; "device.order" and "bus.line" are those above it.
 */
bool complain_sound(const struct complaining *complaining, const char *keys);

/*
 * Tells what is wrong with `key` (NULL: with all of it), unless that key or one of `needs`, the
 * options that the sentence relies on besides (as above; NULL: none), was told as wrong.
 */
void complain(struct complaining *complaining, const char *key, const char *needs,
              const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
