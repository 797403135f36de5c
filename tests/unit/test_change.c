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
#include <time.h>
#include <unistd.h>

#include "config/history.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/save.h"
#include "daemon/change.h"

#define OLD   "{\"version\":1}\n"
#define NEW   "{\"version\":1,\"gateway\":{\"id\":\"new\"}}\n"
#define STEPS 40 /* more than an apply has */

#define CONFIRM_S 60

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

static atomic_int skipped_s; /* by the monotonic clock */

int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, id, now);

    if (id == CLOCK_MONOTONIC)
        now->tv_sec += skipped_s;
    return result;
}

static const char too_large[] = "bus hall is too large";

/* What the gateway makes of a file that is applied. */
static struct {
    int refusals; /* so many times it does not take it, */
    int failures; /* and so many steps fail then */
    int asked, trials;
} gateway;

static int take_it(void *context, bool trial, char sentence[CONFIG_SENTENCE_SIZE])
{
    (void)context;
    gateway.asked++;
    gateway.trials += trial;
    if (gateway.refusals == 0)
        return 0;
    gateway.refusals--;
    failing = step + 1;
    failures = gateway.failures;
    snprintf(sentence, CONFIG_SENTENCE_SIZE, "%s", too_large);
    return ERR_CONFIG;
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

static const struct caller caller = {.role = ROLE_OWNER, .account = "anna"};

/* A gateway's life of which the change sees this much. */
struct life {
    char folder[64], path[96];
    struct loop *loop;
    struct change *change;
    struct config_keeper keeper;
    pthread_t thread;
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
    gateway.asked = gateway.trials = 0;
}

static void end(struct life *life)
{
    change_close(life->change);
    loop_close(life->loop);
}

static void run(struct life *life)
{
    change_keeper(life->change, &life->keeper);
    change_resume(life->change);
    assert_int_equal(pthread_create(&life->thread, NULL, run_loop, life->loop), 0);
}

static void halt(struct life *life)
{
    loop_stop(life->loop);
    pthread_join(life->thread, NULL);
}

static int apply(struct life *life)
{
    char base[HISTORY_REVISION_SIZE];
    struct config_answer answer;

    history_revision(OLD, strlen(OLD), base);
    const struct config_wish wish = {.text = NEW,
                                     .size = strlen(NEW),
                                     .base = base,
                                     .comment = "",
                                     .words = "gateway",
                                     .caller = &caller,
                                     .confirm_ns = CONFIRM_S * NS_PER_S};
    life->keeper.apply(life->keeper.context, &wish, &answer);
    return answer.error;
}

static int confirm(struct life *life, uint64_t change)
{
    struct config_answer answer;

    life->keeper.confirm(life->keeper.context, change, true, &caller, &answer);
    return answer.error;
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

static void make(struct life *life)
{
    strcpy(life->folder, "/tmp/sluice-change-XXXXXX");
    assert_non_null(mkdtemp(life->folder));
    snprintf(life->path, sizeof life->path, "%s/sluice.json", life->folder);
    failing = 0;
    assert_int_equal(save_file(life->path, OLD, strlen(OLD), 0640), 0);
}

/* A life in which a change is applied while so many steps fail; it is confirmed as well, where
 * `confirmed` is not NULL: what is answered to that. */
static int apply_while(struct life *life, int at, int in_a_row, int *confirmed)
{
    make(life);
    begin(life);
    step = 0;
    failing = at;
    failures = in_a_row;
    run(life);
    int error = apply(life);
    if (confirmed)
        *confirmed = confirm(life, 1);
    halt(life);
    failing = 0;
    return error;
}

/* The newest change of the history is in that state, for that reason. */
static void assert_history(const struct life *life, enum history_state state, const char *why)
{
    struct history_entry *entries;
    char folder[96];
    size_t count;

    snprintf(folder, sizeof folder, "%s/config", life->folder);
    assert_int_equal(history_list(folder, &entries, &count), 0);
    assert_true(count > 0);
    assert_int_equal(entries[0].state, state);
    assert_string_equal(entries[0].why, why);
    free(entries);
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

static void what_the_gateway_does_not_take_goes_back_at_once(void **state)
{
    struct life life;
    int confirmed;

    (void)state;
    gateway.refusals = 1;
    gateway.failures = 0;
    assert_int_equal(apply_while(&life, 0, 0, &confirmed), ERR_CONFIG);
    assert_int_equal(confirmed, ERR_NOT_FOUND);
    assert_int_equal(gateway.asked, 2);  /* once more, for the file before it, */
    assert_int_equal(gateway.trials, 1); /* which is there to stay */
    assert_true(holds(&life, OLD));
    assert_history(&life, HISTORY_REVERTED, too_large);
    end(&life);
    remove_all(&life);
}

/* It was never on trial. */
static void what_the_gateway_does_not_take_is_not_kept_where_it_cannot_go_back(void **state)
{
    struct life life;
    int confirmed;

    (void)state;
    gateway.refusals = 1;
    gateway.failures = 2; /* the move of the old file, and the writing of its text */
    assert_int_equal(apply_while(&life, 0, 0, &confirmed), ERR_CONFIG);
    assert_int_equal(confirmed, ERR_NOT_FOUND);
    end(&life);
    begin(&life);
    assert_true(holds(&life, OLD));
    end(&life);
    remove_all(&life);
}

/* Whether the change waits, when so many seconds have passed since it was applied. */
static bool waits_after(struct life *life, int seconds)
{
    struct config_now now;

    skipped_s = seconds;
    /* Behind the second one the loop has looked at its timers. */
    for (int i = 0; i < 2; i++)
        assert_int_equal(confirm(life, 99), ERR_NOT_FOUND);
    life->keeper.now(life->keeper.context, &now);
    return now.pending;
}

static void what_nobody_confirms_goes_back_when_its_time_is_over(void **state)
{
    struct life life;

    (void)state;
    make(&life);
    begin(&life);
    run(&life);
    assert_int_equal(apply(&life), 0);
    assert_true(waits_after(&life, CONFIRM_S - 30));
    assert_true(holds(&life, NEW));
    assert_false(waits_after(&life, CONFIRM_S + 1));
    assert_true(holds(&life, OLD));
    halt(&life);
    skipped_s = 0;
    end(&life);
    remove_all(&life);
}

/* A start that finds an entry which waits, and no note: what it makes of that. */
static void settle(const char *text, enum history_state expected, const char *why)
{
    struct history_entry entry = {.change = 7, .state = HISTORY_PENDING, .by = "anna"};
    struct life life;
    char folder[96];

    make(&life);
    snprintf(folder, sizeof folder, "%s/config", life.folder);
    history_revision(text, strlen(text), entry.revision);
    assert_int_equal(history_put(folder, &entry, text), 0);
    begin(&life);
    assert_true(holds(&life, OLD));
    assert_history(&life, expected, why);
    end(&life);
    remove_all(&life);
}

static void what_the_file_is_tells_what_became_of_a_change_without_a_note(void **state)
{
    (void)state;
    settle(OLD, HISTORY_CONFIRMED, "");
    settle(NEW, HISTORY_REVERTED, "the file was another at the next start");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_gateway_does_not_take_goes_back_at_once),
        cmocka_unit_test(what_the_gateway_does_not_take_is_not_kept_where_it_cannot_go_back),
        cmocka_unit_test(what_nobody_confirms_goes_back_when_its_time_is_over),
        cmocka_unit_test(what_the_file_is_tells_what_became_of_a_change_without_a_note),
        cmocka_unit_test(what_nobody_confirmed_is_not_in_force_whatever_failed),
        cmocka_unit_test(what_could_not_be_written_cannot_be_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
