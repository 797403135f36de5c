#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "field/desk_inside.h"

#define STORE_TIMEOUT_NS (5 * NS_PER_S)

/* So far back commands of earlier runs are looked for: events, whatever they are. Read in about a
 * second on a small board. */
#define LOOK_BACK_EVENTS (1 << 20)

static void put(struct desk *desk, struct entry *entry, struct event *event)
{
    int error;

    event->stream = entry->stream;
    event->mono_ns = clock_mono(desk->clock);
    event->urgent = true;
    event->value.type = VALUE_BYTES;
    error = journal_put(desk->journal, event);
    entry->put = error == 0;
    entry->n = 0;
    entry->wall_ns = 0;
    if (error)
        log_warn("command", "%s: command %s cannot be stored: %s", entry->by, entry->id,
                 error_text(error));
}

static void put_command(struct desk *desk, struct entry *entry)
{
    uint8_t packed[COMMAND_PACKED_SIZE_MAX];
    struct event event = {.kind = EVENT_COMMAND};
    struct command command = {
        .op = COMMAND_WRITE,
        .expires_ms = entry->expires_ms,
        .ttl_ms = entry->ttl_ms,
        .value = entry->value,
    };

    memcpy(command.id, entry->id, sizeof command.id);
    memcpy(command.by, entry->by, sizeof command.by);
    event.value.data = packed;
    event.value.size = (uint16_t)command_pack(&command, packed);
    put(desk, entry, &event);
}

static void put_result(struct desk *desk, struct entry *entry)
{
    uint8_t packed[COMMAND_PACKED_SIZE_MAX];
    struct event event = {.kind = EVENT_RESULT, .status = entry->status};
    struct command_result result = {
        .command = entry->command_n,
        .value = entry->value,
        .words = entry->words,
        .words_size = entry->words ? strlen(entry->words) : 0,
    };

    memcpy(result.id, entry->id, sizeof result.id);
    memcpy(result.by, entry->by, sizeof result.by);
    event.value.data = packed;
    event.value.size = (uint16_t)command_result_pack(&result, packed);
    put(desk, entry, &event);
}

/* Id and sender of a command or result; false for other events. */
static bool names(const struct event *event, struct command *command)
{
    struct command_result result;

    if (event->value.type != VALUE_BYTES)
        return false;
    if (event->kind == EVENT_COMMAND)
        return command_unpack(command, event->value.data, event->value.size) == 0;
    if (event->kind != EVENT_RESULT ||
        command_result_unpack(&result, event->value.data, event->value.size) != 0)
        return false;
    memcpy(command->id, result.id, sizeof command->id);
    memcpy(command->by, result.by, sizeof command->by);
    return true;
}

static bool note_number(const struct entry_list *list, const struct command *command,
                        const struct event *event)
{
    for (struct entry *entry = list->first; entry; entry = entry->next) {
        if (entry->n != 0 || !entry->put || strcmp(entry->id, command->id) != 0 ||
            strcmp(entry->by, command->by) != 0)
            continue;
        entry->n = event->n;
        entry->epoch = event->epoch;
        entry->wall_ns = event->wall_ns;
        if (event->kind == EVENT_COMMAND)
            entry->command_n = event->n;
        return true;
    }
    return false;
}

/* The journal numbers events when it commits them: they are looked up among those committed since.
 */
static void find_numbers(struct desk *desk, uint64_t from, unsigned count,
                         const struct entry_list *commands, const struct entry_list *results)
{
    struct command command;
    struct reader *reader;
    struct event event;

    if (reader_open(&reader, desk->journal, from) != 0)
        return;
    while (count > 0 && reader_next(reader, &event) > 0) {
        if (!names(&event, &command))
            continue;
        if (note_number(event.kind == EVENT_COMMAND ? commands : results, &command, &event))
            count--;
    }
    reader_close(reader);
}

int desk_store(struct desk *desk, const struct entry_list *commands,
               const struct entry_list *results)
{
    uint64_t from = journal_durable(desk->journal, NULL) + 1;
    unsigned count = 0;
    int error;

    for (struct entry *entry = commands->first; entry; entry = entry->next) {
        put_command(desk, entry);
        count += entry->put;
    }
    for (struct entry *entry = results->first; entry; entry = entry->next) {
        put_result(desk, entry);
        count += entry->put;
    }
    if (count == 0)
        return 0;
    error = journal_flush(desk->journal, STORE_TIMEOUT_NS);
    if (error == 0)
        find_numbers(desk, from, count, commands, results);
    return error;
}

static void remember_command(struct desk *desk, const struct event *event)
{
    struct command command;
    struct stream stream;
    struct entry *entry;

    if (command_unpack(&command, event->value.data, event->value.size) != 0 ||
        !journal_stream(desk->journal, event->stream, &stream))
        return;
    entry = entry_find(desk, command.by, command.id);
    if (!entry)
        entry = entry_new(desk, command.by, command.id, INT64_MAX);
    if (!entry)
        return;
    memcpy(entry->device, stream.device, sizeof entry->device);
    memcpy(entry->point, stream.point, sizeof entry->point);
    entry->state = ENTRY_DONE;
    entry->content = entry_content(stream.device, stream.point, &command.value);
    entry->stream = event->stream;
    entry->decimals = stream.decimals;
    entry->expires_ms = command.expires_ms;
    entry->command_n = event->n;
    entry->n = 0; /* no result yet */
}

static void remember_result(struct desk *desk, const struct event *event)
{
    struct command_result result;
    struct entry *entry;

    if (command_result_unpack(&result, event->value.data, event->value.size) != 0)
        return;
    entry = entry_find(desk, result.by, result.id);
    if (!entry || result.command != entry->command_n)
        return;
    entry_keep(entry, &result.value, result.words, result.words_size);
    entry->status = event->status;
    entry->n = event->n;
    entry->epoch = event->epoch;
    entry->wall_ns = event->wall_ns;
}

/* What has a command and no result may have been executed or not. */
static void answer_interrupted(struct desk *desk)
{
    for (size_t i = 0; i < DESK_COMMANDS_MAX; i++) {
        struct entry *entry = &desk->entries[i];

        if (entry->state == ENTRY_DONE && entry->n == 0)
            entry_answer(desk, entry, STATUS_INTERRUPTED, NULL, NULL);
    }
}

void desk_look_back(struct desk *desk)
{
    uint64_t last = journal_durable(desk->journal, NULL);
    struct reader *reader;
    struct event event;

    if (reader_open(&reader, desk->journal,
                    last > LOOK_BACK_EVENTS ? last - LOOK_BACK_EVENTS : 0) != 0)
        return;
    while (reader_position(reader) <= last && reader_next(reader, &event) > 0) {
        if (event.value.type == VALUE_BYTES && event.kind == EVENT_COMMAND)
            remember_command(desk, &event);
        if (event.value.type == VALUE_BYTES && event.kind == EVENT_RESULT)
            remember_result(desk, &event);
    }
    reader_close(reader);
    answer_interrupted(desk);
}
