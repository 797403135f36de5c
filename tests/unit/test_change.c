/* A change of the configuration that nobody has confirmed is not in force after the next start,
 * whichever step of writing it failed. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/history.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/save.h"
#include "daemon/change.h"

#define OLD   "{\"version\":1}\n"
#define NEW   "{\"version\":1,\"gateway\":{\"id\":\"new\"}}\n"
#define STEPS 40 /* more than an apply has */

static atomic_int step, failing, failures; /* the step that fails first; how many in a row */

static int next_step(void)
{
    int at = ++step;

    if (failing == 0 || at < failing || at >= failing + failures)
        return 0;
    errno = EIO;
    return -1;
}

/* In the place of the C library's. */
int fsync(int fd)
{
    (void)fd;
    return next_step();
}

int rename(const char *from, const char *to)
{
    if (next_step())
        return -1;
    return (int)syscall(SYS_renameat2, -100 /* AT_FDCWD */, from, -100, to, 0);
}

static int take_it(void *context, bool trial, char sentence[CONFIG_SENTENCE_SIZE])
{
    (void)context;
    (void)trial;
    (void)sentence;
    return 0;
}

static size_t none_online(void *context, char ids[CHANGE_UPLINKS_MAX][ID_SIZE_MAX])
{
    (void)context;
    (void)ids;
    return 0;
}

static void none_refused(void *context, char *why, size_t size)
{
    (void)context;
    (void)size;
    *why = '\0';
}

static void keep_it(void *context)
{
    (void)context;
}

static void do_not_note(void *context, const struct caller *caller, const char *what,
                        const char *words)
{
    (void)context;
    (void)caller;
    (void)what;
    (void)words;
}

static void *run_loop(void *loop)
{
    loop_run(loop);
    return NULL;
}

/* A gateway's life of which the change sees this much. */
struct life {
    char folder[64], path[96];
    struct loop *loop;
    struct change *change;
};

static void begin(struct life *life)
{
    static const struct change_host host = {.reload = take_it,
                                            .keep = keep_it,
                                            .online = none_online,
                                            .refused = none_refused,
                                            .note = do_not_note};

    assert_int_equal(loop_open(&life->loop), 0);
    assert_int_equal(change_open(&life->change, life->loop, life->path, life->folder, &host), 0);
    change_recover(life->change);
}

static void end(struct life *life)
{
    change_close(life->change);
    loop_close(life->loop);
}

/* Confirms the first change as well, where `confirmed` is not NULL: what is answered to that. */
static int apply(struct life *life, int *confirmed)
{
    static const struct caller caller = {.role = ROLE_OWNER, .account = "anna"};
    char base[HISTORY_REVISION_SIZE];
    struct config_answer answer;
    struct config_keeper keeper;
    pthread_t thread;

    history_revision(OLD, strlen(OLD), base);
    const struct config_wish wish = {.text = NEW,
                                     .size = strlen(NEW),
                                     .base = base,
                                     .comment = "",
                                     .words = "gateway",
                                     .caller = &caller,
                                     .confirm_ns = 60 * NS_PER_S};
    change_keeper(life->change, &keeper);
    change_resume(life->change);
    assert_int_equal(pthread_create(&thread, NULL, run_loop, life->loop), 0);
    keeper.apply(keeper.context, &wish, &answer);
    int error = answer.error;
    if (confirmed) {
        keeper.confirm(keeper.context, 1, true, &caller, &answer);
        *confirmed = answer.error;
    }
    loop_stop(life->loop);
    pthread_join(thread, NULL);
    return error;
}

static bool holds(const struct life *life, const char *text)
{
    char *data;
    size_t size;

    assert_int_equal(save_read(life->path, 1000, &data, &size), 0);
    bool same = size == strlen(text) && memcmp(data, text, size) == 0;
    free(data);
    return same;
}

static void remove_all(const struct life *life)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", life->folder);
    assert_int_equal(system(command), 0);
}

/* A life in which a change is applied while so many steps fail. */
static int apply_while(struct life *life, int at, int in_a_row, int *confirmed)
{
    strcpy(life->folder, "/tmp/sluice-change-XXXXXX");
    assert_non_null(mkdtemp(life->folder));
    snprintf(life->path, sizeof life->path, "%s/sluice.json", life->folder);
    failing = 0;
    assert_int_equal(save_file(life->path, OLD, strlen(OLD), 0640), 0);
    begin(life);
    step = 0;
    failing = at;
    failures = in_a_row;
    int error = apply(life, confirmed);
    failing = 0;
    return error;
}

static void fail_at(int at, int in_a_row)
{
    struct life life;
    int error = apply_while(&life, at, in_a_row, NULL);

    if (error == 0 && !holds(&life, NEW))
        fail_msg("step %d: it is said to be applied, and is not", at);
    end(&life);
    begin(&life); /* after a kill: nobody has confirmed it */
    if (!holds(&life, OLD))
        fail_msg("step %d, %d failures: what nobody confirmed is in force", at, in_a_row);
    end(&life);
    remove_all(&life);
}

static void what_nobody_confirmed_is_not_in_force_whatever_failed(void **state)
{
    (void)state;
    for (int at = 1; at <= STEPS; at++) {
        fail_at(at, 1);
        fail_at(at, STEPS);
    }
    fail_at(0, 0);
    assert_in_range(step, 5, STEPS);
}

/* Whether a change that was refused can be kept, since it is pending: then it was never on trial.
 */
static bool keeps_what_was_refused(int at, int in_a_row)
{
    struct life life;
    int confirmed, error = apply_while(&life, at, in_a_row, &confirmed);

    end(&life);
    remove_all(&life);
    return error && !confirmed;
}

static void what_could_not_be_written_cannot_be_kept(void **state)
{
    (void)state;
    for (int at = 1; at <= 15; at++) {
        for (int in_a_row = 1; in_a_row <= 8; in_a_row++)
            if (keeps_what_was_refused(at, in_a_row))
                fail_msg("steps %d to %d fail, and what was refused is kept", at,
                         at + in_a_row - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_confirmed_is_not_in_force_whatever_failed),
        cmocka_unit_test(what_could_not_be_written_cannot_be_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
