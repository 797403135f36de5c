/* What a gateway begins with whose configuration nobody has written yet. */
#ifndef SLUICE_DAEMON_FIRST_H
#define SLUICE_DAEMON_FIRST_H

#include <stdbool.h>

#define FIRST_TEXT_SIZE 256

/* Whether there is no such file, though there is a folder that it can be written into. */
bool first_is_due(const char *path);

/* A configuration with an id, made of the machine's name or, where that says nothing, of its
 * identity; and nothing else. */
void first_text(char text[FIRST_TEXT_SIZE]);

#endif
