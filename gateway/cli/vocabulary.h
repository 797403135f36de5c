/* The list of point ids that the shipped profiles use (docs/profiles.md): what is known of each. */
#ifndef SLUICE_CLI_VOCABULARY_H
#define SLUICE_CLI_VOCABULARY_H

#include "config/config.h"
#include "config/json.h"

struct vocabulary;

/* That of the first profile folder that has one; NULL where none has, which the others take. */
struct vocabulary *vocabulary_open(const struct config_parts *parts);
void vocabulary_close(struct vocabulary *vocabulary);

/* The entry of an id, in whose own id a '#' stands for a number; NULL where there is none. */
const struct json *vocabulary_find(const struct vocabulary *vocabulary, const char *id);

#endif
