#include "cli/profile_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX        ".json"
#define SUFFIX_LENGTH (sizeof SUFFIX - 1)

static bool has_suffix(const char *text)
{
    size_t size = strlen(text);

    return size > SUFFIX_LENGTH && strcmp(text + size - SUFFIX_LENGTH, SUFFIX) == 0;
}

bool profile_is_file(const char *text)
{
    const char *slash = strrchr(text, '/');

    return has_suffix(slash ? slash + 1 : text);
}

bool profile_is_path(const char *text)
{
    return strchr(text, '/') || has_suffix(text);
}

bool profile_path_take(struct profile_path *room, struct config_parts *parts, const char **name,
                       const char *command)
{
    const size_t folders = sizeof parts->profile_folders / sizeof parts->profile_folders[0];
    const char *path = *name, *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;

    if (!profile_is_path(path))
        return true;
    if (!profile_is_file(path) || strlen(file) > NAME_MAX || strlen(path) >= PATH_MAX) {
        fprintf(stderr, "%s: %s: the file of a profile is called NAME.json\n", command, path);
        return false;
    }
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "%s: %s cannot be read: %s\n", command, path, strerror(errno));
        return false;
    }
    snprintf(room->folder, sizeof room->folder, "%.*s", slash > path ? (int)(slash - path) : 1,
             slash ? path : ".");
    snprintf(room->name, sizeof room->name, "%.*s", (int)(strlen(file) - SUFFIX_LENGTH), file);
    memmove(parts->profile_folders + 1, parts->profile_folders,
            (folders - 1) * sizeof parts->profile_folders[0]);
    parts->profile_folders[0] = room->folder;
    parts->profile_folders[folders - 1] = NULL;
    *name = room->name;
    return true;
}
