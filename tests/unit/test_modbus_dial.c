/* Connecting by name, with a resolver of the test's own: how many look-ups are under way at once,
 * and what becomes of those that nobody waits for. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "modbus/dial.h"

#define NAMES       (3 * DIAL_LOOK_UPS_MAX)
#define PATIENCE_NS (60 * NS_PER_S)

static atomic_int under_way, most, answered;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t may_answer = PTHREAD_COND_INITIALIZER;
static bool answers;

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* Stands before the C library's: names are looked up until the test lets them be answered, and are
 * all unknown. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    if (hints->ai_flags & AI_NUMERICHOST) {
        getaddrinfo_fn *real;

        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
        return real(name, service, hints, found);
    }
    int now = atomic_fetch_add(&under_way, 1) + 1, before = atomic_load(&most);

    while (now > before && !atomic_compare_exchange_weak(&most, &before, now))
        ;
    pthread_mutex_lock(&lock);
    while (!answers)
        pthread_cond_wait(&may_answer, &lock);
    pthread_mutex_unlock(&lock);
    atomic_fetch_sub(&under_way, 1);
    atomic_fetch_add(&answered, 1);
    return EAI_NONAME;
}

static void let_answer(bool they)
{
    pthread_mutex_lock(&lock);
    answers = they;
    pthread_cond_broadcast(&may_answer);
    pthread_mutex_unlock(&lock);
}

struct caller {
    struct modbus_host address;
    struct dial *dial;
    int result;
};

static struct loop *loop;
static struct dial_look_ups look_ups;
static struct caller callers[NAMES];
static int results;

static void dialled(void *context, int fd)
{
    struct caller *caller = context;

    caller->dial = NULL;
    caller->result = fd;
    results++;
    if (fd >= 0)
        close(fd);
    loop_stop(loop);
}

static void call(struct caller *caller, const char *name)
{
    *caller = (struct caller){.address.port = 1};
    strcpy(caller->address.name, name);
    caller->dial =
        dial_start(&look_ups, loop, &clock_system, &caller->address, NS_PER_S, dialled, caller);
    assert_non_null(caller->dial);
}

static void stop_loop(void *context)
{
    loop_stop(context);
}

/* Lets the loop do what is due now. */
static void turn(void)
{
    struct loop_timer *timer = loop_timer(loop, stop_loop, loop);

    loop_timer_set(loop, timer, clock_mono(&clock_system) + 2 * NS_PER_MS);
    assert_int_equal(loop_run(loop), 0);
    loop_timer_drop(loop, timer);
}

#define AWAIT(condition)                                                                           \
    for (int64_t until = clock_mono(&clock_system) + PATIENCE_NS; !(condition); turn())            \
    assert_true(clock_mono(&clock_system) < until)

static int set_up(void **state)
{
    (void)state;
    look_ups = (struct dial_look_ups){0};
    results = 0;
    most = answered = 0;
    let_answer(false);
    return loop_open(&loop);
}

static int tear_down(void **state)
{
    int64_t until_ns = clock_mono(&clock_system) + PATIENCE_NS;

    (void)state;
    dial_look_ups_close(&look_ups);
    loop_close(loop);
    let_answer(true);
    while (atomic_load(&under_way) > 0 && clock_mono(&clock_system) < until_ns)
        poll(NULL, 0, 2);
    return atomic_load(&under_way);
}

static void looks_up_so_many_names_at_once_and_the_others_behind_them(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++)
        call(&callers[i], "plc.local");
    AWAIT(under_way == DIAL_LOOK_UPS_MAX);
    turn();
    assert_int_equal(look_ups.count, DIAL_LOOK_UPS_MAX);
    assert_int_equal(results, 0);
    let_answer(true);
    AWAIT(results == NAMES);
    assert_int_equal(answered, NAMES);
    assert_int_equal(most, DIAL_LOOK_UPS_MAX);
    assert_int_equal(callers[NAMES - 1].result, ERR_NAME);
    assert_int_equal(look_ups.count, 0);
}

static void an_address_waits_for_no_name(void **state)
{
    struct caller address;

    (void)state;
    for (int i = 0; i < NAMES; i++)
        call(&callers[i], "plc.local");
    AWAIT(under_way == DIAL_LOOK_UPS_MAX);
    call(&address, "127.0.0.1");
    AWAIT(results == 1);
    assert_int_equal(address.result, ERR_REFUSED);
    for (int i = 0; i < NAMES; i++)
        dial_cancel(callers[i].dial);
}

static void a_look_up_that_was_given_up_counts_until_it_ends(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++)
        call(&callers[i], "plc.local");
    AWAIT(under_way == DIAL_LOOK_UPS_MAX);
    for (int i = 0; i < NAMES; i++)
        dial_cancel(callers[i].dial);
    assert_null(look_ups.queued);
    call(&callers[0], "plc.local");
    turn();
    assert_int_equal(under_way, DIAL_LOOK_UPS_MAX);
    let_answer(true);
    AWAIT(results == 1 && answered == DIAL_LOOK_UPS_MAX + 1);
    assert_int_equal(most, DIAL_LOOK_UPS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(looks_up_so_many_names_at_once_and_the_others_behind_them,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_waits_for_no_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_look_up_that_was_given_up_counts_until_it_ends, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
