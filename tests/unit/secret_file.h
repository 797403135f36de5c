/* A file for a test of what is read from the first line of one. */
#ifndef SLUICE_TESTS_SECRET_FILE_H
#define SLUICE_TESTS_SECRET_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char secret_path[] = "/tmp/sluice-secret-XXXXXX";

/* So many letters, the second of which is `second`, and what comes behind them. */
static void secret_write(size_t length, int second, const char *end)
{
    FILE *file = fopen(secret_path, "w");

    assert_non_null(file);
    for (size_t i = 0; i < length; i++)
        fputc(i == 1 ? second : 'a' + (int)(i % 26), file);
    fputs(end, file);
    assert_int_equal(fclose(file), 0);
}

static int secret_make(void **state)
{
    (void)state;
    int fd = mkstemp(secret_path);
    return fd < 0 ? -1 : close(fd);
}

static int secret_remove(void **state)
{
    (void)state;
    return unlink(secret_path);
}

#endif
