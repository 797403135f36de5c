/* The disk side of group commit: what it says that the storage takes. */
// links: sluice_journal
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>

#include "core/clock.h"
#include "journal/commit.h"

#define TELLING_MS 50 /* what it takes to tell those who wait of a frame */

static atomic_int told;

static int write_frame(const struct io *io, struct io_file *file, const void *data, size_t size,
                       int64_t offset)
{
    (void)io;
    (void)file;
    (void)data;
    (void)size;
    (void)offset;
    return 0;
}

static void push(const struct io *io, struct io_file *file, size_t size, int64_t offset)
{
    (void)io;
    (void)file;
    (void)size;
    (void)offset;
}

static int sync_file(const struct io *io, struct io_file *file)
{
    (void)io;
    (void)file;
    return 0;
}

static void tell_slowly(void *context, uint64_t generation, const struct buffer *buffer)
{
    struct commit *commit = context;

    (void)generation;
    (void)buffer;
    poll(NULL, 0, TELLING_MS);
    /* Whoever looks for a disk that hangs sees none. */
    assert_int_equal(commit->busy_since_ns, 0);
    atomic_fetch_add(&told, 1);
}

static void does_not_take_the_time_of_telling_for_that_of_the_storage(void **state)
{
    static const struct io io = {.write = write_frame, .push = push, .sync = sync_file};
    static struct commit commit;
    int64_t until_ns = clock_mono(&clock_system) + 60 * NS_PER_S;

    (void)state;
    assert_int_equal(commit_init(&commit, &io, 0), 0);
    commit.on_durable = tell_slowly;
    commit.context = &commit;
    /* All wait before the thread begins: each is given to the device while the one before is told.
     */
    for (int i = 0; i < COMMIT_QUEUE; i++)
        assert_true(commit_submit(&commit, commit_buffer(&commit)));
    assert_int_equal(commit_start(&commit), 0);
    while (!commit_idle(&commit)) {
        assert_true(clock_mono(&clock_system) < until_ns);
        poll(NULL, 0, 5);
    }
    commit_stop(&commit);
    pthread_join(commit.thread, NULL);
    assert_int_equal(told, COMMIT_QUEUE);
    assert_int_equal(commit.commits, COMMIT_QUEUE);
    assert_true(commit.last_sync_ns < TELLING_MS * NS_PER_MS);
    assert_true(commit.worst_sync_ns < TELLING_MS * NS_PER_MS);
    commit_clear(&commit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_not_take_the_time_of_telling_for_that_of_the_storage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
