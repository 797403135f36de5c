#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/log.h"
#include "core/status.h"
#include "field/desk_inside.h"

void entry_list_init(struct entry_list *list)
{
    list->first = NULL;
    list->last = &list->first;
}

void entry_list_append(struct entry_list *list, struct entry *entry)
{
    entry->next = NULL;
    *list->last = entry;
    list->last = &entry->next;
}

struct entry *entry_find(struct desk *desk, const char *by, const char *id)
{
    for (size_t i = 0; i < DESK_COMMANDS_MAX; i++) {
        struct entry *entry = &desk->entries[i];

        if (entry->state != ENTRY_FREE && !entry->refused && strcmp(entry->id, id) == 0 &&
            strcmp(entry->by, by) == 0)
            return entry;
    }
    return NULL;
}

struct entry *entry_of_token(struct desk *desk, uint64_t token)
{
    for (size_t i = 0; i < DESK_COMMANDS_MAX; i++) {
        if (desk->entries[i].state != ENTRY_FREE && desk->entries[i].token == token)
            return &desk->entries[i];
    }
    return NULL;
}

void entry_free(struct entry *entry)
{
    free(entry->text);
    free(entry->words);
    *entry = (struct entry){0};
}

/* A free one, or else the oldest of those that may be forgotten. */
static struct entry *find_room(struct desk *desk, int64_t now_ms)
{
    struct entry *oldest = NULL;

    for (size_t i = 0; i < DESK_COMMANDS_MAX; i++) {
        struct entry *entry = &desk->entries[i];

        if (entry->state == ENTRY_FREE)
            return entry;
        if (entry->state == ENTRY_DONE && entry->expires_ms < now_ms &&
            (!oldest || entry->token < oldest->token))
            oldest = entry;
    }
    return oldest;
}

struct entry *entry_new(struct desk *desk, const char *by, const char *id, int64_t now_ms)
{
    struct entry *entry = find_room(desk, now_ms);

    if (!entry)
        return NULL;
    entry_free(entry);
    entry->token = ++desk->token;
    memcpy(entry->id, id, strlen(id) + 1);
    memcpy(entry->by, by, strlen(by) + 1);
    return entry;
}

static char *copy_of(const void *bytes, size_t size)
{
    char *copy = malloc(size + 1);

    if (!copy)
        return NULL;
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

void entry_keep(struct entry *entry, const struct value *value, const char *words,
                size_t words_size)
{
    char *text = NULL;

    if (value && value->type == VALUE_TEXT)
        text = copy_of(value->data, value->size);
    entry->value = value ? *value : (struct value){0};
    if (text)
        entry->value.data = text;
    else if (entry->value.type == VALUE_TEXT)
        entry->value = (struct value){0}; /* without memory its text is not told */
    free(entry->text);
    entry->text = text;
    free(entry->words);
    entry->words = words_size > 0 ? copy_of(words, words_size) : NULL;
}

bool entry_add_waiter(struct entry *entry, struct command_sender *sender)
{
    struct command_sender **room = NULL;

    for (size_t i = 0; i < ENTRY_WAITERS_MAX; i++) {
        if (entry->waiters[i] == sender)
            return true;
        if (!entry->waiters[i])
            room = &entry->waiters[i];
    }
    if (room)
        *room = sender;
    return room != NULL;
}

void entry_answer(struct desk *desk, struct entry *entry, uint16_t status,
                  const struct value *value, const char *words)
{
    entry_keep(entry, value, words, words ? strlen(words) : 0);
    entry->status = status;
    entry->state = ENTRY_ANSWERED;
    entry->n = 0;
    entry_list_append(&desk->answered, entry);
    pthread_cond_signal(&desk->work);
    log_info("command", "%s: write %s/%s (id %s): %s", entry->by, entry->device, entry->point,
             entry->id, status == STATUS_GOOD ? "done" : status_why(status));
}

static void write_answer(const struct entry *entry, bool accepted, struct text *text)
{
    struct command_answer answer = {
        .id = entry->id,
        .accepted = accepted,
        .status = accepted ? STATUS_GOOD : entry->status,
        .words = entry->words ? entry->words : "",
        .value = &entry->value,
        .decimals = entry->decimals,
        .wall_ns = entry->wall_ns,
        .epoch = entry->epoch,
        .n = entry->n,
    };

    command_answer_json(text, &answer);
}

void entry_tell(struct desk *desk, struct entry *entry, bool accepted)
{
    char memory[COMMAND_ANSWER_SIZE_MAX];
    struct text text;
    bool told = false;

    text_init(&text, memory, sizeof memory);
    write_answer(entry, accepted, &text);
    for (size_t i = 0; i < ENTRY_WAITERS_MAX; i++) {
        struct command_sender *sender = entry->waiters[i];

        if (!sender)
            continue;
        if (!accepted)
            entry->waiters[i] = NULL;
        sender->answer(sender, memory, text.size, !accepted);
        told = true;
    }
    /* The sender was started anew meanwhile. */
    for (struct command_sender *sender = desk->senders; sender && !told; sender = sender->next) {
        if (strcmp(sender->by, entry->by) != 0)
            continue;
        sender->answer(sender, memory, text.size, !accepted);
        told = true;
    }
    entry->untold = !accepted && !told;
}

uint32_t entry_content(const char *device, const char *point, const struct value *value)
{
    struct command command = {.value = *value};
    uint8_t packed[COMMAND_PACKED_SIZE_MAX];
    uint32_t crc = crc32c(0, device, strlen(device) + 1);

    crc = crc32c(crc, point, strlen(point) + 1);
    return crc32c(crc, packed, command_pack(&command, packed));
}
