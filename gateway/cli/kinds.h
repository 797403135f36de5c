/* The flag --kind: which kinds of events are wanted. */
#ifndef SLUICE_CLI_KINDS_H
#define SLUICE_CLI_KINDS_H

#include <stdint.h>

/* Reads "reading,state" into bits of event kinds; NULL means all, and leaves *kinds. Returns an
 * exit code: EXIT_CODE_USAGE after telling which word is none, what was probably meant and what
 * there is. */
int kinds_parse(const char *command, const char *text, uint32_t *kinds);

#endif
