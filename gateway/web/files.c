/* The files beside a configuration: which names they may have, and which there are. */
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/error.h"
#include "web/files_api.h"

static const struct {
    const char *ending;
    bool secret;
} endings[FILES_ENDING_COUNT] = {
    {".pem", false}, {".crt", false}, {".cer", false},     {".der", false}, {".crl", false},
    {".csr", false}, {".csv", false}, {".password", true}, {".key", true},  {".txt", false},
};

static const char *ending_of(const char *name, bool *secret)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < FILES_ENDING_COUNT; i++) {
        size_t ending = strlen(endings[i].ending);

        if (size > ending && strcasecmp(name + size - ending, endings[i].ending) == 0) {
            *secret = endings[i].secret;
            return endings[i].ending;
        }
    }
    return NULL;
}

bool files_name_valid(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t size = strspn(name, plain);
    bool secret;

    /* Neither hidden nor an option of some program; and no path, for want of a slash. */
    return size > 0 && size < FILES_NAME_SIZE && name[size] == '\0' && *name != '.' &&
           *name != '-' && ending_of(name, &secret) != NULL;
}

bool files_is_secret(const char *name)
{
    bool secret = false;

    ending_of(name, &secret);
    return secret;
}

void files_path(const char *config_path, const char *name, char *out, size_t size)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", config_path);
    snprintf(out, size, "%s/%s", dirname(folder), name);
}

/* The first FILES_MAX names, in their order, whatever order the folder has them in. */
struct names {
    char (*names)[FILES_NAME_SIZE];
    size_t count, found;
};

static void keep(struct names *list, const char *name)
{
    size_t at = list->count;

    list->found++;
    while (at > 0 && strcmp(name, list->names[at - 1]) < 0)
        at--;
    if (at == FILES_MAX)
        return;
    if (list->count < FILES_MAX)
        list->count++;
    memmove(list->names + at + 1, list->names + at, (list->count - at - 1) * FILES_NAME_SIZE);
    snprintf(list->names[at], FILES_NAME_SIZE, "%.*s", FILES_NAME_SIZE - 1, name);
}

int files_each(const char *config_path, void (*each)(void *context, const char *name),
               void *context)
{
    char folder[PATH_MAX], path[PATH_MAX + FILES_NAME_SIZE];
    struct names list = {.names = calloc(FILES_MAX, sizeof *list.names)};
    struct dirent *entry;
    struct stat status;

    if (!list.names)
        return ERR_NOMEM;
    snprintf(folder, sizeof folder, "%s", config_path);
    DIR *directory = opendir(dirname(folder));
    while (directory && (entry = readdir(directory))) {
        files_path(config_path, entry->d_name, path, sizeof path);
        if (files_name_valid(entry->d_name) && stat(path, &status) == 0 && S_ISREG(status.st_mode))
            keep(&list, entry->d_name);
    }
    if (directory)
        closedir(directory);
    for (size_t i = 0; i < list.count; i++)
        each(context, list.names[i]);
    free(list.names);
    return list.found > INT_MAX ? INT_MAX : (int)list.found;
}
