/* One value of the file into one field. Used by decode.c. */
#ifndef SLUICE_CONFIG_DECODE_VALUE_H
#define SLUICE_CONFIG_DECODE_VALUE_H

#include "config/decode.h"

/*
 * Checks `value` against its row, writes the field, and carries the decoder's hash on over what it
 * means. Returns false when it was told as wrong; the field is then unchanged.
 */
bool decode_value(struct decoder *decoder, const struct option *option, const struct json *value,
                  void *field);

/* Carries the decoder's hash on over a band. */
void decode_hash_band(struct decoder *decoder, const struct option_band *band);

#endif
