#include "daemon/doubt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/log.h"
#include "daemon/fitting.h"
#include "daemon/lend.h"
#include "daemon/running.h"
#include "modbus/learn.h"
#include "modbus/passport.h"

#define WORD_SIZE 64
#define WORDS     4

struct doubt {
    uint32_t stream, hash; /* of the device; of the words and the profile that it was told of */
    char text[DOUBT_SIZE];
};

struct doubts {
    struct doubt *items; /* by stream, rising */
    size_t count, room;
};

/* A device that is to be looked at without the lock: what is its own is copied. */
struct question {
    uint32_t stream, hash;
    struct site_device device;
    char id[ID_SIZE_MAX], profile[96], vendor[128], model[128];
    char words[LEARN_TEXT_SIZE_MAX];
    struct question *next;
};

struct doubts *doubts_open(void)
{
    return calloc(1, sizeof(struct doubts));
}

void doubts_close(struct doubts *doubts)
{
    if (doubts)
        free(doubts->items);
    free(doubts);
}

/* The place of a stream's doubt, or where it would be. */
static size_t place_of(const struct doubts *doubts, uint32_t stream)
{
    size_t low = 0, high = doubts->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (doubts->items[middle].stream < stream)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct doubt *find(const struct doubts *doubts, uint32_t stream)
{
    size_t at = place_of(doubts, stream);

    return at < doubts->count && doubts->items[at].stream == stream ? &doubts->items[at] : NULL;
}

static struct doubt *make(struct doubts *doubts, uint32_t stream)
{
    size_t at = place_of(doubts, stream);

    if (at < doubts->count && doubts->items[at].stream == stream)
        return &doubts->items[at];
    if (doubts->count == doubts->room) {
        size_t room = doubts->room ? 2 * doubts->room : 16;
        struct doubt *grown = realloc(doubts->items, room * sizeof *grown);

        if (!grown)
            return NULL;
        doubts->items = grown;
        doubts->room = room;
    }
    memmove(&doubts->items[at + 1], &doubts->items[at],
            (doubts->count - at) * sizeof(struct doubt));
    doubts->count++;
    doubts->items[at] = (struct doubt){.stream = stream};
    return &doubts->items[at];
}

const char *doubts_of(const struct doubts *doubts, const struct site_device *device)
{
    const struct doubt *doubt = doubts ? find(doubts, device->stream) : NULL;

    return doubt ? doubt->text : "";
}

/* What the device says of itself; returns how many words that are. */
static size_t take_words(const char *words, char room[WORDS][WORD_SIZE], const char *texts[WORDS])
{
    static const char *const keys[WORDS] = {"vendor", "product_name", "product_code", "model"};
    size_t count = 0;

    for (size_t i = 0; i < WORDS; i++) {
        if (passport_word(words, keys[i], room[count], WORD_SIZE)) {
            texts[count] = room[count];
            count++;
        }
    }
    return count;
}

void doubt_text(const struct site_device *device, const char *words, char out[DOUBT_SIZE])
{
    char room[WORDS][WORD_SIZE];
    const char *texts[WORDS], *better;
    size_t count = take_words(words, room, texts);
    struct fitting *fitting;

    out[0] = '\0';
    if (count < 2 || !device->profile || !device->vendor || !device->model ||
        fitting_is(texts, count, device->vendor, device->model))
        return;
    fitting = fitting_open();
    better = fitting_profile(fitting, texts, count);
    if (better && strcmp(better, device->profile) != 0)
        snprintf(out, DOUBT_SIZE,
                 "says it is %.60s %.60s; profile %.40s is for %.40s %.40s; the profile %.40s fits",
                 texts[0], texts[1], device->profile, device->vendor, device->model, better);
    fitting_close(fitting);
}

static const char *copy(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
    return text ? out : NULL;
}

/* The words that say who it is, without those that say how it is read. */
static size_t take_identity(char *words, char out[LEARN_TEXT_SIZE_MAX])
{
    char *word, *rest = words;
    size_t size = 0;

    while ((word = strtok_r(rest, " ", &rest))) {
        if (strncmp(word, "id.", 3) == 0)
            size += (size_t)snprintf(out + size, LEARN_TEXT_SIZE_MAX - size, "%s%s",
                                     size ? " " : "", word);
    }
    return size;
}

/* Puts a question where something is known that was not; with running->lock held. */
static void ask(struct running *running, const struct site_device *device, struct question **list)
{
    char words[LEARN_TEXT_SIZE_MAX + 1], identity[LEARN_TEXT_SIZE_MAX];
    size_t size = journal_learnt(running->journal, device->stream, words, LEARN_TEXT_SIZE_MAX);
    const struct doubt *known = find(running->doubts, device->stream);
    struct question *question;
    uint32_t hash;

    words[size] = '\0';
    size = take_identity(words, identity);
    hash = crc32c(crc32c(0, device->profile, strlen(device->profile) + 1), identity, size);
    if (known ? known->hash == hash : size == 0)
        return;
    question = calloc(1, sizeof *question);
    if (!question)
        return;
    question->stream = device->stream;
    question->hash = hash;
    memcpy(question->words, identity, size);
    question->device.id = copy(question->id, sizeof question->id, device->id);
    question->device.profile = copy(question->profile, sizeof question->profile, device->profile);
    question->device.vendor = copy(question->vendor, sizeof question->vendor, device->vendor);
    question->device.model = copy(question->model, sizeof question->model, device->model);
    question->next = *list;
    *list = question;
}

static void answer(struct running *running, const struct question *question)
{
    char text[DOUBT_SIZE];
    struct doubt *doubt;
    bool news = false;

    doubt_text(&question->device, question->words, text);
    pthread_mutex_lock(&running->lock);
    doubt = make(running->doubts, question->stream);
    if (doubt) {
        doubt->hash = question->hash;
        news = strcmp(doubt->text, text) != 0;
        memcpy(doubt->text, text, sizeof doubt->text);
    }
    pthread_mutex_unlock(&running->lock);
    if (*text && news)
        log_warn("daemon", "device %s %s", question->id, text);
}

void doubts_look(struct running *running)
{
    struct question *list = NULL, *next;

    pthread_mutex_lock(&running->lock);
    for (struct running_bus *entry = running->buses; entry && running->doubts;
         entry = entry->next) {
        for (size_t i = 0; lend_is_modbus(entry->bus) && i < entry->bus->device_count; i++) {
            if (entry->bus->devices[i].profile)
                ask(running, &entry->bus->devices[i], &list);
        }
    }
    pthread_mutex_unlock(&running->lock);
    for (; list; list = next) {
        next = list->next;
        answer(running, list);
        free(list);
    }
}
