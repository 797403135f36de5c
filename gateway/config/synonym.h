/* What other programs, and people who come from them, call the keys of a configuration. */
#ifndef SLUICE_CONFIG_SYNONYM_H
#define SLUICE_CONFIG_SYNONYM_H

#include <stdbool.h>

#include "config/shape.h"

/*
 * The key of an object of that shape (`extra` are rows beside its own, or NULL) that `word` is
 * usually meant for: "every" for "interval". Case set aside, and - like _ and a blank. NULL: none.
 */
const char *synonym_of(const char *word, const struct shape *shape, const struct option *extra);

/* Whether `word` is usually meant for `key`, wherever that is. */
bool synonym_is(const char *word, const char *key);

#endif
