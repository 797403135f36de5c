/* Kills while the gap events of what retention dropped go to the disk, a frame each. */
// links: sluice_journal
#include "unit/sync_gate.h"

#define STEPS 12

static void see_ledger(void *context, const struct cursor_ledger *ledger)
{
    *(struct cursor_ledger *)context = *ledger;
}

/* As a kill leaves the files at this moment. */
static void take_image(const struct kit *kit, int step, char image[96])
{
    char command[256];

    snprintf(image, 96, "%s.image-%d", kit->folder, step);
    snprintf(command, sizeof(command), "cp -r %s %s", kit->folder, image);
    assert_int_equal(system(command), 0);
}

/* Up to which event it is told without a hole that events behind `acked` were dropped; `acked`
 * where nothing is told. */
static uint64_t told_up_to(struct journal *journal, uint64_t acked)
{
    struct reader *reader;
    struct event event;
    uint64_t last = acked;

    assert_int_equal(reader_open(&reader, journal, 0), 0);
    while (reader_next(reader, &event) > 0) {
        if (event.kind != EVENT_GAP || event.n == 0)
            continue;
        assert_int_equal(event.value.gap->reason, GAP_RETENTION);
        assert_int_equal(event.value.gap->first, last + 1);
        last = event.value.gap->last;
    }
    reader_close(reader);
    return last;
}

/* What is not in the journal any more, and what counts as dropped, is told. Returns what is. */
static uint64_t check_image(const char *image, uint64_t acked)
{
    struct cursor_ledger ledger = {0};
    struct journal *looking;
    struct io io;
    char command[160];

    assert_int_equal(io_posix_open(&io, image), 0);
    assert_int_equal(journal_open_read_only(&looking, &io), 0);
    uint64_t told = told_up_to(looking, acked);
    assert_true(journal_oldest(looking) <= told + 1);
    cursor_each(looking, see_ledger, &ledger);
    assert_int_equal(ledger.acked, acked);
    assert_true(ledger.dropped[GAP_RETENTION] <= told - acked);
    journal_close(looking);
    io_posix_close(&io);
    snprintf(command, sizeof(command), "rm -r %.95s", image);
    assert_int_equal(system(command), 0);
    return told;
}

/* Many segments go at once; after each sync one more of their gap events is there. */
static void nothing_is_dropped_before_it_is_told(void **state)
{
    struct kit *kit = *state;
    struct cursor *cursor;
    char images[STEPS][96];
    uint64_t told = 50;

    kit->options.segment_bytes = 32 * 1024;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    assert_int_equal(cursor_open(&cursor, kit->journal, "uplink/cloud", CURSOR_AT_OLDEST), 0);
    for (int i = 0; i < 60; i++)
        kit_fill(kit, stream, 1000 * i, 1000);
    assert_int_equal(cursor_ack(cursor, 1, told), 0);
    cursor_close(cursor);
    kit_close(kit);

    kit->options.max_age_ns = 3600 * NS_PER_S;
    kit->options.commit_bytes = 1;
    gate_put(kit);
    kit_open(kit);
    kit_flush(kit);
    gate_set(false, 0);
    kit_pass(kit, 3601 * NS_PER_S);
    kit_put(kit, stream, 0);
    for (int step = 0; step < STEPS; step++) {
        gate_await();
        take_image(kit, step, images[step]);
        gate_set(false, 1);
    }
    gate_set(true, 0);
    kit_close(kit);
    for (int step = 0; step < STEPS; step++) {
        uint64_t before = told;

        told = check_image(images[step], 50);
        assert_true(told >= before);
    }
    assert_true(told > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_dropped_before_it_is_told, kit_setup,
                                        kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
