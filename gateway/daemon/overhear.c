#include "daemon/overhear.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "daemon/lend.h"
#include "modbus/options.h"

#define RECORD_LINE_MAX (2 * TAP_BYTES_MAX + 200)

/* What is heard of a bus, as lines. The first says whose it is. */
struct overheard {
    struct api_listener base; /* first */
    struct tap_listener *listener;
    struct tap_record record;
    size_t size, read_at; /* of the line */
    char line[RECORD_LINE_MAX];
};

static void put_record(struct overheard *heard)
{
    static const char *const kinds[] = {"sent", "received", "opened", "closed"};
    const struct tap_record *record = &heard->record;
    int64_t age_ns = clock_mono(&clock_system) - record->mono_ns;
    struct text text;

    text_init(&text, heard->line, sizeof heard->line);
    text_printf(&text, "{\"t\":%" PRId64 ",\"mono_ns\":%" PRId64 ",\"way\":\"%s\"",
                (clock_wall(&clock_system) - age_ns) / NS_PER_MS, record->mono_ns,
                kinds[record->kind]);
    if (record->lost)
        text_printf(&text, ",\"lost\":%" PRIu64, record->lost);
    if (record->size) {
        text_string(&text, ",\"hex\":\"");
        for (size_t i = 0; i < record->size; i++)
            text_printf(&text, "%02x", record->bytes[i]);
        text_string(&text, "\"");
    }
    text_string(&text, "}\n");
    heard->size = text.size;
    heard->read_at = 0;
}

static int64_t read_overheard(struct api_listener *base, char *out, size_t room)
{
    struct overheard *heard = (struct overheard *)(void *)base;
    size_t done = 0;

    while (done < room) {
        size_t left = heard->size - heard->read_at, now = room - done;

        if (left == 0) {
            int result = done ? 0 : tap_read(heard->listener, &heard->record);

            if (result <= 0)
                return done ? (int64_t)done : result;
            put_record(heard);
            continue;
        }
        if (now > left)
            now = left;
        memcpy(out + done, heard->line + heard->read_at, now);
        heard->read_at += now;
        done += now;
    }
    return (int64_t)done;
}

static void close_overheard(struct api_listener *base)
{
    struct overheard *heard = (struct overheard *)(void *)base;

    tap_leave(heard->listener);
    free(heard);
}

static void put_first(struct overheard *heard, const struct site_bus *bus)
{
    const struct modbus_bus_options *options = bus->options;
    int64_t byte_ns = options->port ? port_byte_ns(&options->line) : 0;
    struct text text;

    text_init(&text, heard->line, sizeof heard->line);
    text_printf(&text, "{\"bus\":\"%s\",\"driver\":\"%s\",\"byte_ns\":%" PRId64 ",\"echo\":%s}\n",
                bus->id, bus->driver->name, byte_ns, options->echo ? "true" : "false");
    heard->size = text.size;
}

int overhear_bus(void *context, const char *bus, void (*wake)(void *context), void *wake_context,
                 struct api_listener **listener)
{
    struct running *running = context;
    struct overheard *heard = calloc(1, sizeof *heard);
    struct running_bus *entry;
    int error = ERR_NOT_FOUND;

    if (!heard)
        return ERR_NOMEM;
    pthread_mutex_lock(&running->lock);
    entry = lend_find_bus(running, bus, bus);
    if (entry)
        error = lend_is_modbus(entry->bus)
                    ? tap_listen(&heard->listener, host_tap(entry->host), wake, wake_context)
                    : ERR_UNSUPPORTED;
    if (!error)
        put_first(heard, entry->bus);
    pthread_mutex_unlock(&running->lock);
    if (error) {
        free(heard);
        return error;
    }
    heard->base = (struct api_listener){read_overheard, close_overheard};
    *listener = &heard->base;
    return 0;
}
