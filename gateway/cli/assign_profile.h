/* What `sluice assign` takes from a device profile. */
#ifndef SLUICE_CLI_ASSIGN_PROFILE_H
#define SLUICE_CLI_ASSIGN_PROFILE_H

#include "config/assign.h"
#include "modbus/assign.h"

#define ASSIGN_TEXT_SIZE 400

struct assign_profile {
    struct assign_map map;
    struct port_settings line;                              /* as new; baud 0: not said */
    int64_t unit;                                           /* as new; 0: not said */
    char setup[ASSIGN_TEXT_SIZE], source[ASSIGN_TEXT_SIZE]; /* "" where there is none */
    bool sure; /* what is told of the registers is of high confidence */
    struct {
        int32_t baud;
        uint16_t code;
    } bauds[16];
    size_t baud_count;
    struct assign_format formats[16];
    size_t format_count;
};

/* Returns an exit code, after telling on standard error what is wrong or missing: EXIT_CODE_USAGE
 * for a profile that there is not, EXIT_CODE_FAILED for one that does not say how a unit is set. */
int assign_profile_read(struct assign_profile *out, const char *name);

/* The codes of a line's data bits, parity and stop bits; NULL where the profile has none for them.
 */
const struct assign_format *assign_profile_format(const struct assign_profile *profile,
                                                  const struct port_settings *line);

/* The code of a baud; false where the profile has none for it. */
bool assign_profile_code(const struct assign_profile *profile, int32_t baud, uint16_t *code);

#endif
