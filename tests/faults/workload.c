#include "faults/workload.h"

#include <string.h>

#include "core/error.h"
#include "faults/must.h"
#include "journal/cursor.h"
#include "journal/lane.h"
#include "journal/reader.h"

#define LANES 2

struct run {
    const struct workload_options *options;
    struct medium *medium;
    struct fake_clock *clock;
    struct history *history;
    _Atomic(struct journal *)
        journal;              /* NULL while it is not open: the observer looks from other threads */
    _Atomic uint64_t durable; /* the newest that was ever told */
    struct lane *lanes[LANES];
    struct cursor *cursors[HISTORY_CURSORS];
    struct reader *reader;
    uint32_t streams[WORKLOAD_STREAMS];
    uint64_t random;
    uint64_t counter;
    bool acked_since_flush;
};

uint32_t workload_random(void)
{
    static _Atomic uint32_t drawn;
    uint32_t x = atomic_fetch_add(&drawn, 1) + 1;
    return x * UINT32_C(2654435761);
}

uint64_t workload_next(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

struct journal_options workload_journal(const struct workload_options *options, const struct io *io,
                                        const struct fake_clock *clock)
{
    return (struct journal_options){
        .io = io,
        .clock = &clock->clock,
        .gateway_id = WORKLOAD_GATEWAY,
        .identity = "machine-1",
        .boot_id = "boot-1",
        .keep_bytes = options->keep_bytes,
        .commit_ns = options->lockstep ? 3600 * NS_PER_S : -1,
        .segment_bytes = options->segment_bytes,
        .sector_bytes = options->sector_bytes,
        .random = workload_random,
    };
}

int workload_declare(struct journal *journal, uint32_t streams[WORKLOAD_STREAMS])
{
    static const uint8_t types[WORKLOAD_STREAMS] = {VALUE_F64,  VALUE_I64,  VALUE_U64,
                                                    VALUE_BOOL, VALUE_TEXT, VALUE_BYTES};
    for (size_t i = 0; i < WORKLOAD_STREAMS; i++) {
        struct stream stream = {.type = types[i], .decimals = i == 0 ? 1 : 0};
        snprintf(stream.device, sizeof(stream.device), "device-%zu", i / 2);
        snprintf(stream.point, sizeof(stream.point), "point-%zu", i);
        snprintf(stream.name, sizeof(stream.name), "Point %zu", i);
        snprintf(stream.unit, sizeof(stream.unit), "%s", i == 0 ? "kW" : "");
        int error = journal_declare(journal, &stream);
        if (error != 0)
            return error;
        streams[i] = stream.number;
    }
    return 0;
}

void workload_event(struct event *event, const uint32_t streams[WORKLOAD_STREAMS], uint64_t random,
                    uint64_t counter, int64_t mono_ns, char text[WORKLOAD_TEXT_SIZE_MAX])
{
    size_t which = random % WORKLOAD_STREAMS;
    *event = (struct event){.kind = EVENT_READING,
                            .stream = streams[which],
                            .mono_ns = mono_ns,
                            .status = random >> 8 & 15 ? 0 : 0x800A};
    struct value *value = &event->value;
    uint16_t size = (uint16_t)(24 + (random >> 16) % (WORKLOAD_TEXT_SIZE_MAX - 24));
    switch (which) {
    case 0:
        *value = (struct value){
            .type = VALUE_F64, .decimals = 1, .f = (double)counter + (double)(random % 10) / 10};
        break;
    case 1:
        *value = (struct value){.type = VALUE_I64, .i = -(int64_t)counter};
        break;
    case 2:
        *value = (struct value){.type = VALUE_U64, .u = counter << 20};
        break;
    case 3:
        *value = (struct value){.type = VALUE_BOOL, .b = counter & 1};
        break;
    default:
        memset(text, 'a' + (int)(counter % 26), size);
        memcpy(text, &counter, sizeof(counter));
        if (which == 4)
            snprintf(text, 24, "%022ju.", (uintmax_t)counter);
        *value = (struct value){
            .type = which == 4 ? VALUE_TEXT : VALUE_BYTES, .size = size, .data = text};
        break;
    }
}

static struct journal *journal_of(struct run *run)
{
    return atomic_load(&run->journal);
}

static uint64_t observe(void *context)
{
    struct run *run = context;
    struct journal *journal = journal_of(run);
    uint64_t durable = journal != NULL ? journal_durable(journal, NULL) : 0;
    uint64_t known = atomic_load(&run->durable);
    while (durable > known && !atomic_compare_exchange_weak(&run->durable, &known, durable))
        continue;
    if (journal != NULL && run->options->busy)
        journal_flush(journal, 0); /* wakes the writer, and waits for nothing */
    return durable > known ? durable : known;
}

static void mark(struct run *run)
{
    size_t position = medium_log_size(run->medium);
    history_mark(run->history, position, observe(run), journal_oldest(journal_of(run)));
}

static void open_all(struct run *run)
{
    struct journal_options options =
        workload_journal(run->options, medium_io(run->medium), run->clock);
    struct journal *journal;
    must_hold(journal_open(&journal, &options) == 0, "the journal does not open");
    atomic_store(&run->journal, journal);
    for (int i = 0; i < LANES; i++)
        must_hold(lane_open(&run->lanes[i], journal, 0) == 0, "no lane");
    must_hold(workload_declare(journal, run->streams) == 0, "a stream is not declared");
    for (int i = 0; i < HISTORY_CURSORS; i++)
        must_hold(
            cursor_open(&run->cursors[i], journal, history_cursor_names[i], CURSOR_AT_OLDEST) == 0,
            "no cursor");
    must_hold(reader_open(&run->reader, journal, run->history->last + 1) == 0, "no reader");
    mark(run);
}

/* What a consumer sees from where it stood: it goes into the history. */
static void consume(struct run *run)
{
    struct event event;
    int got;
    while ((got = reader_next(run->reader, &event)) == 1) {
        if (event.n == 0)
            continue; /* retention was faster than this consumer */
        must_hold(history_see(run->history, &event), "an event changed under its key");
    }
    must_hold(got == 0, "the reader failed");
}

static void close_all(struct run *run)
{
    consume(run);
    history_clean_begin(run->history, medium_log_size(run->medium));
    reader_close(run->reader);
    for (int i = 0; i < HISTORY_CURSORS; i++)
        cursor_close(run->cursors[i]);
    for (int i = 0; i < LANES; i++)
        lane_close(run->lanes[i]);
    observe(run);
    journal_close(atomic_exchange(&run->journal, NULL));
}

static void put_readings(struct run *run)
{
    static char texts[8][WORKLOAD_TEXT_SIZE_MAX];
    struct event events[8];
    size_t count = 1 + workload_next(&run->random) % 8;
    for (size_t i = 0; i < count; i++)
        workload_event(&events[i], run->streams, workload_next(&run->random), ++run->counter,
                       clock_mono(&run->clock->clock), texts[i]);
    struct lane *lane = run->lanes[workload_next(&run->random) % LANES];
    must_hold(lane_put(lane, events, count) == count, "a lane refused");
}

static void put_alarm(struct run *run)
{
    char text[64];
    struct event event = {.kind = EVENT_ALARM,
                          .mono_ns = clock_mono(&run->clock->clock),
                          .urgent = !run->options->lockstep && workload_next(&run->random) & 1};
    event.value = (struct value){.type = VALUE_TEXT, .data = text};
    event.value.size =
        (uint16_t)snprintf(text, sizeof(text), "alarm number %ju", (uintmax_t)++run->counter);
    must_hold(journal_put(journal_of(run), &event) == 0, "an alarm is refused");
}

static void flush(struct run *run)
{
    must_hold(journal_flush(journal_of(run), 60 * NS_PER_S) == 0, "a flush failed");
    mark(run);
    consume(run);
}

static void acknowledge(struct run *run, int cursor, uint64_t first, uint64_t last)
{
    size_t position = medium_log_size(run->medium);
    int error = cursor_ack(run->cursors[cursor], first, last);
    must_hold(error == 0 || error == ERR_FULL, "an acknowledgement is refused");
    if (error == 0)
        history_ack(run->history, cursor, first, last, position);
}

static void acknowledge_some(struct run *run)
{
    uint64_t newest = run->history->last;
    uint64_t random = workload_next(&run->random);
    int cursor = (int)(random % HISTORY_CURSORS);
    uint64_t low = cursor_low(run->cursors[cursor]);
    if (low > newest)
        return;
    uint64_t first = low, span = 1 + (random >> 8) % 12;
    if (cursor == 1) /* out of order: live first */
        first += (random >> 16) % (newest - low + 1);
    uint64_t last = first + span > newest ? newest : first + span;
    acknowledge(run, cursor, first, last);
    run->acked_since_flush = true;
}

/* An acknowledgement rides on the next commit: after it, it is promised. */
static void settle_acknowledgements(struct run *run)
{
    put_alarm(run);
    flush(run);
    if (run->acked_since_flush)
        history_sure(run->history, medium_log_size(run->medium));
    run->acked_since_flush = false;
}

static void restart(struct run *run)
{
    flush(run);
    close_all(run);
    fake_clock_advance(run->clock, 5 * NS_PER_S);
    open_all(run);
    put_alarm(run);
    flush(run);
    history_clean_end(run->history, medium_log_size(run->medium));
}

static void step(struct run *run)
{
    uint64_t random = workload_next(&run->random) % 100;
    if (random < 40)
        put_readings(run);
    else if (random < 48)
        put_alarm(run);
    else if (random < 70)
        flush(run);
    else if (random < 88)
        acknowledge_some(run);
    else if (random < 94)
        settle_acknowledgements(run);
    else if (random < 99)
        fake_clock_advance(run->clock, NS_PER_MS << random % 16);
    else
        fake_clock_step(run->clock, NS_PER_S);
}

void workload_record(const struct workload_options *options, struct medium *medium,
                     struct fake_clock *clock, struct history *history)
{
    struct run run = {.options = options,
                      .medium = medium,
                      .clock = clock,
                      .history = history,
                      .random = options->seed};
    medium_observe(medium, observe, &run);
    medium_set_slow_syncs(medium, options->busy);
    open_all(&run);
    for (uint32_t i = 0; i < options->steps; i++) {
        step(&run);
        if (i == options->steps / 2)
            restart(&run);
    }
    settle_acknowledgements(&run);
    close_all(&run);
    medium_set_slow_syncs(medium, false);
    medium_observe(medium, NULL, NULL);
}
