/* The ledger of the journal adds up at every moment, while producers are refused and consumers
 * acknowledge. */
// links: sluice_journal
#include "unit/journal_kit.h"

#include <pthread.h>
#include <stdatomic.h>

enum { PRODUCERS = 2, BATCH = 4000, SAMPLES = 20000 };

struct producer {
    struct kit *kit;
    struct lane *lane;
    uint32_t stream;
    pthread_t thread;
    _Atomic bool *stop;
    uint64_t put, taken;
};

/* Puts far more than fits. */
static void *produce(void *context)
{
    struct producer *producer = context;
    struct event events[BATCH];
    for (int i = 0; i < BATCH; i++)
        events[i] = (struct event){.stream = producer->stream,
                                   .mono_ns = producer->kit->mono_ns,
                                   .kind = EVENT_READING,
                                   .value = {.type = VALUE_F64, .f = i}};
    while (!atomic_load(producer->stop)) {
        producer->put += BATCH;
        producer->taken += lane_put(producer->lane, events, BATCH);
    }
    return NULL;
}

struct consumer {
    struct journal *journal;
    struct cursor *cursor;
    pthread_t thread;
    _Atomic bool *stop;
};

static void *consume(void *context)
{
    struct consumer *consumer = context;
    uint64_t next = cursor_low(consumer->cursor);
    while (!atomic_load(consumer->stop)) {
        uint64_t durable = journal_durable(consumer->journal, NULL);
        if (durable < next)
            continue;
        cursor_ack(consumer->cursor, next, durable);
        next = durable + 1;
    }
    return NULL;
}

struct sums {
    uint64_t began; /* of the cursor */
    uint64_t accounted;
};

static void add_up(void *context, const struct cursor_ledger *ledger)
{
    struct sums *sums = context;
    sums->accounted = ledger->acked + ledger->pending;
    for (size_t reason = 0; reason < 8; reason++)
        sums->accounted += ledger->dropped[reason];
}

static void sample(struct journal *journal, struct journal_stats *before, struct sums *sums)
{
    struct journal_stats now;
    uint64_t first = journal_durable(journal, NULL);
    cursor_each(journal, add_up, sums);
    uint64_t last = journal_durable(journal, NULL);
    assert_in_range(sums->began + sums->accounted, first + 1, last + 1);

    journal_stats(journal, &now);
    assert_true(now.stored + now.refused <= now.produced);
    assert_int_equal(now.waiting, now.produced - now.stored - now.refused);
    assert_true(now.produced >= before->produced && now.stored >= before->stored &&
                now.refused >= before->refused);
    assert_int_equal(now.refused, now.dropped[GAP_OVERLOAD] + now.dropped[GAP_STORAGE]);
    *before = now;
}

static void adds_up_at_every_moment_under_load(void **state)
{
    struct kit *kit = *state;
    struct producer producers[PRODUCERS];
    _Atomic bool stop = false;
    struct journal_stats stats = {0};
    kit->options.commit_bytes = 4096;
    kit_open(kit);
    struct consumer consumer = {.journal = kit->journal, .stop = &stop};
    assert_int_equal(cursor_open(&consumer.cursor, kit->journal, "uplink/cloud", CURSOR_AT_NEWEST),
                     0);
    struct sums sums = {.began = cursor_low(consumer.cursor)};
    for (int i = 0; i < PRODUCERS; i++) {
        char device[8] = {'d', (char)('0' + i)};
        producers[i] = (struct producer){.kit = kit, .stop = &stop};
        producers[i].stream = kit_declare(kit, device, "value");
        assert_int_equal(lane_open(&producers[i].lane, kit->journal, 16 * 1024), 0);
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
    assert_int_equal(pthread_create(&consumer.thread, NULL, consume, &consumer), 0);
    for (int i = 0; i < SAMPLES; i++)
        sample(kit->journal, &stats, &sums);
    atomic_store(&stop, true);
    pthread_join(consumer.thread, NULL);
    uint64_t refused = 0;
    for (int i = 0; i < PRODUCERS; i++) {
        pthread_join(producers[i].thread, NULL);
        lane_close(producers[i].lane);
        refused += producers[i].put - producers[i].taken;
    }
    kit_flush(kit);
    sample(kit->journal, &stats, &sums);
    assert_int_equal(stats.waiting, 0);
    assert_true(refused > 0);
    assert_int_equal(stats.refused, refused);
    cursor_close(consumer.cursor);
}

/* One of many that does not fit leaves the places behind it empty: what was taken are the first
 * ones. */
static void takes_the_first_ones_of_a_batch(void **state)
{
    struct kit *kit = *state;
    static const char text[4000];
    struct journal_stats stats;
    struct lane *lane;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "note");
    struct event small = {.stream = stream,
                          .mono_ns = kit->mono_ns,
                          .kind = EVENT_READING,
                          .value = {.type = VALUE_BOOL, .b = true}};
    struct event large = small;
    large.value = (struct value){.type = VALUE_TEXT, .size = sizeof(text), .data = text};
    struct event batch[6] = {large, large, large, large, large, small};
    assert_int_equal(lane_open(&lane, kit->journal, 16 * 1024), 0);
    assert_int_equal(lane_put(lane, batch, 6), 4);
    journal_stats(kit->journal, &stats);
    assert_int_equal(stats.refused, 2);
    lane_close(lane);
}

static void what_comes_again_counts_as_refused_only_when_it_is_given_up(void **state)
{
    struct kit *kit = *state;
    static const char text[4000];
    struct journal_stats stats;
    struct lane *lane;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "note");
    struct event large = {.stream = stream,
                          .mono_ns = kit->mono_ns,
                          .kind = EVENT_READING,
                          .value = {.type = VALUE_TEXT, .size = sizeof(text), .data = text}};
    struct event batch[6] = {large, large, large, large, large, large};
    assert_int_equal(lane_open(&lane, kit->journal, 16 * 1024), 0);
    assert_int_equal(lane_offer(lane, batch, 6), 4);
    for (int i = 0; i < 10; i++)
        lane_offer(lane, &large, 1);
    journal_stats(kit->journal, &stats);
    assert_int_equal(stats.refused, 0);
    assert_int_equal(stats.produced, stats.stored + stats.waiting);
    lane_close(lane);
    journal_stats(kit->journal, &stats);
    assert_int_equal(stats.produced, stats.stored + stats.refused);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(adds_up_at_every_moment_under_load),
        TEST(takes_the_first_ones_of_a_batch),
        TEST(what_comes_again_counts_as_refused_only_when_it_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
