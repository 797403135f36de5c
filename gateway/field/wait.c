#include "field/wait.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "core/error.h"

/* "For ever" does not fit a 32-bit time_t: it is waited for in pieces. */
#define LONGEST_NS (3600 * NS_PER_S)

int wait_readable(int fd, int stop_fd, const struct clock *clock, int64_t until_mono_ns)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = stop_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
        int64_t left = until_mono_ns - clock_mono(clock);
        struct timespec timeout = {0};
        int ready;

        if (left > LONGEST_NS)
            left = LONGEST_NS;
        if (left > 0) {
            timeout.tv_sec = (time_t)(left / NS_PER_S);
            timeout.tv_nsec = (long)(left % NS_PER_S);
        }
        ready = ppoll(fds, 2, &timeout, NULL);
        if (ready < 0 && errno != EINTR)
            return error_from_errno(errno);
        if (ready > 0 && fds[0].revents)
            return ERR_CLOSED;
        if (ready > 0 && fds[1].revents)
            return 1;
        if (ready >= 0 && left <= 0)
            return 0;
    }
}
