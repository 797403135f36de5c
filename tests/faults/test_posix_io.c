// The real files behind struct io, when the kernel interrupts calls or does half of what is asked.
// links: sluice_journal -Wl,--wrap=pwrite,--wrap=pread,--wrap=pwrite64,--wrap=pread64
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "journal/io.h"

#define SIZE 10000

ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *data, size_t size, off_t offset);

static int calls; /* every second one is interrupted, the others do a part */

static ssize_t part_of(int fd, size_t *size, off_t offset)
{
    if (++calls % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    if (*size > 1)
        *size = *size / 2;
    return (ssize_t)lseek(fd, offset, SEEK_SET);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return part_of(fd, &size, offset) < 0 ? -1 : write(fd, data, size);
}

ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return __wrap_pwrite(fd, data, size, offset);
}

ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset)
{
    return part_of(fd, &size, offset) < 0 ? -1 : read(fd, data, size);
}

ssize_t __wrap_pread64(int fd, void *data, size_t size, off_t offset)
{
    return __wrap_pread(fd, data, size, offset);
}

static void short_and_interrupted_calls_are_completed(void **state)
{
    (void)state;
    static uint8_t written[SIZE], got[SIZE + 10];
    char path[] = "/tmp/sluice-posix-io-XXXXXX";
    struct io io;
    struct io_file *file;
    for (size_t i = 0; i < SIZE; i++)
        written[i] = (uint8_t)(i * 7);
    assert_non_null(mkdtemp(path));
    assert_int_equal(io_posix_open(&io, path), 0);
    assert_int_equal(io.open(&io, "a", 1, &file), 0);
    assert_int_equal(io.write(&io, file, written, SIZE, 5), 0);
    assert_int_equal(io.sync(&io, file), 0);
    assert_int_equal(io.size(&io, file), SIZE + 5);
    assert_int_equal(io.read(&io, file, got, SIZE, 5), SIZE);
    assert_memory_equal(got, written, SIZE);
    assert_int_equal(io.read(&io, file, got, SIZE + 10, 6), SIZE - 1);
    assert_memory_equal(got, written + 1, SIZE - 1);
    assert_true(calls > 20);
    io.close(&io, file);
    assert_int_equal(io.remove(&io, "a"), 0);
    io_posix_close(&io);
    assert_int_equal(rmdir(path), 0);
}

static void a_folder_has_one_owner(void **state)
{
    (void)state;
    char path[] = "/tmp/sluice-posix-io-XXXXXX";
    struct io first, second;
    assert_non_null(mkdtemp(path));
    assert_int_equal(io_posix_open(&first, path), 0);
    assert_int_equal(io_posix_open(&second, path), 0);
    assert_int_equal(first.lock(&first), 0);
    assert_int_equal(second.lock(&second), ERR_BUSY);
    io_posix_close(&first);
    assert_int_equal(second.lock(&second), 0);
    assert_int_equal(second.remove(&second, "lock"), 0);
    io_posix_close(&second);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_and_interrupted_calls_are_completed),
        cmocka_unit_test(a_folder_has_one_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
