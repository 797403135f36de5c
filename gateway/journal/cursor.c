#include "journal/cursor.h"

#include "core/error.h"
#include "journal/inside.h"

#include <stdio.h>
#include <string.h>

static const char trial_prefix[] = "trial/";

static void lock(const struct journal *journal)
{
    pthread_mutex_lock(&((struct journal *)journal)->state.cursors.mutex);
}

static void unlock(const struct journal *journal)
{
    pthread_mutex_unlock(&((struct journal *)journal)->state.cursors.mutex);
}

/* A move rides on the next commit. A writer that has nothing to do has to be told that there is one
 * to come. */
static void changed(struct journal *journal)
{
    if (!atomic_exchange(&journal->cursors_changed, true))
        journal_wake(journal, REST_IDLE);
    if (atomic_load(&journal->storage_error) == ERR_FULL)
        commit_wake(&journal->commit); /* what held the oldest segment may have let go */
}

static bool name_valid(const char *name)
{
    return name[0] != 0 && strnlen(name, CURSOR_NAME_SIZE_MAX) < CURSOR_NAME_SIZE_MAX;
}

int cursor_open(struct cursor **opened, struct journal *journal, const char *name,
                enum cursor_start start)
{
    struct cursors *cursors = &journal->state.cursors;
    int error = 0;

    if (!name_valid(name) || journal->read_only)
        return ERR_INVALID;
    lock(journal);
    struct cursor *cursor = cursors_find(cursors, name);
    bool made = !cursor;
    if (made)
        cursor = cursors_place(cursors);
    if (!cursor) {
        error = ERR_FULL;
    } else if (!made && cursor->held) {
        error = ERR_BUSY;
    } else {
        if (made) {
            *cursor = (struct cursor){.state = CURSOR_LIVE, .changed = true};
            strcpy(cursor->name, name);
            cursor->began = start == CURSOR_AT_OLDEST ? journal_oldest(journal)
                                                      : journal_durable(journal, NULL) + 1;
            cursor->low = cursor->began;
        }
        cursor->journal = journal;
        cursor->held = true;
        *opened = cursor;
    }
    unlock(journal);
    if (error == 0 && made)
        changed(journal);
    return error;
}

void cursor_close(struct cursor *cursor)
{
    if (!cursor)
        return;
    lock(cursor->journal);
    cursor->held = false;
    unlock(cursor->journal);
}

int cursor_remove(struct journal *journal, const char *name)
{
    int error = 0;
    lock(journal);
    struct cursor *cursor = cursors_find(&journal->state.cursors, name);
    if (!cursor) {
        error = ERR_NOT_FOUND;
    } else if (cursor->held) {
        error = ERR_BUSY;
    } else {
        cursor->state = CURSOR_REMOVED;
        cursor->changed = true;
    }
    unlock(journal);
    if (error == 0)
        changed(journal);
    return error;
}

/* The holder's pointer stays; the old name goes to a place of its own, to be told as removed. */
static void move_name(struct cursor *cursor, const char *to, struct cursor *place)
{
    *place = (struct cursor){.state = CURSOR_REMOVED, .changed = true};
    strcpy(place->name, cursor->name);
    strcpy(cursor->name, to);
    cursor->changed = true;
}

static int rename_cursor(struct journal *journal, const char *from, const char *to, bool replaces)
{
    struct cursors *cursors = &journal->state.cursors;
    int error = 0;

    if (!name_valid(to))
        return ERR_INVALID;
    lock(journal);
    struct cursor *cursor = cursors_find(cursors, from), *other = cursors_find(cursors, to);
    struct cursor *place = other ? other : cursors_place(cursors);
    if (!cursor)
        error = ERR_NOT_FOUND;
    else if (other && !replaces)
        error = ERR_EXISTS;
    else if (other && (other->held || other == cursor))
        error = ERR_BUSY;
    else if (!place)
        error = ERR_FULL;
    else
        move_name(cursor, to, place);
    unlock(journal);
    if (error == 0)
        changed(journal);
    return error;
}

int cursor_rename(struct journal *journal, const char *from, const char *to)
{
    return rename_cursor(journal, from, to, false);
}

int cursor_replace(struct journal *journal, const char *from, const char *to)
{
    return rename_cursor(journal, from, to, true);
}

void cursor_trial_name(char name[CURSOR_NAME_SIZE_MAX], const char *key, const char *of)
{
    snprintf(name, CURSOR_NAME_SIZE_MAX, "%s%.*s/%s", trial_prefix, CURSOR_KEY_SIZE - 1, key, of);
}

int cursor_copy(struct journal *journal, const char *from, const char *to)
{
    struct cursors *cursors = &journal->state.cursors;
    int error = 0;

    if (!name_valid(to))
        return ERR_INVALID;
    lock(journal);
    const struct cursor *cursor = cursors_find(cursors, from);
    struct cursor *place = cursors_place(cursors);
    if (!cursor) {
        error = ERR_NOT_FOUND;
    } else if (cursors_find(cursors, to)) {
        error = ERR_EXISTS;
    } else if (!place) {
        error = ERR_FULL;
    } else {
        *place = *cursor;
        strcpy(place->name, to);
        place->held = false;
        place->changed = true;
    }
    unlock(journal);
    if (error == 0)
        changed(journal);
    return error;
}

uint64_t cursor_low(const struct cursor *cursor)
{
    lock(cursor->journal);
    uint64_t low = cursor->low;
    unlock(cursor->journal);
    return low;
}

static uint64_t resume(const struct cursor *cursor)
{
    return cursor->untold.first ? cursor->untold.first : cursor->low;
}

uint64_t cursor_resume(const struct cursor *cursor)
{
    lock(cursor->journal);
    uint64_t n = resume(cursor);
    unlock(cursor->journal);
    return n;
}

/* Marks a range as done and counts what was new of it. */
static int finish(struct cursor *cursor, uint64_t first, uint64_t last, uint64_t *counter)
{
    if (first > last || first == 0 || last > journal_durable(cursor->journal, NULL))
        return ERR_INVALID;
    lock(cursor->journal);
    int64_t marked = cursor_mark(cursor, first, last);
    if (marked > 0)
        *counter += (uint64_t)marked;
    bool told = marked >= 0 && cursor_told(cursor, first, last);
    unlock(cursor->journal);
    if (marked > 0 || told)
        changed(cursor->journal);
    return marked < 0 ? (int)marked : 0;
}

int cursor_ack(struct cursor *cursor, uint64_t first, uint64_t last)
{
    return finish(cursor, first, last, &cursor->acked);
}

int cursor_drop(struct cursor *cursor, uint64_t first, uint64_t last, enum gap_reason reason)
{
    if ((unsigned)reason >= GAP_REASONS)
        return ERR_INVALID;
    return finish(cursor, first, last, &cursor->dropped[reason]);
}

/* What a trial stands for; NULL where the cursor is none. */
static const char *tried(const char *name)
{
    if (strncmp(name, trial_prefix, sizeof(trial_prefix) - 1) != 0)
        return NULL;
    const char *slash = strchr(name + sizeof(trial_prefix) - 1, '/');
    return slash ? slash + 1 : NULL;
}

/* With the mutex held. */
static bool has_trial(const struct cursors *cursors, const char *name)
{
    for (size_t i = 0; i < CURSORS_MAX; i++) {
        const struct cursor *cursor = &cursors->table[i];
        const char *of = cursor->state == CURSOR_LIVE ? tried(cursor->name) : NULL;
        if (of && strcmp(of, name) == 0)
            return true;
    }
    return false;
}

static void name_ledger(struct cursor_ledger *ledger, const char *name)
{
    const char *of = tried(name);

    strcpy(ledger->name, of ? of : name);
    if (of)
        snprintf(ledger->trial, sizeof(ledger->trial), "%.*s",
                 (int)(of - name) - (int)sizeof(trial_prefix), name + sizeof(trial_prefix) - 1);
}

void cursor_each(const struct journal *journal,
                 void (*each)(void *context, const struct cursor_ledger *ledger), void *context)
{
    uint64_t durable = journal_durable(journal, NULL);

    for (size_t i = 0; i < CURSORS_MAX; i++) {
        lock(journal);
        struct cursor cursor = journal->state.cursors.table[i];
        bool told = cursor.state == CURSOR_LIVE && !has_trial(&journal->state.cursors, cursor.name);
        unlock(journal);
        if (!told)
            continue;
        struct cursor_ledger ledger = {
            .low = cursor.low,
            .resume = resume(&cursor),
            .acked = cursor.acked,
            .ranges = cursor.range_count,
            .held = cursor.held,
        };
        name_ledger(&ledger, cursor.name);
        uint64_t done = cursor.acked;
        for (size_t reason = 0; reason < GAP_REASONS; reason++) {
            ledger.dropped[reason] = cursor.dropped[reason];
            done += cursor.dropped[reason];
        }
        /* What was done since `durable` was read is not pending either. */
        uint64_t counted = durable + 1 > cursor.began ? durable + 1 - cursor.began : 0;
        ledger.pending = counted > done ? counted - done : 0;
        each(context, &ledger);
    }
}
