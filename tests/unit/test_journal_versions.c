/* Upgrades and the way back: a later version of the format is played by this program with a higher
 * number. */
// links: sluice_journal
#include "unit/journal_kit.h"

#include "core/bytes.h"
#include "journal/segment.h"

#define LATER 2
#define MANY  24000 /* readings: several segments of 64 KiB */

/* How many live segments there are of each version of the format; none is of another. */
static void count_versions(struct kit *kit, int counts[LATER + 1])
{
    DIR *dir = opendir(kit->folder);
    uint8_t header[SEGMENT_HEADER_SIZE];
    char name[SEGMENT_NAME_SIZE_MAX];
    struct segment segment;
    uint32_t id;

    memset(counts, 0, (LATER + 1) * sizeof *counts);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!segment_name_parse(entry->d_name, &id))
            continue;
        segment_name(id, name);
        assert_int_equal(kit_fetch(kit, name, 0, header, sizeof header), sizeof header);
        enum segment_kind kind = segment_unpack(&segment, LATER, "plant7", header, NULL);
        assert_int_not_equal(kind, SEGMENT_VERSION);
        if (kind == SEGMENT_LIVE) {
            uint8_t frame[16];
            counts[segment.version]++;
            kit_fetch(kit, name, SEGMENT_HEADER_SIZE, frame, sizeof frame);
            assert_int_equal(frame[8], segment.version);
        }
    }
    closedir(dir);
}

static int count_aside(struct kit *kit)
{
    DIR *dir = opendir(kit->folder);
    int count = 0;

    for (struct dirent *entry; (entry = readdir(dir));)
        count += strncmp(entry->d_name, "set-aside-", 10) == 0;
    closedir(dir);
    return count;
}

/* Readings from first on, one after the other; returns the last one's value. */
static double read_all(struct kit *kit, double first)
{
    struct reader *reader;
    struct event event;
    double last = first - 1;

    assert_int_equal(reader_open(&reader, kit->journal, 0), 0);
    while (kit_next(reader, &event) > 0) {
        if (event.kind != EVENT_READING)
            continue;
        assert_true(event.value.f == last + 1);
        last = event.value.f;
    }
    reader_close(reader);
    return last;
}

static void open_as(struct kit *kit, unsigned newest, bool kept)
{
    kit->options.format_newest = newest;
    kit->options.format_kept = kept;
    kit_open(kit);
}

static uint32_t epoch_of(struct kit *kit)
{
    uint32_t epoch;

    journal_durable(kit->journal, &epoch);
    return epoch;
}

/* A journal of this version with `MANY` readings. */
static uint32_t begin(struct kit *kit)
{
    open_as(kit, 1, true);
    kit_fill(kit, kit_declare(kit, "boiler", "flow"), 0, MANY);
    uint32_t epoch = epoch_of(kit);
    kit_close(kit);
    return epoch;
}

static void the_way_back_is_open_until_a_version_is_confirmed(void **state)
{
    struct kit *kit = *state;
    int counts[LATER + 1];
    uint32_t epoch = begin(kit);

    open_as(kit, LATER, true);
    kit_fill(kit, kit_declare(kit, "boiler", "flow"), MANY, MANY);
    assert_int_equal(epoch_of(kit), epoch);
    kit_close(kit);
    count_versions(kit, counts);
    assert_true(counts[1] > 2);
    assert_int_equal(counts[LATER], 0);

    open_as(kit, 1, true);
    assert_int_equal(epoch_of(kit), epoch);
    assert_int_equal(count_aside(kit), 0);
    kit_fill(kit, kit_declare(kit, "boiler", "flow"), 2 * MANY, 10);
    assert_true(read_all(kit, 0) == 2 * MANY + 9);
}

static void a_confirmed_version_writes_its_own_format_and_reads_both(void **state)
{
    struct kit *kit = *state;
    int counts[LATER + 1];
    uint32_t epoch = begin(kit);

    open_as(kit, LATER, true);
    journal_confirm(kit->journal);
    kit_fill(kit, kit_declare(kit, "boiler", "flow"), MANY, MANY);
    count_versions(kit, counts);
    assert_true(counts[1] > 0 && counts[LATER] > 0);
    assert_true(read_all(kit, 0) == 2 * MANY - 1);
    kit_close(kit);

    open_as(kit, LATER, true); /* what is newest is its own by now */
    kit_fill(kit, kit_declare(kit, "boiler", "flow"), 2 * MANY, MANY);
    assert_int_equal(epoch_of(kit), epoch);
    assert_true(read_all(kit, 0) == 3 * MANY - 1);
}

static void a_version_that_was_confirmed_before_begins_with_its_own_format(void **state)
{
    struct kit *kit = *state;
    int counts[LATER + 1];

    begin(kit);
    open_as(kit, LATER, false);
    kit_fill(kit, kit_declare(kit, "boiler", "flow"), MANY, MANY);
    count_versions(kit, counts);
    assert_true(counts[LATER] > 0);
}

static void a_new_journal_has_no_way_back_to_keep_open(void **state)
{
    struct kit *kit = *state;
    int counts[LATER + 1];

    open_as(kit, LATER, true);
    kit_fill(kit, kit_declare(kit, "boiler", "flow"), 0, 10);
    count_versions(kit, counts);
    assert_int_equal(counts[1], 0);
    assert_true(counts[LATER] > 0);
}

static void what_a_later_version_wrote_is_kept_beside_and_told(void **state)
{
    struct kit *kit = *state;
    struct journal_previous previous;
    uint32_t epoch = begin(kit);

    open_as(kit, LATER, false);
    kit_fill(kit, kit_declare(kit, "boiler", "flow"), MANY, MANY);
    kit_close(kit);

    open_as(kit, 1, true);
    assert_true(count_aside(kit) > 0);
    journal_previous(kit->journal, &previous);
    assert_int_equal(previous.epoch, epoch);
    assert_int_not_equal(epoch_of(kit), epoch);
    double last = read_all(kit, 0);
    assert_true(last >= MANY - 1 && last < 2 * MANY - 1);
    kit_fill(kit, kit_declare(kit, "boiler", "flow"), (int)last + 1, 10);
    assert_true(read_all(kit, 0) == last + 10);
}

static void free_files_are_used_whoever_made_them(void **state)
{
    (void)state;
    uint8_t block[SEGMENT_HEADER_SIZE];
    struct segment found;

    segment_pack(NULL, "plant7", block);
    assert_int_equal(get_u16(block + 12), FORMAT_OLDEST);
    assert_int_equal(segment_unpack(&found, FORMAT_OLDEST, "plant7", block, NULL), SEGMENT_FREE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_way_back_is_open_until_a_version_is_confirmed),
        TEST(a_confirmed_version_writes_its_own_format_and_reads_both),
        TEST(a_version_that_was_confirmed_before_begins_with_its_own_format),
        TEST(a_new_journal_has_no_way_back_to_keep_open),
        TEST(what_a_later_version_wrote_is_kept_beside_and_told),
        cmocka_unit_test(free_files_are_used_whoever_made_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
