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

static struct io_file *create(struct medium *medium, const char *name)
{
    const struct io *io = medium_io(medium);
    struct io_file *file = NULL;
    assert_int_equal(io->open(io, name, 1, &file), 0);
    return file;
}

static void fill(struct medium *medium, struct io_file *file, char byte, size_t size,
                 int64_t offset)
{
    char data[8192];
    memset(data, byte, sizeof(data));
    assert_int_equal(medium_io(medium)->write(medium_io(medium), file, data, size, offset), 0);
}

static void sync_all(struct medium *medium, struct io_file *file)
{
    const struct io *io = medium_io(medium);
    assert_int_equal(io->sync(io, file), 0);
    assert_int_equal(io->sync_dir(io), 0);
}

static void unsynced_data_may_be_there_or_not(void **state)
{
    (void)state;
    struct medium *medium = medium_open(NULL);
    struct medium_image image = {0};
    struct io_file *file = create(medium, "a");
    fill(medium, file, 'x', 10, 0);
    sync_all(medium, file);
    fill(medium, file, 'y', 10, 0);

    cut_now(medium, &(struct cut_choice){.style = CUT_NONE, .sector_bytes = 512}, &image);
    assert_memory_equal(medium_image_find(&image, "a")->data, "xxxxxxxxxx", 10);
    cut_now(medium, &(struct cut_choice){.style = CUT_ALL, .sector_bytes = 512}, &image);
    assert_memory_equal(medium_image_find(&image, "a")->data, "yyyyyyyyyy", 10);
    medium_image_clear(&image);
    medium_close(medium);
}

static void a_file_whose_folder_was_not_synced_may_vanish(void **state)
{
    (void)state;
    struct medium *medium = medium_open(NULL);
    const struct io *io = medium_io(medium);
    struct medium_image image = {0};
    struct io_file *file = create(medium, "a");
    fill(medium, file, 'x', 10, 0);
    assert_int_equal(io->sync(io, file), 0);

    cut_now(medium, &(struct cut_choice){.style = CUT_NONE, .sector_bytes = 512}, &image);
    assert_int_equal(image.count, 0);
    assert_int_equal(io->sync_dir(io), 0);
    assert_int_equal(io->rename(io, "a", "b"), 0);
    cut_now(medium, &(struct cut_choice){.style = CUT_NONE, .sector_bytes = 512}, &image);
    assert_non_null(medium_image_find(&image, "a"));
    cut_now(medium, &(struct cut_choice){.style = CUT_ALL, .sector_bytes = 512}, &image);
    assert_null(medium_image_find(&image, "a"));
    assert_int_equal(medium_image_find(&image, "b")->size, 10);
    medium_image_clear(&image);
    medium_close(medium);
}

static void a_write_tears_between_sectors(void **state)
{
    (void)state;
    struct medium *medium = medium_open(NULL);
    struct medium_image image = {0};
    struct io_file *file = create(medium, "a");
    fill(medium, file, 'x', 2048, 0);
    sync_all(medium, file);
    fill(medium, file, 'y', 1000, 100); /* sectors 0, 1 and 2 */
    struct cut_choice choice = {.style = CUT_UNTIL, .count = 0, .sectors = 2, .sector_bytes = 512};
    cut_now(medium, &choice, &image);
    const uint8_t *data = medium_image_find(&image, "a")->data;
    assert_int_equal(data[99], 'x');
    assert_int_equal(data[100], 'y');
    assert_int_equal(data[1023], 'y');
    assert_int_equal(data[1024], 'x');
    medium_image_clear(&image);
    medium_close(medium);
}

static void a_sector_holds_no_newer_write_without_the_older_one(void **state)
{
    (void)state;
    struct medium *medium = medium_open(NULL);
    struct medium_image image = {0};
    struct io_file *file = create(medium, "a");
    fill(medium, file, 'x', 2048, 0);
    sync_all(medium, file);
    fill(medium, file, 'y', 100, 0);
    fill(medium, file, 'z', 1000, 100); /* begins in the sector of the write before */
    struct cut_choice choice = {.style = CUT_ONLY, .count = 1, .sector_bytes = 512};
    cut_now(medium, &choice, &image);
    const uint8_t *data = medium_image_find(&image, "a")->data;
    assert_int_equal(data[0], 'x');
    assert_int_equal(data[100], 'x');
    assert_int_equal(data[512], 'z');
    medium_image_clear(&image);
    medium_close(medium);
}

static void garbage_stays_within_one_sector(void **state)
{
    (void)state;
    struct medium *medium = medium_open(NULL);
    struct medium_image image = {0};
    struct io_file *file = create(medium, "a");
    fill(medium, file, 'x', 2048, 0);
    sync_all(medium, file);
    fill(medium, file, 'x', 10, 600); /* the same bytes: any difference is damage */
    bool damaged = false;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct cut_choice choice = {
            .style = CUT_ALL, .seed = seed, .sector_bytes = 512, .garbage = true};
        cut_now(medium, &choice, &image);
        const uint8_t *data = medium_image_find(&image, "a")->data;
        for (int i = 0; i < 2048; i++) {
            bool inside = i >= 512 && i < 1024;
            damaged = damaged || data[i] != 'x';
            assert_true(inside || data[i] == 'x');
        }
    }
    assert_true(damaged);
    medium_image_clear(&image);
    medium_close(medium);
}

static void a_failed_sync_drops_the_data_for_ever(void **state)
{
    (void)state;
    struct medium *medium = medium_open(NULL);
    const struct io *io = medium_io(medium);
    struct medium_image image = {0};
    struct io_file *file = create(medium, "a");
    fill(medium, file, 'x', 10, 0);
    sync_all(medium, file);
    fill(medium, file, 'y', 10, 0);
    medium_inject(medium, &(struct medium_fault){
                              .op = MEDIUM_SYNC, .prefix = "a", .times = 1, .error = ERR_IO});
    assert_int_equal(io->sync(io, file), ERR_IO);
    char seen = 0;
    assert_int_equal(io->read(io, file, &seen, 1, 0), 1);
    assert_int_equal(seen, 'y');
    assert_int_equal(io->sync(io, file), 0);
    cut_now(medium, &(struct cut_choice){.style = CUT_ALL, .sector_bytes = 512}, &image);
    assert_int_equal(medium_image_find(&image, "a")->data[0], 'x');
    medium_image_clear(&image);
    medium_close(medium);
}

static void a_lying_disk_acknowledges_and_forgets(void **state)
{
    (void)state;
    struct medium *medium = medium_open(NULL);
    struct medium_image image = {0};
    medium_set_lying(medium, true);
    struct io_file *file = create(medium, "a");
    fill(medium, file, 'x', 10, 0);
    sync_all(medium, file);
    cut_now(medium, &(struct cut_choice){.style = CUT_NONE, .sector_bytes = 512}, &image);
    assert_int_equal(image.count, 0);
    medium_image_clear(&image);
    medium_close(medium);
}

static void it_fails_when_told(void **state)
{
    (void)state;
    struct medium *medium = medium_open(NULL);
    const struct io *io = medium_io(medium);
    struct io_file *file = create(medium, "a");
    medium_inject(medium, &(struct medium_fault){.op = MEDIUM_WRITE,
                                                 .prefix = "",
                                                 .skip = 1,
                                                 .times = 1,
                                                 .error = ERR_IO,
                                                 .partial = true});
    assert_int_equal(io->write(io, file, "1234", 4, 0), 0);
    assert_int_equal(io->write(io, file, "5678", 4, 0), ERR_IO);
    char data[4];
    assert_int_equal(io->read(io, file, data, 4, 0), 4);
    assert_memory_equal(data, "5634", 4);
    assert_int_equal(io->write(io, file, "5678", 4, 0), 0);
    medium_set_capacity(medium, 6);
    assert_int_equal(io->space(io), 2);
    assert_int_equal(io->write(io, file, "5678", 4, 4), ERR_NO_SPACE);
    assert_int_equal(io->write(io, file, "56", 2, 4), 0);
    medium_set_read_only(medium, true);
    assert_int_equal(io->write(io, file, "5", 1, 0), ERR_READ_ONLY);
    assert_int_equal(io->rename(io, "a", "b"), ERR_READ_ONLY);
    assert_int_equal(medium_calls(medium, MEDIUM_WRITE), 6);
    medium_close(medium);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsynced_data_may_be_there_or_not),
        cmocka_unit_test(a_file_whose_folder_was_not_synced_may_vanish),
        cmocka_unit_test(a_write_tears_between_sectors),
        cmocka_unit_test(a_sector_holds_no_newer_write_without_the_older_one),
        cmocka_unit_test(garbage_stays_within_one_sector),
        cmocka_unit_test(a_failed_sync_drops_the_data_for_ever),
        cmocka_unit_test(a_lying_disk_acknowledges_and_forgets),
        cmocka_unit_test(it_fails_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
