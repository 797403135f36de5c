#include "web/profiles_use.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/catalog.h"
#include "core/save.h"

static const struct json *first_device(const struct json *root)
{
    const struct json *devices = json_find(root, "devices");

    return devices && devices->type == JSON_LIST ? devices->first : NULL;
}

static const struct json *profile_of(const struct json *device)
{
    const struct json *profile = json_find(device, "profile");

    return profile && profile->type == JSON_STRING ? profile : NULL;
}

/* The first device that uses the profile of that name. */
static const struct json *find(const struct json *root, const char *name)
{
    for (const struct json *device = first_device(root); device; device = device->next) {
        const struct json *profile = profile_of(device);

        if (profile && strcmp(profile->text, name) == 0)
            return profile;
    }
    return NULL;
}

void profiles_use_each(const struct json *root, const struct config_parts *parts,
                       void (*each)(void *context, const char *name, const char *path),
                       void *context)
{
    for (const struct json *device = first_device(root); device; device = device->next) {
        const struct json *profile = profile_of(device);
        char path[PATH_MAX];
        bool own;

        if (profile && find(root, profile->text) == profile &&
            catalog_file(parts, profile->text, path, &own) == 0 && own)
            each(context, profile->text, path);
    }
}

void profiles_user(const char *config_path, const char *name, char out[FILES_USER_SIZE])
{
    struct arena *arena = NULL;
    struct json *root = NULL;
    char *text;
    size_t size;

    *out = '\0';
    if (save_read(config_path, JSON_SIZE_MAX, &text, &size))
        return;
    if (arena_open(&arena) == 0) {
        json_read(&root, arena, text, size, NULL, NULL);
        json_path(find(root, name), out, FILES_USER_SIZE);
    }
    arena_close(arena);
    free(text);
}
