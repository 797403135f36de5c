#include "faults/oracle.h"

#include <stdarg.h>
#include <string.h>

#include "core/error.h"
#include "faults/must.h"
#include "journal/cursor.h"
#include "journal/lane.h"
#include "journal/reader.h"

#define WRITTEN_ON 6

struct check {
    const struct oracle_case *given;
    struct medium *disk;
    struct oracle_report *report;
    struct fake_clock clock;
    _Atomic(struct journal *) journal;
    uint32_t epoch;     /* after the recovery */
    uint64_t recovered; /* the last n of an earlier epoch that survived; 0 for none */
    uint32_t recovered_epoch;
    bool begun;            /* an event of the current epoch was read */
    bool full;             /* the journal may have to retire a segment when it starts */
    bool crash_told;       /* the new epoch says what it cannot know */
    uint64_t written_from; /* the first n after the recovery */
    uint64_t expected;     /* the n that the reader has to come to next, or say why not */
};

/* Keeps the first broken promise. Always false. */
__attribute__((format(printf, 2, 3))) static bool broken(struct check *check, const char *format,
                                                         ...)
{
    if (check->report->why[0] != 0)
        return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->report->why, sizeof(check->report->why), format, arguments);
    va_end(arguments);
    return false;
}

static struct journal *journal_of(struct check *check)
{
    return atomic_load(&check->journal);
}

static uint64_t observe(void *context)
{
    struct check *check = context;
    struct journal *journal = journal_of(check);
    return journal != NULL ? journal_durable(journal, NULL) : 0;
}

static bool open_journal(struct check *check)
{
    struct journal_options options =
        workload_journal(check->given->options, medium_io(check->disk), &check->clock);
    struct journal *journal = NULL;
    int error = journal_open(&journal, &options);
    if (error != 0)
        return broken(check, "it does not start: %s", error_text(error));
    struct journal_stats stats;
    journal_stats(journal, &stats);
    check->epoch = stats.epoch;
    atomic_store(&check->journal, journal);
    return true;
}

static void mark(struct check *check)
{
    history_mark(&check->report->branch, medium_log_size(check->disk),
                 journal_durable(journal_of(check), NULL), journal_oldest(journal_of(check)));
}

static bool meet_gap(struct check *check, const struct gap *gap)
{
    if (gap->first != check->expected || gap->last < gap->first)
        return broken(check, "a hole of %ju..%ju is told where %ju was next", (uintmax_t)gap->first,
                      (uintmax_t)gap->last, (uintmax_t)check->expected);
    const struct oracle_case *given = check->given;
    uint64_t must_from = given->oldest > gap->first ? given->oldest : gap->first;
    bool retired = gap->reason == GAP_RETENTION && check->full;
    if (!given->lied && !retired && must_from <= gap->last && must_from <= given->durable)
        return broken(check, "event %ju was durable and is gone (told: %s)", (uintmax_t)must_from,
                      gap_reason_name(gap->reason));
    check->expected = gap->last + 1;
    return true;
}

/* The first event of an epoch names the one before it, so that subscribers can follow the chain. */
static bool begins_epoch(struct check *check, const struct event *event)
{
    char chain[64], text[64] = "";
    check->begun = true;
    if (check->recovered == 0)
        return true;
    int size = snprintf(chain, sizeof(chain), "epoch %08x %ju ", (unsigned)check->recovered_epoch,
                        (uintmax_t)check->recovered);
    if (event->kind == EVENT_LIFECYCLE && event->value.type == VALUE_TEXT)
        snprintf(text, sizeof(text), "%.*s", (int)event->value.size,
                 (const char *)event->value.data);
    return check->given->lied || strncmp(text, chain, (size_t)size) == 0 ||
           broken(check, "epoch %08x begins with \"%s\" (%s), not with \"%s\"",
                  (unsigned)event->epoch, text, event_kind_name(event->kind), chain);
}

static bool meet_event(struct check *check, const struct event *event)
{
    const struct oracle_case *given = check->given;
    if (event->n != check->expected)
        return broken(check, "event %ju comes where %ju was next, and no hole is told",
                      (uintmax_t)event->n, (uintmax_t)check->expected);
    check->expected++;
    const struct history *history = given->history;
    bool other = event->n <= history->last && history->events[event->n].epoch != 0 &&
                 history->events[event->n].epoch != event->epoch;
    /* A number that nobody outside has seen may be given again by what is written now. */
    bool fresh = event->n >= check->written_from && event->n > given->durable;
    if (!fresh && !history_agrees(history, event))
        return broken(check, "event %ju of epoch %08x has changed", (uintmax_t)event->n,
                      (unsigned)event->epoch);
    if (other && event->n <= given->durable && !given->lied)
        return broken(check, "event %ju is now of epoch %08x", (uintmax_t)event->n,
                      (unsigned)event->epoch);
    if (check->epoch == 0)
        check->epoch = event->epoch; /* a new journal has none before its first event */
    if (event->epoch == check->epoch && !check->begun && !begins_epoch(check, event))
        return false;
    if (event->epoch != check->epoch) {
        check->recovered = event->n;
        check->recovered_epoch = event->epoch;
    } else if (event->kind == EVENT_GAP && event->value.gap->reason == GAP_CRASH) {
        check->crash_told = true;
    }
    if (!history_see(&check->report->branch, event))
        return broken(check, "event %ju differs from what was read a moment ago",
                      (uintmax_t)event->n);
    return true;
}

/* Whether the segments that are there leave no room for a new one and the one in preparation. */
static bool is_full(const struct oracle_case *given, struct medium *disk)
{
    const struct medium_image *image = medium_initial(disk);
    int64_t bytes = 2 * given->options->segment_bytes;
    for (size_t i = 0; i < image->count; i++)
        bytes += image->files[i].size;
    return bytes > given->options->keep_bytes;
}

struct left_behind {
    struct check *check;
    uint64_t oldest;
    bool good;
};

static void meet_place(void *context, const struct cursor_ledger *ledger)
{
    struct left_behind *left = context;
    if (ledger->low < left->oldest)
        left->good = broken(left->check,
                            "the segment before event %ju is gone, and it is not durable that "
                            "cursor %s is done with what was in it: that one is at %ju",
                            (uintmax_t)left->oldest, ledger->name, (uintmax_t)ledger->low);
}

/* A start makes up for events that are not there: what went before it was durable that it may is
 * seen on the disk alone, before that. */
static bool check_places(struct check *check)
{
    struct journal *looking;
    int error = journal_open_read_only(&looking, medium_io(check->disk));
    if (error != 0)
        return broken(check, "it cannot be looked at: %s", error_text(error));
    struct left_behind left = {.check = check, .oldest = journal_oldest(looking), .good = true};
    cursor_each(looking, meet_place, &left);
    journal_close(looking);
    return left.good;
}

/* Reads everything from n on, and checks it against what is known. */
static bool read_all(struct check *check, uint64_t from)
{
    struct reader *reader;
    uint64_t durable = journal_durable(journal_of(check), NULL);
    if (reader_open(&reader, journal_of(check), from) != 0)
        return broken(check, "no reader");
    struct event event;
    int got = 0;
    bool good = true;
    check->expected = from;
    while (good && (got = reader_next(reader, &event)) == 1)
        good = event.n == 0 ? meet_gap(check, event.value.gap) : meet_event(check, &event);
    reader_close(reader);
    if (good && got < 0)
        return broken(check, "the reader fails: %s", error_text(got));
    if (good && check->expected <= durable)
        return broken(check, "reading ends before %ju, %ju is durable", (uintmax_t)check->expected,
                      (uintmax_t)durable);
    if (good && !check->given->lied && durable < check->given->durable)
        return broken(check, "%ju was durable, the journal ends at %ju",
                      (uintmax_t)check->given->durable, (uintmax_t)durable);
    return good;
}

static bool check_epoch(struct check *check)
{
    const struct history *history = check->given->history;
    bool old = false;
    for (uint64_t n = 1; n <= history->last; n++)
        old = old || history->events[n].epoch == check->epoch;
    if (old)
        return check->given->clean ||
               broken(check, "an unclean start went on in epoch %08x", (unsigned)check->epoch);
    if (check->recovered == 0)
        return true;
    struct journal_previous previous;
    journal_previous(journal_of(check), &previous);
    /* A disk that lied may have kept an acknowledgement of what it lost: then the chain goes
     * further. */
    bool same = previous.last == check->recovered ||
                (check->given->lied && previous.last > check->recovered);
    if (previous.epoch != check->recovered_epoch || !same)
        return broken(check, "the chain says that epoch %08x ended at %ju, it was %08x at %ju",
                      (unsigned)previous.epoch, (uintmax_t)previous.last,
                      (unsigned)check->recovered_epoch, (uintmax_t)check->recovered);
    bool orderly = check->given->clean && strcmp(previous.why, "set aside") == 0;
    if (!check->crash_told && !orderly)
        return broken(check, "nothing tells what the crash may have taken");
    return true;
}

struct ledger_search {
    const char *name;
    struct cursor_ledger found;
};

static void meet_ledger(void *context, const struct cursor_ledger *ledger)
{
    struct ledger_search *search = context;
    if (strcmp(ledger->name, search->name) == 0)
        search->found = *ledger;
}

/* What is done is either acknowledged, or counted as dropped by retention. */
static bool check_cursor(struct check *check, int which, struct cursor *cursor)
{
    const struct oracle_case *given = check->given;
    struct ledger_search search = {.name = history_cursor_names[which]};
    uint64_t low = cursor_low(cursor);
    cursor_each(journal_of(check), meet_ledger, &search);
    uint64_t dropped = search.found.dropped[GAP_RETENTION];
    uint64_t unacked = history_unacked_below(given->history, which, low, given->position);
    bool used = search.found.acked > 0 || dropped > 0; /* else it was made a moment ago */
    if (used && unacked > dropped)
        return broken(check,
                      "cursor %s is ahead: at %ju, but %ju events before are not acknowledged, "
                      "and %ju are counted as dropped",
                      search.name, (uintmax_t)low, (uintmax_t)unacked, (uintmax_t)dropped);
    if (given->lied)
        return true;
    uint64_t unsure = history_unacked(given->history, which, low, given->position, true);
    if (unsure != low && low <= given->history->last)
        return broken(check, "cursor %s fell back to %ju, which was acknowledged for good",
                      search.name, (uintmax_t)low);
    return true;
}

/* Acknowledges the event at the cursor: it may jump over the ranges that were acknowledged above
 * it, no further. */
static bool check_ranges(struct check *check, int which, struct cursor *cursor)
{
    const struct oracle_case *given = check->given;
    struct history *branch = &check->report->branch;
    for (int i = 0; i < 3; i++) {
        uint64_t low = cursor_low(cursor);
        if (low > check->recovered || low < journal_oldest(journal_of(check)))
            return true;
        history_ack(branch, which, low, low, medium_log_size(check->disk));
        int error = cursor_ack(cursor, low, low);
        if (error != 0)
            return broken(check, "event %ju cannot be acknowledged: %s", (uintmax_t)low,
                          error_text(error));
        uint64_t now = cursor_low(cursor);
        uint64_t unacked = history_unacked(given->history, which, low + 1, given->position, false);
        if (now <= low || now > unacked)
            return broken(check, "cursor %s jumps from %ju to %ju, but %ju is not acknowledged",
                          history_cursor_names[which], (uintmax_t)low, (uintmax_t)now,
                          (uintmax_t)unacked);
    }
    return true;
}

/* Where the cursor's consumer goes on to read it meets nothing that is counted as dropped. */
static bool check_dropped(struct check *check, int which, struct cursor *cursor)
{
    struct reader *reader;
    struct event event;
    uint64_t low = cursor_low(cursor), resume = cursor_resume(cursor);
    bool good = true;
    if (resume == low)
        return true;
    if (reader_open(&reader, journal_of(check), resume) != 0)
        return broken(check, "no reader");
    int got = reader_next(reader, &event);
    if (got == 1 && event.n != 0 && event.n < low)
        good = broken(check, "event %ju is counted as dropped for cursor %s, and is read again",
                      (uintmax_t)event.n, history_cursor_names[which]);
    reader_close(reader);
    if (got < 0)
        return broken(check, "it cannot be read where cursor %s goes on: %s",
                      history_cursor_names[which], error_text(got));
    return good;
}

static bool check_cursors(struct check *check)
{
    bool good = true;
    for (int i = 0; good && i < HISTORY_CURSORS; i++) {
        struct cursor *cursor;
        int error =
            cursor_open(&cursor, journal_of(check), history_cursor_names[i], CURSOR_AT_OLDEST);
        if (error != 0)
            return broken(check, "a cursor does not open: %s", error_text(error));
        good = check_cursor(check, i, cursor) && check_dropped(check, i, cursor) &&
               check_ranges(check, i, cursor);
        cursor_close(cursor);
    }
    return good;
}

static bool check_ledger(struct check *check)
{
    struct journal_stats stats;
    journal_stats(journal_of(check), &stats);
    if (stats.produced != stats.stored + stats.refused + stats.waiting)
        return broken(check, "the ledger: %ju produced, but %ju stored, %ju refused, %ju waiting",
                      (uintmax_t)stats.produced, (uintmax_t)stats.stored, (uintmax_t)stats.refused,
                      (uintmax_t)stats.waiting);
    if (stats.storage_error != 0)
        return broken(check, "a good disk is said to fail: %s", error_text(stats.storage_error));
    return true;
}

struct state_check {
    struct check *check;
    uint64_t told; /* a bit for each stream whose state was told */
    bool good;
};

/* The newest reading of the stream, whether it is still stored or not; 0 for none. */
static uint64_t newest_reading(const struct history *history, uint32_t stream)
{
    for (uint64_t n = history->last; n >= 1; n--) {
        const struct known *known = &history->events[n];
        if (known->epoch != 0 && known->stream == stream && known->kind == EVENT_READING)
            return n;
    }
    return 0;
}

static void meet_state(void *context, const struct event *event)
{
    struct state_check *states = context;
    struct check *check = states->check;
    const struct history *branch = &check->report->branch;
    uint64_t newest = newest_reading(branch, event->stream);
    check->report->states++;
    states->told |= UINT64_C(1) << event->stream % 64;
    /* A checkpoint may remember what itself can no longer be read. */
    bool wrong = check->given->lied ? event->n < newest : event->n != newest;
    if (newest != 0 && (wrong || !history_agrees(branch, event)))
        states->good = broken(check, "the state of stream %u is of event %ju, the newest is %ju",
                              (unsigned)event->stream, (uintmax_t)event->n, (uintmax_t)newest);
}

/* From a checkpoint and the events behind it comes the same state as from all events. */
static bool check_state(struct check *check)
{
    struct state_check states = {.check = check, .good = true};
    int error = journal_state_at(journal_of(check), clock_wall(&check->clock.clock) + NS_PER_S,
                                 meet_state, &states);
    if (error != 0 && error != ERR_NOT_FOUND)
        return broken(check, "the state cannot be had: %s", error_text(error));
    for (uint32_t stream = 1; states.good && stream < 64; stream++) {
        uint64_t newest = newest_reading(&check->report->branch, stream);
        if (newest != 0 && (states.told >> stream & 1) == 0 && !check->given->lied)
            return broken(check, "stream %u has no state, although event %ju was one",
                          (unsigned)stream, (uintmax_t)newest);
    }
    return states.good;
}

/* Goes on as a gateway does after its start. */
static bool write_on(struct check *check)
{
    struct journal *journal = journal_of(check);
    uint32_t streams[WORKLOAD_STREAMS];
    char texts[WRITTEN_ON][WORKLOAD_TEXT_SIZE_MAX];
    struct event events[WRITTEN_ON];
    uint64_t from = check->written_from = journal_durable(journal, NULL) + 1;
    int error = workload_declare(journal, streams);
    if (error != 0)
        return broken(check, "a stream is not declared: %s", error_text(error));
    struct lane *lane;
    if (lane_open(&lane, journal, 0) != 0)
        return broken(check, "no lane");
    uint64_t random = check->given->counter;
    for (size_t i = 0; i < WRITTEN_ON; i++)
        workload_event(&events[i], streams, workload_next(&random), check->given->counter + i,
                       clock_mono(&check->clock.clock), texts[i]);
    size_t taken = lane_put(lane, events, WRITTEN_ON);
    error = journal_flush(journal, 60 * NS_PER_S);
    lane_close(lane);
    if (taken != WRITTEN_ON || error != 0)
        return broken(check, "it does not go on writing: %s", error_text(error));
    if (journal_durable(journal, NULL) < from + WRITTEN_ON - 1)
        return broken(check, "a flush returned before everything was durable");
    mark(check);
    return read_all(check, from);
}

static void close_journal(struct check *check)
{
    if (journal_of(check) == NULL)
        return;
    mark(check); /* retention goes on beside all that is checked */
    journal_close(atomic_exchange(&check->journal, NULL));
}

/* What was closed in order comes back as it was. */
static bool open_again(struct check *check)
{
    uint32_t epoch = check->epoch;
    uint64_t last = check->report->branch.last;
    if (!open_journal(check))
        return false;
    mark(check);
    if (check->epoch != epoch)
        return broken(check, "an orderly end was not believed");
    uint64_t oldest = journal_oldest(journal_of(check));
    if (!read_all(check, oldest > 0 ? oldest : 1) || !check_ledger(check))
        return false;
    if (check->report->branch.last < last)
        return broken(check, "event %ju is gone after an orderly end", (uintmax_t)last);
    return true;
}

bool oracle_check(const struct oracle_case *given, struct medium *disk,
                  struct oracle_report *report)
{
    struct check check = {
        .given = given, .disk = disk, .report = report, .written_from = UINT64_MAX};
    report->why[0] = 0;
    history_branch(&report->branch, given->history, given->lied ? 0 : given->durable,
                   given->position);
    history_mark(&report->branch, 0, given->lied ? 0 : given->durable, given->oldest);
    fake_clock_init(&check.clock);
    fake_clock_advance(&check.clock, 3600 * NS_PER_S);
    check.full = is_full(given, disk);
    medium_observe(disk, observe, &check);
    medium_set_slow_making(disk, given->slow);
    bool good = (!given->whole || check_places(&check)) && open_journal(&check);
    if (good) {
        mark(&check);
        good = read_all(&check, 1) && check_state(&check) && check_cursors(&check) &&
               write_on(&check) && check_epoch(&check) && check_state(&check) &&
               check_ledger(&check);
    }
    medium_set_slow_making(disk, false);
    history_clean_begin(&report->branch, medium_log_size(disk));
    close_journal(&check);
    good = good && open_again(&check);
    close_journal(&check);
    medium_observe(disk, NULL, NULL);
    return good;
}
