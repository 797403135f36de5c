#include "daemon/first.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/machine.h"

#define NAME_SIZE 32

bool first_is_due(const char *path)
{
    char folder[PATH_MAX];
    struct stat status;

    if (lstat(path, &status) == 0 || errno != ENOENT)
        return false;
    snprintf(folder, sizeof folder, "%s", path);
    return stat(dirname(folder), &status) == 0 && S_ISDIR(status.st_mode);
}

/* The first part of the machine's name as an id; "" where nothing is left of it. */
static void plain_name(char out[NAME_SIZE])
{
    char name[HOST_NAME_MAX + 1] = "";
    size_t size = 0;

    gethostname(name, sizeof name - 1);
    for (const char *at = name; *at && *at != '.' && size < NAME_SIZE - 1; at++) {
        char c = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';

        if (plain)
            out[size++] = c;
    }
    out[size] = '\0';
    if (strcmp(out, "localhost") == 0)
        out[0] = '\0';
}

void first_text(char text[FIRST_TEXT_SIZE])
{
    char name[NAME_SIZE], machine[40];

    plain_name(name);
    machine_id(machine);
    if (!*name)
        snprintf(name, sizeof name, "gateway%s%.6s", *machine ? "-" : "", machine);
    snprintf(text, FIRST_TEXT_SIZE, "{\n  \"version\": 1,\n  \"gateway\": { \"id\": \"%s\" }\n}\n",
             name);
}
