#include "cli/balance_inside.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "core/error.h"

struct balance *balance_open(const char *uplink)
{
    struct balance *balance = calloc(1, sizeof *balance);

    if (balance && uplink) {
        snprintf(balance->uplink, sizeof balance->uplink, "%s", uplink);
        balance->uplink_named = true;
    }
    return balance;
}

void balance_listens(struct balance *balance, int64_t wall_ms)
{
    balance->since_ms = wall_ms;
}

void balance_close(struct balance *balance)
{
    if (!balance)
        return;
    for (size_t i = 0; i < balance->epoch_count; i++)
        number_set_free(&balance->epochs[i].keys);
    for (size_t i = 0; i < balance->series_room; i++) {
        if (!balance->series[i])
            continue;
        number_set_free(&balance->series[i]->arrived);
        free(balance->series[i]->witnesses);
        free(balance->series[i]);
    }
    range_set_free(&balance->covers);
    free(balance->epochs);
    free(balance->marks);
    free(balance->series);
    free(balance->crashes);
    free(balance->lents);
    free(balance);
}

/* Room for one more item in an array whose length is its count: grown by doubling at powers of two.
 */
static void *room_for_one(void *items, size_t count, size_t item_size)
{
    if (count & (count - 1))
        return items;
    if (count == 0)
        return realloc(items, item_size);
    return realloc(items, 2 * count * item_size);
}

static struct epoch *find_epoch(struct balance *balance, const char *name)
{
    for (size_t i = balance->epoch_count; i-- > 0;) {
        if (strcmp(balance->epochs[i].name, name) == 0)
            return &balance->epochs[i];
    }
    struct epoch *grown = room_for_one(balance->epochs, balance->epoch_count, sizeof *grown);
    if (!grown)
        return NULL;
    balance->epochs = grown;
    struct epoch *epoch = &grown[balance->epoch_count++];
    memset(epoch, 0, sizeof *epoch);
    snprintf(epoch->name, sizeof epoch->name, "%s", name);
    return epoch;
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits. */
static size_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return (size_t)hash;
}

static int grow_series(struct balance *balance)
{
    size_t room = balance->series_room ? 2 * balance->series_room : 256;
    struct series **table = calloc(room, sizeof(struct series *));

    if (!table)
        return ERR_NOMEM;
    for (size_t i = 0; i < balance->series_room; i++) {
        if (!balance->series[i])
            continue;
        size_t at = hash_name(balance->series[i]->name) & (room - 1);
        while (table[at])
            at = (at + 1) & (room - 1);
        table[at] = balance->series[i];
    }
    free(balance->series);
    balance->series = table;
    balance->series_room = room;
    return 0;
}

static struct series *find_series(struct balance *balance, const char *device, const char *point)
{
    char name[NAME_SIZE_MAX];

    if (2 * (balance->series_count + 1) > balance->series_room && grow_series(balance))
        return NULL;
    snprintf(name, sizeof name, "%s/%s", device, point);
    size_t at = hash_name(name) & (balance->series_room - 1);
    while (balance->series[at] && strcmp(balance->series[at]->name, name) != 0)
        at = (at + 1) & (balance->series_room - 1);
    if (!balance->series[at]) {
        struct series *series = calloc(1, sizeof *series);
        if (!series)
            return NULL;
        memcpy(series->name, name, sizeof name);
        balance->series[at] = series;
        balance->series_count++;
    }
    return balance->series[at];
}

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = get(object, key);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

/* A number, or a whole number beyond 2^53 that came as a string. */
static bool value_of(const cJSON *object, const char *key, double *value)
{
    const cJSON *item = get(object, key);

    if (cJSON_IsNumber(item)) {
        *value = item->valuedouble;
        return true;
    }
    return false;
}

static bool range_of(const cJSON *object, const char *key, uint64_t *first, uint64_t *last)
{
    const cJSON *pair = get(object, key);
    const cJSON *a = cJSON_GetArrayItem(pair, 0), *b = cJSON_GetArrayItem(pair, 1);

    if (!cJSON_IsNumber(a) || !cJSON_IsNumber(b) || a->valuedouble < 1 ||
        b->valuedouble < a->valuedouble || b->valuedouble > (double)ANSWER_MOST)
        return false;
    *first = (uint64_t)a->valuedouble;
    *last = (uint64_t)b->valuedouble;
    return true;
}

/* Whether the message is of the uplink that is watched; the first one seen decides when none was
 * named. */
static bool is_watched(struct balance *balance, const cJSON *message)
{
    const char *uplink = text_of(message, "uplink");

    if (!uplink)
        return false;
    if (!balance->uplink[0])
        snprintf(balance->uplink, sizeof balance->uplink, "%s", uplink);
    balance_saw_uplink(balance, uplink);
    if (strcmp(balance->uplink, uplink) != 0)
        return false;
    balance->totals.messages++;
    return true;
}

static int take_value(struct balance *balance, const char *device, const char *point,
                      const cJSON *object)
{
    const char *quality = text_of(object, "q");
    double value;

    if (!device || !point || !quality || strcmp(quality, "bad") == 0 ||
        !value_of(object, "v", &value))
        return 0;
    struct series *series = find_series(balance, device, point);
    if (!series)
        return ERR_NOMEM;
    int added = number_set_add(&series->arrived, llround(value * WITNESS_SCALE));
    return added < 0 ? added : 0;
}

static int take_gap(struct balance *balance, const cJSON *event)
{
    const char *why = text_of(event, "why");
    uint64_t first, last;

    balance->totals.gaps++;
    if (range_of(event, "lost", &first, &last))
        balance->totals.gap_events += last - first + 1;
    else
        balance->totals.gap_events += answer_count(event, "count");
    if (!why || strcmp(why, "crash") != 0)
        return 0;
    struct crash *grown = room_for_one(balance->crashes, balance->crash_count, sizeof *grown);
    if (!grown)
        return ERR_NOMEM;
    balance->crashes = grown;
    grown[balance->crash_count++] = (struct crash){
        .before_t = balance->newest_t,
        .t = answer_whole(event, "t"),
        .extent_ms = answer_whole(event, "extent_ms"),
    };
    return 0;
}

/* The gateway tells when it lets go of a device's line, and when it has it back. */
static int take_state(struct balance *balance, const cJSON *event)
{
    const char *device = text_of(event, "d"), *why = text_of(event, "why");
    int64_t t = answer_whole(event, "t");

    if (!device)
        return 0;
    for (size_t i = 0; i < balance->lent_count; i++) {
        struct lent *lent = &balance->lents[i];
        if (lent->until == INT64_MAX && strcmp(lent->device, device) == 0)
            lent->until = t;
    }
    if (!why || strcmp(why, "lent") != 0)
        return 0;
    struct lent *grown = room_for_one(balance->lents, balance->lent_count, sizeof *grown);
    if (!grown)
        return ERR_NOMEM;
    balance->lents = grown;
    struct lent *lent = &grown[balance->lent_count++];
    *lent = (struct lent){.from = t, .until = INT64_MAX};
    snprintf(lent->device, sizeof lent->device, "%s", device);
    return 0;
}

static int take_event(struct balance *balance, struct epoch *epoch, const cJSON *event)
{
    const char *kind = text_of(event, "k");
    uint64_t n = answer_count(event, "n");
    int64_t t = answer_whole(event, "t");

    if (!kind || !n)
        return ERR_PROTOCOL;
    int added = number_set_add(&epoch->keys, (int64_t)n);
    if (added <= 0) {
        balance->totals.duplicates += added == 0;
        return added;
    }
    balance->totals.events++;
    int error = 0;
    if (strcmp(kind, "gap") == 0)
        error = take_gap(balance, event);
    else if (strcmp(kind, "reading") == 0)
        error = take_value(balance, text_of(event, "d"), text_of(event, "p"), event);
    else if (strcmp(kind, "state") == 0)
        error = take_state(balance, event);
    /* Of readings only: what a gateway tells of itself when it starts is dated after the crash. */
    if (n > balance->newest_n && strcmp(kind, "reading") == 0) {
        balance->newest_n = n;
        balance->newest_t = t;
    }
    return error;
}

/* A stretch that was gone before it could be sent is told as a gap without a number. */
static bool is_hole(const cJSON *event, uint64_t first, uint64_t last)
{
    const char *kind = text_of(event, "k");
    uint64_t lost_first, lost_last;

    return kind && strcmp(kind, "gap") == 0 && !get(event, "n") &&
           range_of(event, "lost", &lost_first, &lost_last) && lost_first >= first &&
           lost_last <= last;
}

static int take_batch(struct balance *balance, const cJSON *message)
{
    const char *name = text_of(message, "epoch");
    const cJSON *event;
    uint64_t first, last;

    if (!is_watched(balance, message))
        return 0;
    if (!name || !range_of(message, "covers", &first, &last) ||
        !cJSON_IsArray(get(message, "events")))
        return ERR_PROTOCOL;
    struct epoch *epoch = find_epoch(balance, name);
    if (!epoch)
        return ERR_NOMEM;
    cJSON_ArrayForEach(event, get(message, "events"))
    {
        double n = answer_number(event, "n");
        int error = ERR_PROTOCOL;
        if (is_hole(event, first, last))
            error = take_gap(balance, event);
        else if (n >= (double)first && n <= (double)last)
            error = take_event(balance, epoch, event);
        if (error)
            return error;
    }
    return range_set_add(&balance->covers, first, last);
}

static int take_mark(struct balance *balance, const cJSON *message)
{
    const char *name = text_of(message, "epoch");
    uint64_t first, last;

    if (!is_watched(balance, message))
        return 0;
    if (!name || !range_of(message, "covers", &first, &last))
        return ERR_PROTOCOL;
    struct mark *grown = room_for_one(balance->marks, balance->mark_count, sizeof *grown);
    if (!grown)
        return ERR_NOMEM;
    balance->marks = grown;
    struct mark *mark = &grown[balance->mark_count++];
    *mark = (struct mark){.first = first, .last = last, .count = answer_count(message, "count")};
    snprintf(mark->epoch, sizeof mark->epoch, "%s", name);
    return range_set_add(&balance->covers, first, last);
}

/* A value on a topic of its own: v/DEVICE/POINT. */
static int take_single(struct balance *balance, const char *suffix, const cJSON *message)
{
    const char *key = text_of(message, "key");
    const char *dash = key ? strchr(key, '-') : NULL;
    const char *slash = strchr(suffix, '/');
    char name[12], device[ID_SIZE_MAX];

    if (!dash || (size_t)(dash - key) >= sizeof name || !slash ||
        (size_t)(slash - suffix) >= sizeof device)
        return ERR_PROTOCOL;
    snprintf(name, sizeof name, "%.*s", (int)(dash - key), key);
    snprintf(device, sizeof device, "%.*s", (int)(slash - suffix), suffix);
    struct epoch *epoch = find_epoch(balance, name);
    if (!epoch)
        return ERR_NOMEM;
    int added = number_set_add(&epoch->keys, strtoll(dash + 1, NULL, 10));
    if (added <= 0) {
        balance->totals.duplicates += added == 0;
        return added;
    }
    balance->totals.events++;
    return take_value(balance, device, slash + 1, message);
}

int balance_message(struct balance *balance, const char *suffix, const char *payload, size_t size,
                    bool retained)
{
    bool batch = strcmp(suffix, "data") == 0, mark = strcmp(suffix, "mark") == 0;
    bool single = strncmp(suffix, "v/", 2) == 0;
    int error = 0;

    if (strcmp(suffix, "ledger") == 0)
        return balance_take_ledger(balance, payload, size, retained);
    /* What the broker kept from before is old news: its event was, or will be, seen by itself. */
    if ((!batch && !mark && !single) || retained)
        return 0;
    balance->totals.messages += single;
    cJSON *message = cJSON_ParseWithLength(payload, size);
    if (!message)
        error = ERR_PROTOCOL;
    else if (batch)
        error = take_batch(balance, message);
    else if (mark)
        error = take_mark(balance, message);
    else
        error = take_single(balance, suffix + 2, message);
    cJSON_Delete(message);
    balance->totals.broken += error == ERR_PROTOCOL;
    return error;
}

static int take_witness(struct balance *balance, const char *line)
{
    cJSON *object = cJSON_Parse(line);
    const char *device = text_of(object, "d"), *point = text_of(object, "p");
    double value;
    int error = 0;

    if (!device || !point || !value_of(object, "v", &value)) {
        cJSON_Delete(object);
        return ERR_INVALID;
    }
    struct series *series = find_series(balance, device, point);
    if (series && series->witness_count == series->witness_room) {
        size_t room = series->witness_room ? 2 * series->witness_room : 256;
        struct witness *grown = realloc(series->witnesses, room * sizeof *grown);
        if (grown) {
            series->witnesses = grown;
            series->witness_room = room;
        } else {
            error = ERR_NOMEM;
        }
    }
    if (series && !error)
        series->witnesses[series->witness_count++] = (struct witness){
            .value = llround(value * WITNESS_SCALE),
            .t = answer_whole(object, "t"),
            .late = cJSON_IsTrue(get(object, "late")),
        };
    cJSON_Delete(object);
    return series ? error : ERR_NOMEM;
}

int balance_truth(struct balance *balance, const char *path, int *line_number)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int error = 0;

    *line_number = 0;
    if (!file)
        return ERR_NOT_FOUND;
    while (!error && (size = getline(&line, &room, file)) > 0) {
        (*line_number)++;
        /* A last line without its end is one that is being written at this moment. */
        if (line[size - 1] == '\n' && size > 1)
            error = take_witness(balance, line);
    }
    free(line);
    fclose(file);
    return error;
}

/* The crash in whose time a value was sent, if any. */
static struct crash *crash_around(const struct balance *balance, int64_t t)
{
    for (size_t i = 0; i < balance->crash_count; i++) {
        struct crash *crash = &balance->crashes[i];
        if (t >= crash->before_t - crash->extent_ms - CRASH_SLACK_MS && t <= crash->t)
            return crash;
    }
    return NULL;
}

/*
 * Nothing is sent to a gateway that is dead, so the newest lost value was sent just before its end;
 * what was sent more than the told extent before that had to be stored.
 */
bool balance_excuses(const struct balance *balance, int64_t t)
{
    const struct crash *crash = crash_around(balance, t);

    return crash && t >= crash->last_lost_t - crash->extent_ms - CRASH_SLACK_MS;
}

bool balance_leaves_out(const struct balance *balance, const struct series *series,
                        const struct witness *witness)
{
    return balance->covers.count > 0 && balance->covers.items[0].first > 1 &&
           series->first_arrived < series->witness_count &&
           witness < series->witnesses + series->first_arrived && witness->t &&
           witness->t < balance->since_ms;
}

static void find_first_arrived(struct series *series)
{
    size_t at = 0;

    while (at < series->witness_count &&
           (series->witnesses[at].late ||
            !number_set_has(&series->arrived, series->witnesses[at].value)))
        at++;
    series->first_arrived = at;
}

static bool was_lent(const struct balance *balance, const struct series *series, int64_t t)
{
    for (size_t i = 0; i < balance->lent_count; i++) {
        const struct lent *lent = &balance->lents[i];
        size_t size = strlen(lent->device);

        if (t >= lent->from && t <= lent->until && strncmp(series->name, lent->device, size) == 0 &&
            series->name[size] == '/')
            return true;
    }
    return false;
}

static void find_last_lost(struct balance *balance)
{
    for (size_t i = 0; i < balance->crash_count; i++)
        balance->crashes[i].last_lost_t = 0;
    for (size_t i = 0; i < balance->series_room; i++) {
        const struct series *series = balance->series[i];
        for (size_t w = 0; series && w < series->witness_count; w++) {
            const struct witness *witness = &series->witnesses[w];
            bool counts = !witness->late && !balance_leaves_out(balance, series, witness);
            struct crash *crash = counts ? crash_around(balance, witness->t) : NULL;
            if (crash && witness->t > crash->last_lost_t &&
                !number_set_has(&series->arrived, witness->value))
                crash->last_lost_t = witness->t;
        }
    }
}

static int compare_series(struct balance *balance, const struct series *series,
                          struct balance_report *report)
{
    struct number_set sent = {0};

    for (size_t i = 0; i < series->witness_count; i++) {
        const struct witness *witness = &series->witnesses[i];
        if (witness->late)
            continue;
        if (number_set_add(&sent, witness->value) < 0) {
            number_set_free(&sent);
            return ERR_NOMEM;
        }
        if (balance_leaves_out(balance, series, witness)) {
            report->before++;
            report->before_t = witness->t > report->before_t ? witness->t : report->before_t;
            continue;
        }
        report->truth++;
        if (number_set_has(&series->arrived, witness->value))
            report->delivered++;
        else if (balance_excuses(balance, witness->t) || was_lent(balance, series, witness->t))
            report->excused++;
        else
            report->missing++;
    }
    for (size_t i = 0; i < series->arrived.room; i++) {
        if (series->arrived.used[i] && !number_set_has(&sent, series->arrived.slots[i]))
            report->never_sent++;
    }
    number_set_free(&sent);
    return 0;
}

static void check_marks(struct balance *balance, struct balance_report *report)
{
    for (size_t i = 0; i < balance->mark_count; i++) {
        const struct mark *mark = &balance->marks[i];
        const struct epoch *epoch = find_epoch(balance, mark->epoch);
        uint64_t count = 0;

        for (uint64_t n = mark->first; epoch && n <= mark->last; n++)
            count += number_set_has(&epoch->keys, (int64_t)n);
        report->marks_short += count < mark->count;
    }
}

int balance_draw(struct balance *balance, struct balance_report *report)
{
    *report = balance->totals;
    report->epochs = balance->epoch_count;
    if (balance->covers.count) {
        report->first = balance->covers.items[0].first;
        report->last = balance->covers.items[balance->covers.count - 1].last;
    }
    for (size_t i = 1; i < balance->covers.count; i++) {
        report->holes++;
        report->hole_events +=
            balance->covers.items[i].first - balance->covers.items[i - 1].last - 1;
    }
    check_marks(balance, report);
    for (size_t i = 0; i < balance->series_room; i++)
        if (balance->series[i])
            find_first_arrived(balance->series[i]);
    find_last_lost(balance);
    for (size_t i = 0; i < balance->series_room; i++) {
        const struct series *series = balance->series[i];
        if (!series || !series->witness_count)
            continue;
        int error = compare_series(balance, series, report);
        if (error)
            return error;
    }
    report->proven = report->events && !report->holes && !report->marks_short && !report->broken &&
                     !report->missing && !report->never_sent;
    return 0;
}
