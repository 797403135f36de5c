#include "daemon/build_tree.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Cuts the last name off a path; false at the root. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');

    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

/* The source folder that a CMakeCache.txt names. */
static bool read_cache(const char *cache, char source[PATH_MAX])
{
    static const char key[] = "CMAKE_HOME_DIRECTORY:INTERNAL=";
    FILE *file = fopen(cache, "r");
    char line[PATH_MAX + sizeof key];
    bool found = false;

    while (file && !found && fgets(line, sizeof line, file)) {
        found = strncmp(line, key, sizeof key - 1) == 0;
        line[strcspn(line, "\r\n")] = '\0';
    }
    if (found)
        found = snprintf(source, PATH_MAX, "%s", line + sizeof key - 1) < PATH_MAX;
    if (file)
        fclose(file);
    return found;
}

/* The program's own path; "" where it is not known. */
static void find_program(char here[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", here, PATH_MAX - 1);

    here[size > 0 ? size : 0] = '\0';
}

bool installed_folder(const char *name, char path[PATH_MAX])
{
    char here[PATH_MAX];

    find_program(here);
    if (go_up(here) && go_up(here)) {
        int length = snprintf(path, PATH_MAX, "%s/share/sluice/%s", here, name);
        if (length > 0 && length < PATH_MAX && access(path, R_OK | X_OK) == 0)
            return true;
    }
    path[0] = '\0';
    return false;
}

bool build_tree_folder(const char *name, char path[PATH_MAX])
{
    char here[PATH_MAX], cache[PATH_MAX + 32], source[PATH_MAX];

    path[0] = '\0';
    find_program(here);
    while (go_up(here)) {
        snprintf(cache, sizeof cache, "%s/CMakeCache.txt", here);
        if (!read_cache(cache, source))
            continue;
        int length = snprintf(path, PATH_MAX, "%s/%s", source, name);
        if (length > 0 && length < PATH_MAX && access(path, R_OK | X_OK) == 0)
            return true;
        break;
    }
    path[0] = '\0';
    return false;
}
