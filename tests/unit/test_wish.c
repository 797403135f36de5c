/* What the daemon asks root for: done once, told truly, and nothing in the folder is followed. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "daemon/wish.h"

static char folder[64];
static _Atomic int64_t done;
static atomic_bool slow, let_go;
static atomic_int outcome;

static int carry_out(int64_t number)
{
    for (int i = 0; slow && !let_go && i < 1000; i++)
        poll(NULL, 0, 10);
    done = number;
    return outcome;
}

static const struct wish_kind kinds[] = {
    {WISH_CLOCK, carry_out, false}, {WISH_FOLLOWED, carry_out, true}, {0}};

static void ignore(const char *what, int64_t number, int error)
{
    (void)what;
    (void)number;
    (void)error;
}

static atomic_bool ended;

/* What the units of the system do: start root's part as often as a wish is there. */
static void *be_root(void *context)
{
    (void)context;
    while (!ended) {
        wish_carry_out(folder, kinds, ignore);
        poll(NULL, 0, 5);
    }
    return NULL;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/sluice-wish-XXXXXX");
    done = 0;
    outcome = 0;
    slow = let_go = ended = false;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void a_wish_is_done_and_told(void **state)
{
    pthread_t root;

    (void)state;
    assert_int_equal(pthread_create(&root, NULL, be_root, NULL), 0);
    assert_int_equal(wish_make(folder, WISH_CLOCK, 17), 0);
    assert_int_equal(done, 17);
    outcome = ERR_IO;
    assert_int_equal(wish_make(folder, WISH_CLOCK, 18), ERR_DENIED);
    assert_int_equal(done, 18);
    outcome = 0;
    assert_int_equal(wish_make(folder, WISH_CLOCK, 19), 0);
    ended = true;
    pthread_join(root, NULL);
}

static void *ask_for_the_first(void *context)
{
    *(int *)context = wish_make(folder, WISH_CLOCK, 1);
    return NULL;
}

/* The first is still being done when a second is made: both are done, and each is told its own end.
 */
static void one_that_takes_long_is_not_mistaken_for_the_next(void **state)
{
    pthread_t root, first;
    char path[96];
    int answer = -1;

    (void)state;
    slow = true;
    snprintf(path, sizeof path, "%s/" WISH_CLOCK ".doing", folder);
    assert_int_equal(pthread_create(&root, NULL, be_root, NULL), 0);
    assert_int_equal(pthread_create(&first, NULL, ask_for_the_first, &answer), 0);
    for (int i = 0; access(path, F_OK) && i < 1000; i++)
        poll(NULL, 0, 5);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/" WISH_CLOCK, folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, "2\n", 2) == 2);
    close(fd);
    let_go = true;
    pthread_join(first, NULL);
    assert_int_equal(answer, 0);
    for (int i = 0; done != 2 && i < 1000; i++)
        poll(NULL, 0, 5);
    assert_int_equal(done, 2);
    ended = true;
    pthread_join(root, NULL);
}

static void lay(const char *what)
{
    char path[96];

    snprintf(path, sizeof path, "%s/%s", folder, what);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, "1\n", 2) == 2);
    close(fd);
}

static void no_is_an_answer_to_a_question_and_told(void **state)
{
    char path[96];

    (void)state;
    outcome = ERR_REFUSED;
    lay(WISH_FOLLOWED);
    assert_int_equal(wish_carry_out(folder, kinds, ignore), 1);
    snprintf(path, sizeof path, "%s/" WISH_FOLLOWED ".refused", folder);
    assert_int_equal(access(path, F_OK), 0);
    lay(WISH_CLOCK);
    assert_int_equal(wish_carry_out(folder, kinds, ignore), 0);
}

static void nobody_there_is_told(void **state)
{
    (void)state;
    assert_int_equal(wish_make("/nonexistent/wish", WISH_CLOCK, 1), ERR_UNSUPPORTED);
    assert_int_equal(wish_make(folder, WISH_CLOCK, 1), ERR_UNSUPPORTED);
    assert_int_equal(wish_carry_out(folder, kinds, ignore), 0);
    assert_int_equal(done, 0);
}

static void nothing_is_followed(void **state)
{
    char path[96], target[96];

    (void)state;
    snprintf(path, sizeof path, "%s/" WISH_CLOCK, folder);
    snprintf(target, sizeof target, "%s/target", folder);
    int fd = open(target, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, "5\n", 2) == 2);
    close(fd);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(wish_carry_out(folder, kinds, ignore), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(wish_carry_out(folder, kinds, ignore), 0);
    assert_int_equal(done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_wish_is_done_and_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_takes_long_is_not_mistaken_for_the_next, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_is_an_answer_to_a_question_and_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_there_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_followed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
