// The model disk: what is durable, what a power cut may leave, and each way of failing.
// links: faults_disk
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "faults/cut.h"

/* An empty disk on which the file "a" has just been made, and what a cut leaves of it. */
struct disk {
    struct medium *medium;
    const struct io *io;
    struct io_file *file;
    struct medium_image left;
};

static int setup(void **state)
{
    static struct disk disk;
    disk = (struct disk){.medium = medium_open(NULL)};
    disk.io = medium_io(disk.medium);
    *state = &disk;
    return disk.io->open(disk.io, "a", 1, &disk.file);
}

static int teardown(void **state)
{
    struct disk *disk = *state;
    medium_image_clear(&disk->left);
    medium_close(disk->medium);
    return 0;
}

static void fill(struct disk *disk, char byte, size_t size, int64_t offset)
{
    char data[8192];
    memset(data, byte, sizeof(data));
    assert_int_equal(disk->io->write(disk->io, disk->file, data, size, offset), 0);
}

static void sync_all(struct disk *disk)
{
    assert_int_equal(disk->io->sync(disk->io, disk->file), 0);
    assert_int_equal(disk->io->sync_dir(disk->io), 0);
}

/* What is left of the file; NULL when it has vanished. */
static const uint8_t *cut_off(struct disk *disk, struct cut_choice choice)
{
    choice.sector_bytes = 512;
    cut_now(disk->medium, &choice, &disk->left);
    const struct medium_file *file = medium_image_find(&disk->left, "a");
    return file ? file->data : NULL;
}

static void unsynced_data_may_be_there_or_not(void **state)
{
    struct disk *disk = *state;
    fill(disk, 'x', 10, 0);
    sync_all(disk);
    fill(disk, 'y', 10, 0);
    assert_memory_equal(cut_off(disk, (struct cut_choice){.style = CUT_NONE}), "xxxxxxxxxx", 10);
    assert_memory_equal(cut_off(disk, (struct cut_choice){.style = CUT_ALL}), "yyyyyyyyyy", 10);
}

/* The device may have begun with it, and may have come to an end or not. */
static void what_was_pushed_is_no_more_durable_for_it(void **state)
{
    struct disk *disk = *state;
    fill(disk, 'x', 10, 0);
    sync_all(disk);
    fill(disk, 'y', 10, 0);
    disk->io->push(disk->io, disk->file, 10, 0);
    assert_memory_equal(cut_off(disk, (struct cut_choice){.style = CUT_NONE}), "xxxxxxxxxx", 10);
    assert_memory_equal(cut_off(disk, (struct cut_choice){.style = CUT_ALL}), "yyyyyyyyyy", 10);
}

static void a_file_whose_folder_was_not_synced_may_vanish(void **state)
{
    struct disk *disk = *state;
    const struct io *io = disk->io;
    fill(disk, 'x', 10, 0);
    assert_int_equal(io->sync(io, disk->file), 0);
    assert_null(cut_off(disk, (struct cut_choice){.style = CUT_NONE}));
    assert_int_equal(disk->left.count, 0);
    assert_int_equal(io->sync_dir(io), 0);
    assert_int_equal(io->rename(io, "a", "b"), 0);
    assert_non_null(cut_off(disk, (struct cut_choice){.style = CUT_NONE}));
    assert_null(cut_off(disk, (struct cut_choice){.style = CUT_ALL}));
    assert_int_equal(medium_image_find(&disk->left, "b")->size, 10);
}

static void a_write_tears_between_sectors(void **state)
{
    struct disk *disk = *state;
    fill(disk, 'x', 2048, 0);
    sync_all(disk);
    fill(disk, 'y', 1000, 100); /* sectors 0, 1 and 2 */
    const uint8_t *data =
        cut_off(disk, (struct cut_choice){.style = CUT_UNTIL, .count = 0, .sectors = 2});
    assert_int_equal(data[99], 'x');
    assert_int_equal(data[100], 'y');
    assert_int_equal(data[1023], 'y');
    assert_int_equal(data[1024], 'x');
}

static void a_sector_holds_no_newer_write_without_the_older_one(void **state)
{
    struct disk *disk = *state;
    fill(disk, 'x', 2048, 0);
    sync_all(disk);
    fill(disk, 'y', 100, 0);
    fill(disk, 'z', 1000, 100); /* begins in the sector of the write before */
    const uint8_t *data = cut_off(disk, (struct cut_choice){.style = CUT_ONLY, .count = 1});
    assert_int_equal(data[0], 'x');
    assert_int_equal(data[100], 'x');
    assert_int_equal(data[512], 'z');
}

static void garbage_stays_within_one_sector(void **state)
{
    struct disk *disk = *state;
    bool damaged = false;
    fill(disk, 'x', 2048, 0);
    sync_all(disk);
    fill(disk, 'x', 10, 600); /* the same bytes: any difference is damage */
    for (uint64_t seed = 0; seed < 8; seed++) {
        const uint8_t *data =
            cut_off(disk, (struct cut_choice){.style = CUT_ALL, .seed = seed, .garbage = true});
        for (int i = 0; i < 2048; i++) {
            bool inside = i >= 512 && i < 1024;
            damaged = damaged || data[i] != 'x';
            assert_true(inside || data[i] == 'x');
        }
    }
    assert_true(damaged);
}

static void a_failed_sync_drops_the_data_for_ever(void **state)
{
    struct disk *disk = *state;
    const struct io *io = disk->io;
    char seen = 0;
    fill(disk, 'x', 10, 0);
    sync_all(disk);
    fill(disk, 'y', 10, 0);
    medium_inject(disk->medium, &(struct medium_fault){
                                    .op = MEDIUM_SYNC, .prefix = "a", .times = 1, .error = ERR_IO});
    assert_int_equal(io->sync(io, disk->file), ERR_IO);
    assert_int_equal(io->read(io, disk->file, &seen, 1, 0), 1);
    assert_int_equal(seen, 'y');
    assert_int_equal(io->sync(io, disk->file), 0);
    assert_int_equal(cut_off(disk, (struct cut_choice){.style = CUT_ALL})[0], 'x');
}

static void a_lying_disk_acknowledges_and_forgets(void **state)
{
    struct disk *disk = *state;
    medium_set_lying(disk->medium, true);
    fill(disk, 'x', 10, 0);
    sync_all(disk);
    assert_null(cut_off(disk, (struct cut_choice){.style = CUT_NONE}));
    assert_int_equal(disk->left.count, 0);
}

static void it_fails_when_told(void **state)
{
    struct disk *disk = *state;
    const struct io *io = disk->io;
    struct io_file *file = disk->file;
    char data[4];
    medium_inject(disk->medium, &(struct medium_fault){.op = MEDIUM_WRITE,
                                                       .prefix = "",
                                                       .skip = 1,
                                                       .times = 1,
                                                       .error = ERR_IO,
                                                       .partial = true});
    assert_int_equal(io->write(io, file, "1234", 4, 0), 0);
    assert_int_equal(io->write(io, file, "5678", 4, 0), ERR_IO);
    assert_int_equal(io->read(io, file, data, 4, 0), 4);
    assert_memory_equal(data, "5634", 4);
    assert_int_equal(io->write(io, file, "5678", 4, 0), 0);
    medium_set_capacity(disk->medium, 6);
    assert_int_equal(io->space(io), 2);
    assert_int_equal(io->write(io, file, "5678", 4, 4), ERR_NO_SPACE);
    assert_int_equal(io->write(io, file, "56", 2, 4), 0);
    medium_set_read_only(disk->medium, true);
    assert_int_equal(io->write(io, file, "5", 1, 0), ERR_READ_ONLY);
    assert_int_equal(io->rename(io, "a", "b"), ERR_READ_ONLY);
    assert_int_equal(medium_calls(disk->medium, MEDIUM_WRITE), 6);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(unsynced_data_may_be_there_or_not),
        TEST(what_was_pushed_is_no_more_durable_for_it),
        TEST(a_file_whose_folder_was_not_synced_may_vanish),
        TEST(a_write_tears_between_sectors),
        TEST(a_sector_holds_no_newer_write_without_the_older_one),
        TEST(garbage_stays_within_one_sector),
        TEST(a_failed_sync_drops_the_data_for_ever),
        TEST(a_lying_disk_acknowledges_and_forgets),
        TEST(it_fails_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
