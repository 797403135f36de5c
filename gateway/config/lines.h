/* Two texts compared line by line, as diff -u shows them. */
#ifndef SLUICE_CONFIG_LINES_H
#define SLUICE_CONFIG_LINES_H

#include <stdio.h>

/*
 * Writes what makes `new` of `old` as a unified difference with three lines around each change,
 * without a head; nothing where they are the same. Where more than about a thousand lines differ,
 * the stretch between the first and the last of them is shown as one. Texts are terminated. 0 or
 * ERR_NOMEM. Any thread.
 */
int lines_compare(const char *old, const char *new, FILE *out);

#endif
