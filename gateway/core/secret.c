#include "core/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

int secret_read(const char *path, char secret[SECRET_SIZE], const char **why)
{
    FILE *file = fopen(path, "re");
    char *line = file ? fgets(secret, SECRET_SIZE, file) : NULL;

    *why = file && !ferror(file) ? "it is empty" : strerror(errno);
    if (file)
        fclose(file);
    if (!line)
        return ERR_NOT_FOUND;
    size_t length = strcspn(secret, "\r\n");
    if (length > SECRET_LENGTH_MAX) {
        explicit_bzero(secret, SECRET_SIZE);
        return ERR_TOO_LARGE;
    }
    secret[length] = '\0';
    return 0;
}
