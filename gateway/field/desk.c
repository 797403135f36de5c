#include "field/desk.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/candidates.h"
#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "field/command_value.h"
#include "field/desk_inside.h"

/* A command while it is looked at. */
struct submission {
    struct desk *desk;
    struct command_sender *sender;
    const struct command_delivery *delivery;
    struct order order;
    const struct desk_bus *bus;
    const struct site_device *device;
    const struct site_point *point;
    struct value value;
    int64_t expires_mono_ns, ttl_ns;
    char words[COMMAND_WORDS_SIZE_MAX];
};

static struct desk *self(struct command_desk *base)
{
    return (struct desk *)(void *)base;
}

static void tell_refusal(const struct submission *submission, uint16_t status)
{
    char memory[COMMAND_ANSWER_SIZE_MAX];
    struct command_answer answer = {
        .id = submission->order.id, .status = status, .words = submission->words};
    struct text text;

    if (submission->sender->remote && !submission->order.id[0]) {
        log_warn("command", "%s: a command without an id cannot be answered: %s",
                 submission->sender->by, submission->words);
        return;
    }
    text_init(&text, memory, sizeof memory);
    command_answer_json(&text, &answer);
    submission->sender->answer(submission->sender, memory, text.size, true);
}

static int64_t now_ms(const struct desk *desk)
{
    return clock_wall(desk->clock) / NS_PER_MS;
}

/* Somebody tried to write an existing point: that is kept, though it was refused. */
static void store_refusal(struct submission *submission, uint16_t status)
{
    struct desk *desk = submission->desk;
    struct entry *entry =
        entry_new(desk, submission->sender->by, submission->order.id, now_ms(desk));

    if (!entry)
        return;
    entry->refused = true;
    entry->stream = site_point_stream(submission->device, submission->point);
    memcpy(entry->device, submission->order.device, sizeof entry->device);
    memcpy(entry->point, submission->order.point, sizeof entry->point);
    entry_answer(desk, entry, status, NULL, submission->words);
}

static void refuse(struct submission *submission, uint16_t status)
{
    tell_refusal(submission, status);
    if (submission->point)
        store_refusal(submission, status);
}

/* A bucket that holds DESK_BURST commands and fills with DESK_RATE_PER_S. */
static bool may_come(struct desk *desk, bool remote)
{
    struct bucket *bucket = remote ? &desk->remote : &desk->local;
    int64_t now = clock_mono(desk->clock), each = NS_PER_S / DESK_RATE_PER_S;
    int64_t full_at = bucket->full_at_ns > now ? bucket->full_at_ns : now;

    if (full_at + each > now + DESK_BURST * each)
        return false;
    bucket->full_at_ns = full_at + each;
    return true;
}

static void find_point(struct submission *submission)
{
    const struct order *order = &submission->order;

    for (const struct desk_bus *entry = submission->desk->buses; entry; entry = entry->next) {
        for (size_t i = 0; i < entry->bus->device_count; i++) {
            const struct site_device *device = &entry->bus->devices[i];

            if (strcmp(device->id, order->device) != 0)
                continue;
            for (size_t j = 0; j < device->point_count; j++) {
                if (strcmp(device->points[j].id, order->point) != 0)
                    continue;
                submission->bus = entry;
                submission->device = device;
                submission->point = &device->points[j];
            }
        }
    }
}

/* Says which device or point may have been meant. */
static void name_nearest(struct submission *submission)
{
    const struct order *order = &submission->order;
    const struct site_device *known = NULL;
    struct candidates devices, points;
    char there[COMMAND_WORDS_SIZE_MAX - 48];

    candidates_init(&devices, order->device);
    candidates_init(&points, order->point);
    for (const struct desk_bus *entry = submission->desk->buses; entry; entry = entry->next) {
        for (size_t i = 0; i < entry->bus->device_count; i++) {
            candidates_offer(&devices, entry->bus->devices[i].id);
            if (strcmp(entry->bus->devices[i].id, order->device) == 0)
                known = &entry->bus->devices[i];
        }
    }
    for (size_t i = 0; known && i < known->point_count; i++)
        candidates_offer(&points, known->points[i].id);
    candidates_text(known ? &points : &devices, there, sizeof there);
    snprintf(submission->words, sizeof submission->words, "the configuration has no such %s%s",
             known ? "point" : "device", there);
}

static uint16_t check_point(struct submission *submission)
{
    const struct driver *driver;

    find_point(submission);
    if (!submission->point) {
        name_nearest(submission);
        return STATUS_NO_POINT;
    }
    driver = submission->bus->bus->driver;
    if (!submission->point->write.allowed || !driver->can_write)
        return STATUS_NOT_WRITABLE;
    if (!command_value(submission->point, &submission->order, &submission->value, submission->words,
                       sizeof submission->words) ||
        !driver->can_write(submission->device, submission->point, &submission->value,
                           submission->words, sizeof submission->words))
        return STATUS_VALUE_REFUSED;
    return STATUS_GOOD;
}

/*
 * How long it may still be executed, counted by the monotonic clock from now on: that one is right
 * whatever is done to the other. A command that came over a broker may have waited there, so only
 * "expires" tells whether it is fresh, and only by a clock that was set; without one it is believed
 * when it cannot have waited.
 */
static uint16_t check_time(struct submission *submission)
{
    const struct order *order = &submission->order;
    const struct desk *desk = submission->desk;
    bool clock_set = clock_trust(desk->clock) != CLOCK_UNSET;
    int64_t ttl_ms = order->ttl_ms >= 0       ? order->ttl_ms
                     : order->expires_ms == 0 ? DESK_TTL_NS / NS_PER_MS
                                              : DESK_TTL_MAX_NS / NS_PER_MS;

    if (submission->sender->remote && order->expires_ms == 0) {
        snprintf(submission->words, sizeof submission->words,
                 "say in \"expires\" until when it may be executed, in ms since 1970: a broker may "
                 "deliver late");
        return STATUS_MALFORMED;
    }
    if (order->expires_ms != 0 && clock_set) {
        int64_t left_ms = order->expires_ms - now_ms(desk);

        if (left_ms > DESK_TTL_MAX_NS / NS_PER_MS) {
            snprintf(submission->words, sizeof submission->words,
                     "\"expires\" is to be at most an hour ahead");
            return STATUS_MALFORMED;
        }
        ttl_ms = left_ms < ttl_ms ? left_ms : ttl_ms;
    } else if (order->expires_ms != 0) {
        if (submission->delivery->late)
            return STATUS_CLOCK_UNSET;
        ttl_ms = ttl_ms < DESK_TTL_NS / NS_PER_MS ? ttl_ms : DESK_TTL_NS / NS_PER_MS;
    }
    if (ttl_ms > DESK_TTL_MAX_NS / NS_PER_MS)
        ttl_ms = DESK_TTL_MAX_NS / NS_PER_MS;
    submission->ttl_ns = ttl_ms * NS_PER_MS;
    submission->expires_mono_ns = clock_mono(desk->clock) + submission->ttl_ns;
    return ttl_ms > 0 ? STATUS_GOOD : STATUS_EXPIRED;
}

static uint16_t take(struct submission *submission)
{
    struct desk *desk = submission->desk;
    const struct order *order = &submission->order;
    struct entry *entry = entry_new(desk, submission->sender->by, order->id, now_ms(desk));

    if (!entry)
        return STATUS_TOO_MANY;
    memcpy(entry->device, order->device, sizeof entry->device);
    memcpy(entry->point, order->point, sizeof entry->point);
    entry->state = ENTRY_TAKEN;
    entry->content = entry_content(order->device, order->point, &submission->value);
    entry->stream = site_point_stream(submission->device, submission->point);
    entry->decimals = submission->point->decimals;
    entry->expires_mono_ns = submission->expires_mono_ns;
    entry->expires_ms = order->expires_ms;
    entry->ttl_ms = submission->ttl_ns / NS_PER_MS;
    entry_keep(entry, &submission->value, NULL, 0);
    entry_add_waiter(entry, submission->sender);
    entry_list_append(&desk->taken, entry);
    pthread_cond_signal(&desk->work);
    return STATUS_GOOD;
}

/* Asked again: the same command gets the same answer, whatever has become of it. */
static void repeat(struct submission *submission, struct entry *entry)
{
    struct desk *desk = submission->desk;

    find_point(submission);
    if (submission->point &&
        command_value(submission->point, &submission->order, &submission->value, submission->words,
                      sizeof submission->words)) {
        uint32_t content =
            entry_content(submission->order.device, submission->order.point, &submission->value);
        if (content != entry->content) {
            snprintf(submission->words, sizeof submission->words,
                     "this id was that of another command: every command has one of its own");
            tell_refusal(submission, STATUS_MALFORMED);
            return;
        }
    }
    if (!entry_add_waiter(entry, submission->sender))
        tell_refusal(submission, STATUS_TOO_MANY);
    else if (entry->state == ENTRY_DONE)
        entry_tell(desk, entry, false);
    else if (entry->accepted)
        entry_tell(desk, entry, true);
}

static void look_at(struct submission *submission, const char *json, size_t size)
{
    struct desk *desk = submission->desk;
    struct entry *known = NULL;
    uint16_t status = STATUS_MALFORMED;

    if (size > COMMAND_JSON_SIZE_MAX) {
        snprintf(submission->words, sizeof submission->words, "a command has at most %d bytes",
                 COMMAND_JSON_SIZE_MAX);
        tell_refusal(submission, STATUS_MALFORMED);
        return;
    }
    int error = payload_command(json, size, &submission->order, submission->words,
                                sizeof submission->words);
    if (submission->order.id[0])
        known = entry_find(desk, submission->sender->by, submission->order.id);
    if (submission->delivery->retained) {
        snprintf(submission->words, sizeof submission->words,
                 "commands must not be retained: publish it without the retain flag, and clear the "
                 "topic");
        if (!known)
            tell_refusal(submission, STATUS_MALFORMED);
        return;
    }
    if (!may_come(desk, submission->sender->remote)) {
        submission->words[0] = '\0';
        tell_refusal(submission, STATUS_TOO_MANY);
        return;
    }
    if (known && !error) {
        repeat(submission, known);
        return;
    }
    if (!error)
        status = check_point(submission);
    if (status == STATUS_GOOD)
        status = check_time(submission);
    if (status == STATUS_GOOD)
        status = take(submission);
    if (status != STATUS_GOOD)
        refuse(submission, status);
}

static void submit(struct command_desk *base, struct command_sender *sender, const char *json,
                   size_t size, const struct command_delivery *delivery)
{
    struct desk *desk = self(base);
    struct submission submission = {.desk = desk, .sender = sender, .delivery = delivery};

    pthread_mutex_lock(&desk->lock);
    while (!desk->is_ready)
        pthread_cond_wait(&desk->ready, &desk->lock);
    look_at(&submission, json, size);
    pthread_mutex_unlock(&desk->lock);
}

static void join(struct command_desk *base, struct command_sender *sender)
{
    struct desk *desk = self(base);

    pthread_mutex_lock(&desk->lock);
    sender->next = desk->senders;
    desk->senders = sender;
    for (size_t i = 0; i < DESK_COMMANDS_MAX; i++) {
        struct entry *entry = &desk->entries[i];

        if (entry->state == ENTRY_DONE && entry->untold && strcmp(entry->by, sender->by) == 0)
            entry_tell(desk, entry, false);
    }
    pthread_mutex_unlock(&desk->lock);
}

static void leave(struct command_desk *base, struct command_sender *sender)
{
    struct desk *desk = self(base);

    pthread_mutex_lock(&desk->lock);
    for (struct command_sender **link = &desk->senders; *link; link = &(*link)->next) {
        if (*link == sender) {
            *link = sender->next;
            break;
        }
    }
    for (size_t i = 0; i < DESK_COMMANDS_MAX; i++) {
        for (size_t j = 0; j < ENTRY_WAITERS_MAX; j++) {
            if (desk->entries[i].waiters[j] == sender)
                desk->entries[i].waiters[j] = NULL;
        }
    }
    pthread_mutex_unlock(&desk->lock);
}

static const struct command_desk_ops desk_ops = {.submit = submit, .join = join, .leave = leave};

struct command_desk *desk_seam(struct desk *desk)
{
    return &desk->base;
}

int desk_add_bus(struct desk *desk, const struct site_bus *bus, struct host *host)
{
    struct desk_bus *entry = calloc(1, sizeof *entry);

    if (!entry)
        return ERR_NOMEM;
    entry->bus = bus;
    entry->host = host;
    pthread_mutex_lock(&desk->lock);
    entry->next = desk->buses;
    desk->buses = entry;
    pthread_mutex_unlock(&desk->lock);
    return 0;
}

void desk_remove_bus(struct desk *desk, const struct host *host)
{
    struct desk_bus *removed = NULL;

    pthread_mutex_lock(&desk->lock);
    for (struct desk_bus **link = &desk->buses; *link; link = &(*link)->next) {
        if ((*link)->host == host) {
            removed = *link;
            *link = removed->next;
            break;
        }
    }
    pthread_mutex_unlock(&desk->lock);
    free(removed);
}

void desk_done(void *context, uint64_t token, uint16_t status, const struct value *value)
{
    struct desk *desk = context;
    struct entry *entry;

    pthread_mutex_lock(&desk->lock);
    entry = entry_of_token(desk, token);
    if (entry && entry->state == ENTRY_WITH_BUS)
        entry_answer(desk, entry, status, value, NULL);
    pthread_mutex_unlock(&desk->lock);
}

/* Hands a stored command to its bus, which may be another one than when it came. */
static void hand_over(struct desk *desk, struct entry *entry)
{
    struct submission place = {.desk = desk};
    struct driver_command command = {
        .value = entry->value, .expires_mono_ns = entry->expires_mono_ns, .token = entry->token};

    memcpy(place.order.device, entry->device, sizeof entry->device);
    memcpy(place.order.point, entry->point, sizeof entry->point);
    find_point(&place);
    if (!place.point || site_point_stream(place.device, place.point) != entry->stream ||
        !place.point->write.allowed) {
        entry_answer(desk, entry, STATUS_STOPPED, NULL, "the configuration changed meanwhile");
        return;
    }
    command.device = place.device;
    command.point = place.point;
    entry->state = ENTRY_WITH_BUS;
    int error = clock_mono(desk->clock) >= entry->expires_mono_ns
                    ? ERR_TIMEOUT
                    : host_command(place.bus->host, &command);
    if (error)
        entry_answer(desk, entry,
                     error == ERR_TIMEOUT ? STATUS_EXPIRED
                     : error == ERR_FULL  ? STATUS_TOO_MANY
                                          : STATUS_STOPPED,
                     NULL, NULL);
}

/* Durable now, or not to be: what is not is not executed. */
static void settle_command(struct desk *desk, struct entry *entry, int error)
{
    if (!entry->put) {
        entry_keep(entry, NULL, NULL, 0);
        entry->status = STATUS_NOT_STORED;
        entry_tell(desk, entry, false);
        entry_free(entry);
    } else if (error) {
        entry_answer(desk, entry, STATUS_NOT_STORED, NULL, NULL);
    } else {
        entry->accepted = true;
        entry_tell(desk, entry, true);
        hand_over(desk, entry);
    }
}

static void settle_result(struct desk *desk, struct entry *entry)
{
    entry->state = ENTRY_DONE;
    if (entry->refused)
        entry_free(entry);
    else
        entry_tell(desk, entry, false);
}

/* Takes what has come; false when there is nothing more and the desk closes. */
static bool next_batch(struct desk *desk, struct entry_list *commands, struct entry_list *results)
{
    pthread_mutex_lock(&desk->lock);
    while (!desk->taken.first && !desk->answered.first && !desk->closing)
        pthread_cond_wait(&desk->work, &desk->lock);
    commands->first = desk->taken.first;
    results->first = desk->answered.first;
    entry_list_init(&desk->taken);
    entry_list_init(&desk->answered);
    pthread_mutex_unlock(&desk->lock);
    return commands->first || results->first;
}

static void *thread_main(void *context)
{
    struct desk *desk = context;
    struct entry_list commands, results;

    pthread_setname_np(pthread_self(), "commands");
    desk_look_back(desk);
    pthread_mutex_lock(&desk->lock);
    desk->is_ready = true;
    pthread_cond_broadcast(&desk->ready);
    pthread_mutex_unlock(&desk->lock);
    while (next_batch(desk, &commands, &results)) {
        int error = desk_store(desk, &commands, &results);
        struct entry *next;

        pthread_mutex_lock(&desk->lock);
        for (struct entry *entry = results.first; entry; entry = next) {
            next = entry->next;
            settle_result(desk, entry);
        }
        for (struct entry *entry = commands.first; entry; entry = next) {
            next = entry->next;
            settle_command(desk, entry, error);
        }
        pthread_mutex_unlock(&desk->lock);
    }
    return NULL;
}

static void release(struct desk *desk)
{
    for (size_t i = 0; i < DESK_COMMANDS_MAX; i++)
        entry_free(&desk->entries[i]);
    pthread_cond_destroy(&desk->ready);
    pthread_cond_destroy(&desk->work);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

int desk_open(struct desk **out, struct journal *journal, const struct clock *clock)
{
    struct desk *desk = calloc(1, sizeof *desk);
    sigset_t all, before;
    int failed;

    if (!desk)
        return ERR_NOMEM;
    desk->base.ops = &desk_ops;
    desk->journal = journal;
    desk->clock = clock;
    pthread_mutex_init(&desk->lock, NULL);
    pthread_cond_init(&desk->work, NULL);
    pthread_cond_init(&desk->ready, NULL);
    entry_list_init(&desk->taken);
    entry_list_init(&desk->answered);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&desk->thread, NULL, thread_main, desk);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        release(desk);
        return ERR_NOMEM;
    }
    *out = desk;
    return 0;
}

void desk_close(struct desk *desk)
{
    if (!desk)
        return;
    pthread_mutex_lock(&desk->lock);
    desk->closing = true;
    pthread_cond_signal(&desk->work);
    pthread_mutex_unlock(&desk->lock);
    pthread_join(desk->thread, NULL);
    release(desk);
}
