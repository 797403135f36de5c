/* What to say when a word is none of those that an option's row allows: which there are, and which
 * was probably meant. Pure; any thread. */
#ifndef SLUICE_CORE_CHOICE_H
#define SLUICE_CORE_CHOICE_H

#include "core/option.h"

/* Names that other programs and IEC 61131-3 have for numbers: "float" for "f32", "word" for "u16".
 * For the rows of drivers. */
extern const struct option_alias choice_number_types[];

/* The choice of that text; NULL. */
const struct option_choice *choice_find(const struct option *option, const char *text);

/* The text of the choice that somebody meant who wrote `found`: by a name that it has elsewhere
 * (case, blanks, - and _ set aside), or by its spelling. NULL: nobody knows. */
const char *choice_meant(const struct option *option, const char *found);

/* Writes "u16, i16, f32". */
void choice_list(const struct option *option, char *out, size_t size);

/* Writes `found "float"; allowed: u16, i16, f32; did you mean "f32"?`. */
void choice_refuse(const struct option *option, const char *found, char *out, size_t size);

#endif
