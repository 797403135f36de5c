/* What is left of the Modbus TCP engine when its thread has ended by itself. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>

#include "unit/tcp_rig.h"

/* The epoll set that the engine has opened: the only one of this process. */
static int epoll_of_the_engine(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    int found = -1;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        char path[300], target[64] = "";

        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        if (readlink(path, target, sizeof target - 1) > 0 &&
            strcmp(target, "anon_inode:[eventpoll]") == 0)
            found = atoi(entry->d_name);
    }
    closedir(folder);
    assert_true(found >= 0);
    return found;
}

static void those_who_join_or_leave_a_dead_engine_do_not_wait_for_it(void **state)
{
    const struct driver_engine_ops *ops = driver_modbus_tcp.engine;
    static struct rig_bus member, other;
    struct driver_engine *engine = rig_engine();
    int epoll = epoll_of_the_engine(), null, error = 0;

    (void)state;
    rig_bus(&member, 1); /* where nobody listens */
    rig_device(&member, 7, 3, NS_PER_S);
    rig_join(&member, engine);
    rig_bus(&other, 1);
    rig_device(&other, 8, 3, NS_PER_S);
    rig_ready(&other);
    /* The thread ends with an error as soon as it wants to wait again. */
    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(dup2(null, epoll), epoll);
    while ((error = ops->join(engine, &other.bus, &other.host)) == 0)
        ops->leave(engine, &other.host);
    assert_true(error < 0);
    ops->wake(engine);
    rig_leave(&member, engine);
    ops->close(engine);
    sink_close(other.host.sink);
    close(null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_who_join_or_leave_a_dead_engine_do_not_wait_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
