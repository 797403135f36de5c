/* A password that somebody types. */
#ifndef SLUICE_CLI_SECRET_H
#define SLUICE_CLI_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Asks for the new password of `account` twice, without showing it; where standard input is no
 * terminal its first line is taken. False, after what is wrong was told, when there is none, the
 * two differ, or it does not fit. The caller wipes `out`.
 */
bool secret_ask(const char *account, char *out, size_t size);

#endif
