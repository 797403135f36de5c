/* Small files that are whole after a power cut. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/error.h"
#include "core/save.h"

/* What was asked of the system, in order: f syncs a file, d a folder, r renames; and which step
 * fails. */
static char steps[16];
static int failing;
static bool counts_steps = true;

static int step(char what)
{
    size_t count = strlen(steps);

    if (!counts_steps)
        return 0;
    steps[count] = what;
    steps[count + 1] = '\0';
    if ((int)count + 1 != failing)
        return 0;
    errno = ENOSPC;
    return -1;
}

/* In the place of the C library's. */
int fsync(int fd)
{
    struct stat status;

    assert_int_equal(fstat(fd, &status), 0);
    return step(S_ISDIR(status.st_mode) ? 'd' : 'f');
}

int rename(const char *from, const char *to)
{
    if (step('r'))
        return -1;
    return (int)syscall(SYS_renameat2, -100 /* AT_FDCWD */, from, -100, to, 0);
}

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/sluice-save-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    failing = 0;
    steps[0] = '\0';
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void assert_content(const char *expected)
{
    char *data;
    size_t size;

    assert_int_equal(save_read(path, 100, &data, &size), 0);
    assert_string_equal(data, expected);
    assert_int_equal(size, strlen(expected));
    free(data);
}

static void saves_in_the_order_that_survives_a_cut(void **state)
{
    struct stat status;

    (void)state;
    assert_int_equal(save_file(path, "first", 5, 0600), 0);
    assert_string_equal(steps, "frd");
    assert_content("first");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void what_cannot_be_saved_leaves_what_was_there(void **state)
{
    (void)state;
    assert_int_equal(save_file(path, "first", 5, 0600), 0);
    for (failing = 1; failing <= 2; failing++) {
        steps[0] = '\0';
        assert_int_equal(save_file(path, "second", 6, 0600), ERR_NO_SPACE);
        assert_content("first");
    }
    /* The last step: the name may not be durable, which is told. */
    steps[0] = '\0';
    assert_int_equal(save_file(path, "second", 6, 0600), ERR_NO_SPACE);
}

static void what_an_earlier_life_left_half_written_is_replaced(void **state)
{
    char fresh[112];
    struct stat status;

    (void)state;
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *left = fopen(fresh, "w");
    assert_non_null(left);
    fputs("a longer text that was never finished", left);
    fclose(left);
    chmod(fresh, 0644);
    assert_int_equal(save_file(path, "whole", 5, 0600), 0);
    assert_content("whole");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(access(fresh, F_OK), -1);
}

enum { SAVERS = 4, SAVES = 200, SIZE = 5000 };

static void *save_often(void *context)
{
    char data[SIZE];

    memset(data, *(char *)context, sizeof data);
    for (int i = 0; i < SAVES; i++) {
        int error = save_file(path, data, sizeof data, 0640);

        if (error)
            return (void *)(intptr_t)error;
    }
    return NULL;
}

static void of_two_at_once_one_comes_behind_the_other(void **state)
{
    pthread_t savers[SAVERS];
    char letters[SAVERS], *data;
    size_t size;

    (void)state;
    counts_steps = false;
    for (int i = 0; i < SAVERS; i++) {
        letters[i] = (char)('a' + i);
        assert_int_equal(pthread_create(&savers[i], NULL, save_often, &letters[i]), 0);
    }
    for (int i = 0; i < SAVERS; i++) {
        void *error;

        assert_int_equal(pthread_join(savers[i], &error), 0);
        assert_null(error);
    }
    counts_steps = true;
    assert_int_equal(save_read(path, 2 * SIZE, &data, &size), 0);
    assert_int_equal(size, SIZE);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(data[i], data[0]);
    free(data);
}

static void reads_no_more_than_it_is_told(void **state)
{
    char *data;
    size_t size;

    (void)state;
    assert_int_equal(save_read(path, 10, &data, &size), ERR_NOT_FOUND);
    assert_int_equal(save_file(path, "0123456789", 10, 0600), 0);
    assert_int_equal(save_read(path, 9, &data, &size), ERR_TOO_LARGE);
    assert_null(data);
    assert_int_equal(save_read(path, 10, &data, &size), 0);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(saves_in_the_order_that_survives_a_cut, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_cannot_be_saved_leaves_what_was_there, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_an_earlier_life_left_half_written_is_replaced,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(of_two_at_once_one_comes_behind_the_other, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(reads_no_more_than_it_is_told, make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
