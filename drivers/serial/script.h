/*
 * The steps of an exchange, compiled from their texts:
 *   send TEXT                 sends (request.h)
 *   expect PATTERN            a line as the device frames them must come next, and match
 *   expect-line PATTERN       the same for a text line that ends with \r\n and has no checksum
 *   await-line TIME PATTERN   waits for such a line, at most so long, and goes on in either case
 *   read                      the next line goes to the points
 *   pause TIME                leaves the line alone
 *   break TIME                holds the line in its space state
 *   line SETTINGS             goes on with other settings: "300 7E1"
 *   baud {N}                  goes on at the speed that IEC 62056-21 writes as this character
 *   timeout TIME              how long the replies to what is sent from here on may take
 * TIME is "12ms", "5s", or "{1}s" for a number that the device said. Behind the last step lines go
 * to the points until all have their value. Pure.
 */
#ifndef SLUICE_SERIAL_SCRIPT_H
#define SLUICE_SERIAL_SCRIPT_H

#include "core/option.h"
#include "serial/options.h"
#include "serial/pattern.h"
#include "serial/port.h"

enum step_verb {
    STEP_SEND,
    STEP_EXPECT,
    STEP_EXPECT_LINE,
    STEP_AWAIT_LINE,
    STEP_READ,
    STEP_READ_ALL, /* the last one */
    STEP_PAUSE,
    STEP_BREAK,
    STEP_LINE,
    STEP_BAUD,
    STEP_TIMEOUT,
};

struct step {
    enum step_verb verb;
    const char *text;        /* of send; borrowed */
    struct pattern *pattern; /* of expect and await */
    int64_t ns;              /* of a time */
    size_t group;            /* the time in seconds or the speed is what this group says; 0: none */
    struct port_settings line;
};

struct script {
    struct step steps[SERIAL_STEPS_MAX + 1];
    size_t count;
};

/*
 * Compiles a device's request or exchange; its options must outlive the script. Returns 0,
 * ERR_NOMEM, or ERR_INVALID with the reason in `why` and in *wrong which step it is, from 0.
 * script_free may be called in any case, and on a zeroed struct.
 */
int script_compile(struct script *script, const struct serial_device_options *options,
                   size_t *wrong, char *why, size_t why_size);
void script_free(struct script *script);

/* The baud rate that IEC 62056-21 writes as a character, 0 for none. */
int32_t script_iec_baud(char character);

#endif
