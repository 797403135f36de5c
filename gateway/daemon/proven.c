#include "daemon/proven.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/save.h"

#define LINE          SLUICE_VERSION "\n"
#define LINE_SIZE_MAX 64

static void name(const char *state_path, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%.*s/proven", PATH_MAX - 8, state_path);
}

bool proven_is(const char *state_path)
{
    char path[PATH_MAX], *line = NULL;
    size_t size;

    name(state_path, path);
    bool same = save_read(path, LINE_SIZE_MAX, &line, &size) == 0 && strcmp(line, LINE) == 0;
    free(line);
    return same;
}

int proven_note(const char *state_path)
{
    char path[PATH_MAX];

    name(state_path, path);
    return save_file(path, LINE, sizeof LINE - 1, 0600);
}
