#include "journal/boots.h"

#include <string.h>

static void lock(const struct boots *boots)
{
    pthread_mutex_lock((pthread_mutex_t *)&boots->mutex);
}

static void unlock(const struct boots *boots)
{
    pthread_mutex_unlock((pthread_mutex_t *)&boots->mutex);
}

void boots_init(struct boots *boots)
{
    memset(boots, 0, sizeof(*boots));
    pthread_mutex_init(&boots->mutex, NULL);
}

void boots_clear(struct boots *boots)
{
    pthread_mutex_destroy(&boots->mutex);
}

uint32_t boots_number(struct boots *boots, const char *id)
{
    uint32_t number = 0;
    lock(boots);
    for (uint32_t at = 0; at < boots->count && number == 0; at++)
        if (strcmp(boots->table[at].id, id) == 0)
            number = boots->table[at].number;
    if (number == 0)
        number = boots->count > 0 ? boots->table[boots->count - 1].number + 1 : 1;
    unlock(boots);
    return number;
}

void boots_set(struct boots *boots, const struct boot *boot)
{
    lock(boots);
    uint32_t at = 0;
    while (at < boots->count && boots->table[at].number < boot->number)
        at++;
    if (at == boots->count || boots->table[at].number != boot->number) {
        if (boots->count == BOOTS_MAX && at > 0) {
            memmove(boots->table, boots->table + 1, (size_t)(--at) * sizeof(*boot));
        } else if (boots->count < BOOTS_MAX) {
            memmove(boots->table + at + 1, boots->table + at, (boots->count - at) * sizeof(*boot));
            boots->count++;
        } else {
            unlock(boots);
            return; /* older than all that are kept */
        }
    }
    boots->table[at] = *boot;
    unlock(boots);
}

int boots_get(const struct boots *boots, uint32_t at, struct boot *boot)
{
    lock(boots);
    int found = at < boots->count;
    if (found)
        *boot = boots->table[at];
    unlock(boots);
    return found;
}

int boots_find(const struct boots *boots, uint32_t number, struct boot *boot)
{
    int found = 0;
    lock(boots);
    for (uint32_t at = boots->count; at-- > 0 && !found;) {
        found = boots->table[at].number == number;
        if (found)
            *boot = boots->table[at];
    }
    unlock(boots);
    return found;
}
