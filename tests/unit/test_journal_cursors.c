/* Marks of a cursor: ranges that grow together, and what it lacks. Then cursors in a journal. */
// links: sluice_journal
#include "unit/journal_kit.h"

#include "core/text.h"
#include "journal/cursors.h"

#define MARKS_MAX 6

struct marks {
    struct cursor_range marks[MARKS_MAX];
    uint64_t low;
    struct cursor_range left[MARKS_MAX];
    int64_t new_ones;
};

static void ranges_grow_together(void **state)
{
    (void)state;
    static const struct marks cases[] = {
        {{{1, 5}}, 6, {{0}}, 5},
        {{{3, 5}}, 1, {{3, 5}}, 3},
        {{{3, 5}, {1, 2}}, 6, {{0}}, 5},
        {{{3, 5}, {1, 1}}, 2, {{3, 5}}, 4},
        {{{3, 5}, {9, 9}, {6, 8}}, 1, {{3, 9}}, 7},
        {{{3, 5}, {9, 9}, {2, 20}}, 1, {{2, 20}}, 19},
        {{{3, 5}, {9, 9}, {1, 20}}, 21, {{0}}, 20},
        {{{9, 9}, {3, 5}, {12, 13}}, 1, {{3, 5}, {9, 9}, {12, 13}}, 6},
        {{{3, 5}, {4, 4}, {3, 5}}, 1, {{3, 5}}, 3},
        {{{1, 5}, {2, 3}, {1, 6}}, 7, {{0}}, 6},
        {{{5, 5}, {4, 6}}, 1, {{4, 6}}, 3},
        {{{2, 2}, {4, 4}, {6, 6}, {1, 4}}, 5, {{6, 6}}, 5},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cursor cursor = {.state = CURSOR_LIVE, .began = 1, .low = 1};
        int64_t marked = 0;
        for (size_t m = 0; cases[i].marks[m].first; m++)
            marked += cursor_mark(&cursor, cases[i].marks[m].first, cases[i].marks[m].last);
        assert_int_equal(marked, cases[i].new_ones);
        assert_int_equal(cursor.low, cases[i].low);
        uint32_t left = 0;
        for (; cases[i].left[left].first; left++) {
            assert_int_equal(cursor.ranges[left].first, cases[i].left[left].first);
            assert_int_equal(cursor.ranges[left].last, cases[i].left[left].last);
        }
        assert_int_equal(cursor.range_count, left);
        assert_int_equal(cursor_missing(&cursor, 1, 100), 100 - marked);
    }
}

static void a_seventeenth_range_is_refused(void **state)
{
    (void)state;
    struct cursor cursor = {.state = CURSOR_LIVE, .began = 1, .low = 1};
    for (uint64_t i = 1; i <= CURSOR_RANGES_MAX; i++)
        assert_int_equal(cursor_mark(&cursor, 10 * i, 10 * i + 1), 2);
    assert_int_equal(cursor_mark(&cursor, 500, 500), ERR_FULL);
    assert_int_equal(cursor_missing(&cursor, 500, 500), 1);
    assert_int_equal(cursor_mark(&cursor, 1, 9), 9); /* in order it goes on */
    assert_int_equal(cursor.low, 12);
    assert_int_equal(cursor_mark(&cursor, 500, 500), 1);
}

struct seen {
    struct cursor_ledger ledgers[CURSORS_MAX];
    size_t count;
};

static void see(void *context, const struct cursor_ledger *ledger)
{
    struct seen *seen = context;
    seen->ledgers[seen->count++] = *ledger;
}

static struct cursor_ledger ledger_of(struct kit *kit, const char *name)
{
    struct seen seen = {0};
    cursor_each(kit->journal, see, &seen);
    for (size_t i = 0; i < seen.count; i++)
        if (strcmp(seen.ledgers[i].name, name) == 0)
            return seen.ledgers[i];
    return (struct cursor_ledger){0};
}

static void a_cursor_survives_a_restart_with_its_ranges_and_ledger(void **state)
{
    struct kit *kit = *state;
    struct cursor *cursor;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    assert_int_equal(cursor_open(&cursor, kit->journal, "uplink/cloud", CURSOR_AT_OLDEST), 0);
    kit_fill(kit, stream, 0, 99);
    assert_int_equal(journal_durable(kit->journal, NULL), 100);
    assert_int_equal(cursor_ack(cursor, 1, 10), 0);
    assert_int_equal(cursor_ack(cursor, 20, 29), 0);
    assert_int_equal(cursor_drop(cursor, 30, 30, GAP_POISON), 0);
    assert_int_equal(cursor_ack(cursor, 101, 101), ERR_INVALID);
    assert_int_equal(cursor_low(cursor), 11);
    cursor_close(cursor);
    for (int restart = 0; restart < 2; restart++) {
        struct cursor_ledger ledger = ledger_of(kit, "uplink/cloud");
        assert_int_equal(ledger.low, 11);
        assert_int_equal(ledger.acked, 20);
        assert_int_equal(ledger.dropped[GAP_POISON], 1);
        assert_int_equal(ledger.pending, 79);
        assert_int_equal(ledger.ranges, 1);
        kit_close(kit);
        kit_open(kit);
    }
    assert_int_equal(cursor_open(&cursor, kit->journal, "uplink/cloud", CURSOR_AT_NEWEST), 0);
    assert_int_equal(cursor_low(cursor), 11);
    struct cursor *second;
    assert_int_equal(cursor_open(&second, kit->journal, "uplink/cloud", CURSOR_AT_NEWEST),
                     ERR_BUSY);
    assert_int_equal(cursor_ack(cursor, 11, 19), 0);
    assert_int_equal(cursor_low(cursor), 31);
    cursor_close(cursor);
}

static void a_move_is_durable_with_the_next_commit(void **state)
{
    struct kit *kit = *state;
    struct cursor *cursor;
    kit_open(kit);
    uint32_t stream = kit_declare(kit, "boiler", "supply_temp");
    assert_int_equal(cursor_open(&cursor, kit->journal, "rules", CURSOR_AT_OLDEST), 0);
    kit_fill(kit, stream, 0, 10);
    assert_int_equal(cursor_ack(cursor, 1, 5), 0);
    kit_fill(kit, stream, 10, 1);
    assert_int_equal(cursor_ack(cursor, 6, 6), 0); /* no commit follows: this one may be lost */
    cursor_close(cursor);
    kit_crash(kit);
    kit_open(kit);
    assert_int_equal(ledger_of(kit, "rules").low, 6);
}

static void renames_and_removes(void **state)
{
    struct kit *kit = *state;
    struct cursor *cursor, *other;
    kit_open(kit);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
    assert_int_equal(cursor_open(&cursor, kit->journal, "uplink/old", CURSOR_AT_OLDEST), 0);
    assert_int_equal(cursor_ack(cursor, 1, 4), 0);
    assert_int_equal(cursor_open(&other, kit->journal, "uplink/gone", CURSOR_AT_NEWEST), 0);
    assert_int_equal(cursor_low(other), 12);
    assert_int_equal(cursor_remove(kit->journal, "uplink/gone"), ERR_BUSY);
    cursor_close(other);
    kit_flush(kit);
    assert_int_equal(cursor_rename(kit->journal, "uplink/old", "uplink/gone"), ERR_EXISTS);
    assert_int_equal(cursor_rename(kit->journal, "uplink/none", "uplink/new"), ERR_NOT_FOUND);
    assert_int_equal(cursor_rename(kit->journal, "uplink/old", "uplink/new"), 0);
    assert_int_equal(cursor_remove(kit->journal, "uplink/gone"), 0);
    assert_int_equal(cursor_remove(kit->journal, "uplink/gone"), ERR_NOT_FOUND);
    assert_int_equal(cursor_low(cursor), 5);
    cursor_close(cursor);
    kit_close(kit);
    kit_open(kit);
    struct seen seen = {0};
    cursor_each(kit->journal, see, &seen);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.ledgers[0].name, "uplink/new");
    assert_int_equal(seen.ledgers[0].low, 5);
}

/* The names and trials of all cursors that are told of, in the order of the table. */
static void told(struct kit *kit, char *out, size_t size)
{
    struct seen seen = {0};
    struct text text;
    cursor_each(kit->journal, see, &seen);
    text_init(&text, out, size);
    for (size_t i = 0; i < seen.count; i++)
        text_printf(&text, "%s%s:%s:%u", i ? " " : "", seen.ledgers[i].name, seen.ledgers[i].trial,
                    (unsigned)seen.ledgers[i].low);
}

static void a_trial_moves_in_place_of_its_cursor(void **state)
{
    struct kit *kit = *state;
    struct cursor *cursor, *trial;
    char name[CURSOR_NAME_SIZE_MAX], names[256];
    kit_open(kit);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
    assert_int_equal(cursor_open(&cursor, kit->journal, "uplink/cloud", CURSOR_AT_OLDEST), 0);
    assert_int_equal(cursor_ack(cursor, 1, 4), 0);
    cursor_trial_name(name, "0123abcd", "uplink/cloud");
    assert_int_equal(cursor_copy(kit->journal, "uplink/none", name), ERR_NOT_FOUND);
    assert_int_equal(cursor_copy(kit->journal, "uplink/cloud", name), 0);
    assert_int_equal(cursor_copy(kit->journal, "uplink/cloud", name), ERR_EXISTS);
    assert_int_equal(cursor_open(&trial, kit->journal, name, CURSOR_AT_NEWEST), 0);
    assert_int_equal(cursor_ack(trial, 5, 7), 0);
    assert_int_equal(cursor_low(cursor), 5);
    told(kit, names, sizeof(names));
    assert_string_equal(names, "uplink/cloud:0123abcd:8");
    assert_int_equal(ledger_of(kit, "uplink/cloud").acked, 7);
    cursor_close(trial);
    assert_int_equal(cursor_remove(kit->journal, name), 0);
    told(kit, names, sizeof(names));
    assert_string_equal(names, "uplink/cloud::5");
}

static void a_trial_takes_the_place_of_its_cursor(void **state)
{
    struct kit *kit = *state;
    struct cursor *cursor, *trial;
    char name[CURSOR_NAME_SIZE_MAX], names[256];
    kit_open(kit);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
    assert_int_equal(cursor_open(&cursor, kit->journal, "uplink/cloud", CURSOR_AT_OLDEST), 0);
    cursor_trial_name(name, "0123abcd", "uplink/cloud");
    assert_int_equal(cursor_copy(kit->journal, "uplink/cloud", name), 0);
    assert_int_equal(cursor_open(&trial, kit->journal, name, CURSOR_AT_NEWEST), 0);
    assert_int_equal(cursor_ack(trial, 1, 7), 0);
    assert_int_equal(cursor_replace(kit->journal, name, "uplink/cloud"), ERR_BUSY);
    cursor_close(cursor);
    kit_flush(kit);
    assert_int_equal(cursor_replace(kit->journal, "uplink/none", "uplink/cloud"), ERR_NOT_FOUND);
    assert_int_equal(cursor_replace(kit->journal, name, name), ERR_BUSY);
    assert_int_equal(cursor_replace(kit->journal, name, "uplink/cloud"), 0);
    assert_int_equal(cursor_ack(trial, 8, 8), 0); /* whoever holds it goes on */
    cursor_close(trial);
    kit_close(kit);
    kit_open(kit);
    told(kit, names, sizeof(names));
    assert_string_equal(names, "uplink/cloud::9");
    assert_int_equal(cursor_replace(kit->journal, "uplink/cloud", "uplink/office"), 0);
    told(kit, names, sizeof(names));
    assert_string_equal(names, "uplink/office::9");
}

static void there_are_sixty_four_at_most(void **state)
{
    struct kit *kit = *state;
    struct cursor *cursors[CURSORS_MAX];
    struct cursor *cursor;
    char name[32];
    kit_open(kit);
    kit_fill(kit, kit_declare(kit, "boiler", "supply_temp"), 0, 10);
    for (int i = 0; i < CURSORS_MAX; i++) {
        snprintf(name, sizeof(name), "consumer/%d", i);
        assert_int_equal(cursor_open(&cursors[i], kit->journal, name, CURSOR_AT_OLDEST), 0);
        assert_int_equal(cursor_ack(cursors[i], 1, (uint64_t)(1 + i % 10)), 0);
        cursor_close(cursors[i]);
    }
    assert_int_equal(cursor_open(&cursor, kit->journal, "one more", CURSOR_AT_OLDEST), ERR_FULL);
    kit_close(kit);
    kit_open(kit);
    for (int i = 0; i < CURSORS_MAX; i++) {
        snprintf(name, sizeof(name), "consumer/%d", i);
        assert_int_equal(ledger_of(kit, name).low, 2 + i % 10);
    }
}

/* The record of each live cursor, as a note of an outage holds it. */
static size_t packed(struct cursors *cursors, uint8_t *out, size_t room)
{
    struct packer packer = {.at = out, .end = out + room};
    uint32_t next = 0;
    cursors_pack(cursors, &packer, true, &next);
    return (size_t)(packer.at - out);
}

static bool advance(struct cursors *cursors, const uint8_t *records, size_t size)
{
    struct unpacker in = {.at = records, .end = records + size};
    struct unpacker body;
    uint8_t type;
    assert_int_equal(record_get(&in, &type, &body), 1);
    assert_int_equal(type, RECORD_CURSOR);
    return cursors_advance(cursors, &body);
}

/* What is known twice, from two places of different age, is taken from the newer one. */
static void a_cursor_is_advanced_and_never_taken_back(void **state)
{
    (void)state;
    static struct cursors cursors;
    struct cursor *cursor = &cursors.table[3];
    uint8_t older[256], newer[256];
    cursors_init(&cursors);
    *cursor = (struct cursor){.state = CURSOR_LIVE, .name = "uplink/cloud", .began = 5, .low = 8};
    cursor->acked = 3;
    size_t older_size = packed(&cursors, older, sizeof(older));
    cursor->acked += (uint64_t)cursor_mark(cursor, 20, 24);
    cursor->dropped[GAP_POISON] += (uint64_t)cursor_mark(cursor, 8, 9);
    size_t newer_size = packed(&cursors, newer, sizeof(newer));
    struct cursor moved = *cursor;

    cursor->changed = false;
    assert_false(advance(&cursors, older, older_size));
    assert_false(advance(&cursors, newer, newer_size)); /* nothing new */
    assert_false(cursor->changed);
    assert_int_equal(cursor->low, 10);

    *cursor = (struct cursor){.state = CURSOR_LIVE, .name = "uplink/cloud", .began = 5, .low = 8};
    cursor->acked = 3;
    assert_true(advance(&cursors, newer, newer_size));
    assert_true(cursor->changed);
    assert_int_equal(cursor->low, moved.low);
    assert_int_equal(cursor->acked, moved.acked);
    assert_int_equal(cursor->dropped[GAP_POISON], 2);
    assert_int_equal(cursor->range_count, 1);

    /* One that was removed stays so, and its name may be another one's now. */
    cursor->state = CURSOR_UNUSED;
    assert_false(advance(&cursors, newer, newer_size));
    *cursor = (struct cursor){.state = CURSOR_LIVE, .name = "uplink/cloud", .began = 7, .low = 7};
    assert_false(advance(&cursors, newer, newer_size));
    assert_int_equal(cursor->low, 7);
    cursors_clear(&cursors);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_grow_together),
        cmocka_unit_test(a_seventeenth_range_is_refused),
        TEST(a_cursor_survives_a_restart_with_its_ranges_and_ledger),
        TEST(a_move_is_durable_with_the_next_commit),
        TEST(renames_and_removes),
        TEST(a_trial_moves_in_place_of_its_cursor),
        TEST(a_trial_takes_the_place_of_its_cursor),
        TEST(there_are_sixty_four_at_most),
        cmocka_unit_test(a_cursor_is_advanced_and_never_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
