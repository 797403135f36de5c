/* What may be written to a point, in words. Pure; any thread. */
#ifndef SLUICE_CORE_LIMITS_H
#define SLUICE_CORE_LIMITS_H

#include "core/site.h"

/* Writes "0 (off), 1 (auto)" of a point with texts for its values, "5 to 90 in steps of 0.5" of a
 * number, "true or false", "a text"; what does not fit is cut off. */
void limits_text(const struct site_point *point, char *out, size_t size);

#endif
