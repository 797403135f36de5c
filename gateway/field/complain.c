#include "field/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

#define KEY_SIZE_MAX 64

/* One key, which may name a level above. */
static bool is_sound(const struct complaining *complaining, const char *key)
{
    static const char of_device[] = "device.", of_bus[] = "bus.";
    struct driver_complaints *complaints = complaining->complaints;

    if (!complaints->sound)
        return true;
    if (strncmp(key, of_bus, sizeof of_bus - 1) == 0)
        return complaints->sound(complaints, NULL, NULL, key + sizeof of_bus - 1);
    if (strncmp(key, of_device, sizeof of_device - 1) == 0)
        return complaints->sound(complaints, complaining->device, NULL, key + sizeof of_device - 1);
    return complaints->sound(complaints, complaining->device, complaining->point, key);
}

bool complain_sound(const struct complaining *complaining, const char *keys)
{
    while (*keys) {
        char key[KEY_SIZE_MAX];
        size_t size = strcspn(keys, " ");

        snprintf(key, sizeof key, "%.*s", (int)size, keys);
        if (!is_sound(complaining, key))
            return false;
        keys += size + strspn(keys + size, " ");
    }
    return true;
}

void complain(struct complaining *complaining, const char *key, const char *needs,
              const char *format, ...)
{
    char sentence[512];
    va_list arguments;

    complaining->error = ERR_CONFIG;
    if ((key && !is_sound(complaining, key)) || (needs && !complain_sound(complaining, needs)))
        return;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    complaining->complaints->tell(complaining->complaints, complaining->device, complaining->point,
                                  key, sentence);
}
