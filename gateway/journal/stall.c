/* When nothing can be stored: what is told while that lasts, what is noted for the case that the
 * process ends before it is over, and what is told afterwards. All on the writer thread. */
#include "core/error.h"
#include "core/log.h"
#include "journal/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RETRY_MIN_NS (1 * NS_PER_S)
#define RETRY_MAX_NS (30 * NS_PER_S)

static int64_t now_ns(void)
{
    return clock_mono(&clock_system);
}

static void tell_stall(int error)
{
    const char *why = error_text(error);
    const char *advice = "check the journal's filesystem and medium";

    if (error == ERR_NO_SPACE)
        advice = "free some space on the journal's filesystem, or lower journal.keep";
    if (error == ERR_FULL) {
        why = "the journal is full, and journal.when_full keeps what is not acknowledged";
        advice = "see which consumer is behind, or raise journal.keep";
    }
    log_error("journal",
              "nothing can be stored: %s. Polling goes on; what does not fit into memory is "
              "counted as lost. What to do: %s",
              why, advice);
}

void stall_outage(struct journal *journal, int error)
{
    struct outage *outage = &journal->writer.outage;
    atomic_store(&journal->storage_error, error);
    if (outage->error == 0)
        *outage = (struct outage){
            .error = error,
            .since_ns = clock_mono(journal->clock),
            .since_real_ns = now_ns(),
        };
}

void stall_begin(struct journal *journal, int error)
{
    struct writer *writer = &journal->writer;

    if (!writer->stalled) {
        tell_stall(error);
        writer->note_due_ns = now_ns();
    }
    stall_outage(journal, error);
    writer->stalled = true;
    writer->retry_wait_ns = writer->retry_wait_ns == 0 ? RETRY_MIN_NS : 2 * writer->retry_wait_ns;
    if (writer->retry_wait_ns > RETRY_MAX_NS)
        writer->retry_wait_ns = RETRY_MAX_NS;
    writer->retry_ns = now_ns() + writer->retry_wait_ns;
    retention_release(journal, true);
    pthread_mutex_lock(&journal->commit.mutex);
    journal->flush_stalled = true;
    pthread_cond_broadcast(&journal->commit.durable);
    pthread_mutex_unlock(&journal->commit.mutex);
}

void stall_end(struct journal *journal)
{
    struct writer *writer = &journal->writer;

    writer->stalled = false;
    writer->retry_wait_ns = 0;
    outage_rest(&journal->outage);
    pthread_mutex_lock(&journal->commit.mutex);
    journal->flush_stalled = false;
    pthread_mutex_unlock(&journal->commit.mutex);
}

/* Acknowledgements come although nothing can be stored. Any thread. */
static void note_cursors(struct journal *journal, struct outage_note *note)
{
    struct packer packer = {.at = note->records, .end = note->records + sizeof(note->records)};
    uint32_t next = 0;

    cursors_pack(&journal->state.cursors, &packer, true, &next);
    note->records_size = (size_t)(packer.at - note->records);
}

/* What was refused of each stream and is not in the journal, as far as there is room. */
static void note_refused(struct journal *journal, struct outage_note *note)
{
    struct streams *streams = &journal->state.streams;
    struct packer packer = {.at = note->records + note->records_size,
                            .end = note->records + sizeof(note->records)};
    struct record_body body;
    bool room = true;

    for (uint32_t number = 1; room && number <= journal->state.declared; number++) {
        const struct stream_refused *counter = streams_refused(streams, number);
        uint64_t refused = atomic_load_explicit(&counter->count, memory_order_relaxed);
        if (refused == counter->stored)
            continue;
        record_begin(&body);
        pack_varint(&body.packer, number);
        pack_varint(&body.packer, refused);
        room = record_put(&packer, RECORD_REFUSED, &body);
    }
    note->records_size = (size_t)(packer.at - note->records);
}

static void describe(struct journal *journal, struct outage_note *note)
{
    const struct writer *writer = &journal->writer;
    const struct outage *outage = &writer->outage;
    struct journal_stats stats;

    store_look_at_clock(journal); /* there may have been no frame yet */
    journal_stats(journal, &stats);
    memset(note, 0, sizeof(*note));
    note->durable_n = stats.newest;
    note->epoch = stats.epoch;
    note->numbered_n = writer->next_n - 1;
    note->storage = stats.dropped[GAP_STORAGE];
    note->overload = stats.dropped[GAP_OVERLOAD];
    uint64_t numbered = note->numbered_n - note->durable_n;
    note->waiting = stats.waiting > numbered ? stats.waiting - numbered : 0;
    for (size_t i = 0; i < writer->note_count; i++)
        note->crashed |= writer->notes[i].reason == GAP_CRASH;
    note->trust = writer->boot.trust;
    note->since_ns = outage->since_ns + writer->boot.offset_ns;
    note->written_ns = clock_mono(journal->clock) + writer->boot.offset_ns;
    snprintf(note->why, sizeof(note->why), "%s", error_text(outage->error));
    /* An outage that had begun before this process has not ended since. */
    if (writer->before.number != 0 && writer->before.trust != CLOCK_UNSET)
        note->since_ns = writer->before.since_ns;
    note_cursors(journal, note);
    note_refused(journal, note);
}

/* Whether it says anything that the last one did not. */
static bool is_news(const struct outage_note *note, const struct outage_note *last)
{
    return last->number == 0 || note->ended || note->storage != last->storage ||
           note->overload != last->overload || note->waiting != last->waiting ||
           note->numbered_n != last->numbered_n || note->records_size != last->records_size ||
           memcmp(note->records, last->records, note->records_size) != 0;
}

int stall_note(struct journal *journal, bool ended)
{
    struct writer *writer = &journal->writer;
    struct outage_note note;

    writer->note_due_ns = now_ns() + STALL_NOTE_NS;
    describe(journal, &note);
    note.ended = ended;
    if (!is_news(&note, &writer->noted))
        return 0;
    writer->busy_since_ns = now_ns();
    int error = outage_write(&journal->outage, &note, false);
    writer->busy_since_ns = 0;
    writer->noted = note;
    if (error < 0)
        writer->noted.number = 0;
    return error;
}

void stall_close(struct journal *journal)
{
    int error = stall_note(journal, true);

    if (error == 0)
        log_error("journal", "closed while nothing could be stored: what was waiting is lost, and "
                             "the next start tells of it");
    else
        log_error("journal",
                  "closed while nothing could be stored: what was waiting is lost, and not even "
                  "that could be noted (%s)",
                  error_text(error));
}

/* The writer thread may be what hangs: nothing here is its own. */
void stall_hang(struct journal *journal)
{
    struct outage_note note = {.ended = true};
    struct journal_stats stats;
    int64_t since_real_ns = atomic_load(&journal->commit.busy_since_ns);

    if (since_real_ns == 0)
        since_real_ns = now_ns();
    journal_stats(journal, &stats);
    note.epoch = stats.epoch;
    note.durable_n = note.numbered_n = stats.newest;
    note.waiting = stats.waiting;
    note.storage = stats.dropped[GAP_STORAGE];
    note.overload = stats.dropped[GAP_OVERLOAD];
    note.trust = (uint8_t)clock_trust(journal->clock);
    note.written_ns = clock_wall(journal->clock);
    note.since_ns = note.written_ns - (now_ns() - since_real_ns);
    strcpy(note.why, "the disk does not answer");
    note_cursors(journal, &note);
    outage_write(&journal->outage, &note, true);
}

static bool store_alarm(struct journal *journal, const char *words)
{
    struct event event = {
        .mono_ns = clock_mono(journal->clock),
        .kind = EVENT_ALARM,
        .urgent = true,
        .value = {.type = VALUE_TEXT, .size = (uint16_t)strlen(words), .data = words},
    };
    return store_event(journal, &event);
}

static bool store_gap(struct journal *journal, struct gap gap)
{
    struct event event = {
        .mono_ns = clock_mono(journal->clock),
        .kind = EVENT_GAP,
        .urgent = true,
        .value = {.type = VALUE_GAP, .gap = &gap},
    };
    return gap.count == 0 || store_event(journal, &event);
}

static uint32_t extent_ms(int64_t ns)
{
    int64_t ms = (ns + NS_PER_MS - 1) / NS_PER_MS;
    return ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

uint32_t stall_extent_ms(const struct journal *journal)
{
    const struct outage *outage = &journal->writer.outage;
    return outage->since_real_ns == 0 ? 0 : extent_ms(now_ns() - outage->since_real_ns);
}

static bool tell_before_in_words(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    const struct outage_note *note = &writer->before;
    char since[32], until[32], when[100], words[300];

    if (writer->before_told)
        return true;
    clock_format(note->since_ns, since);
    clock_format(note->written_ns, until);
    int64_t took_ms = (note->written_ns - note->since_ns) / NS_PER_MS;
    if (note->trust != CLOCK_UNSET)
        snprintf(when, sizeof(when), "from %s until %s", since, until);
    else
        snprintf(when, sizeof(when), "for %" PRId64 ".%03d s", took_ms / 1000,
                 (int)(took_ms % 1000));
    snprintf(words, sizeof(words),
             "before this start the journal could not be written %s (%s), and %s: %" PRIu64
             " events are lost",
             when, note->why,
             note->ended ? "the gateway was stopped then" : "the gateway was killed",
             note->storage + note->overload);
    writer->before_told = store_alarm(journal, words);
    if (writer->before_told)
        log_error("journal", "%s", words);
    return writer->before_told;
}

/*
 * What the process before could not store. Its counts move from the note to the ledger together
 * with the gap, and the note is done with in the same frame.
 */
bool stall_tell_before(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    struct outage_note *note = &writer->before;

    if (note->number == 0)
        return true;
    if (!tell_before_in_words(journal))
        return false;
    int64_t wall_ns = clock_mono(journal->clock) + writer->boot.offset_ns;
    bool dated = note->trust != CLOCK_UNSET && writer->boot.trust != CLOCK_UNSET;
    pthread_mutex_lock(&journal->lanes_mutex);
    bool told = store_gap(journal, (struct gap){.count = note->overload, .reason = GAP_OVERLOAD});
    if (told)
        note->overload = 0;
    told =
        told &&
        store_gap(journal,
                  (struct gap){
                      .count = note->storage,
                      .extent_ms = extent_ms((dated ? wall_ns : note->written_ns) - note->since_ns),
                      .reason = GAP_STORAGE,
                  });
    if (told)
        note->storage = 0;
    pthread_mutex_unlock(&journal->lanes_mutex);
    if (!told)
        return false;
    journal->state.outage_told = note->number;
    writer->told_changed = true;
    writer->refused_changed = true;
    note->number = 0;
    return true;
}

/* The alarm goes in front of what could not be stored meanwhile. */
bool stall_tell(struct journal *journal)
{
    struct writer *writer = &journal->writer;
    struct outage *outage = &writer->outage;
    char since[40] = "";
    char words[160];

    if (outage->error == 0 || !writer->has_segment)
        return true;
    if (writer->boot.trust != CLOCK_UNSET) {
        strcpy(since, " since ");
        clock_format(outage->since_ns + writer->boot.offset_ns, since + strlen(since));
    }
    int64_t took_ms = (now_ns() - outage->since_real_ns) / NS_PER_MS;
    snprintf(words, sizeof(words), "the journal could not be written%s, for %" PRId64 ".%03d s: %s",
             since, took_ms / 1000, (int)(took_ms % 1000), error_text(outage->error));
    if (!store_alarm(journal, words))
        return false;
    outage->error = 0;
    return true;
}

void stall_told(struct journal *journal)
{
    struct writer *writer = &journal->writer;

    if (journal->outage.number <= journal->state.outage_told || writer->outage.error != 0 ||
        writer->stalled)
        return;
    journal->state.outage_told = journal->outage.number;
    writer->told_changed = true;
    writer->noted.number = 0;
}
