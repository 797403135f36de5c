/* Secrets that a configuration names by their file: the first line of it. */
#ifndef SLUICE_CORE_SECRET_H
#define SLUICE_CORE_SECRET_H

#define SECRET_LENGTH_MAX 4096 /* tokens are long */
#define SECRET_SIZE       (SECRET_LENGTH_MAX + 3)

/*
 * Reads it, without the end of the line, for each use anew: so a new secret needs no restart. Wipe
 * it with explicit_bzero when it is used. Returns 0; ERR_NOT_FOUND with the words why it cannot be
 * read in *why (valid until the thread's next strerror); ERR_TOO_LARGE: nothing is cut.
 */
int secret_read(const char *path, char secret[SECRET_SIZE], const char **why);

#endif
