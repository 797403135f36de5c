/* From what a sender wrote to the value that is written: the point's type, its texts, its limits.
 * Pure. */
#ifndef SLUICE_FIELD_COMMAND_VALUE_H
#define SLUICE_FIELD_COMMAND_VALUE_H

#include "core/site.h"
#include "field/payload_command.h"

/*
 * Fills *value, which is of the point's type; a text borrows from `order`. Numbers may be written
 * as texts (all of them by the command line, integers beyond 2^53 by everybody), and one of the
 * point's "enum" by its text. Returns true, or false with a sentence that says what is allowed.
 */
bool command_value(const struct site_point *point, const struct order *order, struct value *value,
                   char *why, size_t why_size);

#endif
