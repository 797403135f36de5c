#include "modbus/tcp_window.h"

#define IGNORED_MAX 3
#define HUNG_UP_MAX 2

void tcp_window_init(struct tcp_window *window, unsigned in_flight, size_t units)
{
    *window = (struct tcp_window){.most = in_flight ? in_flight : 1};
    if (window->most > TCP_IN_FLIGHT_MAX)
        window->most = TCP_IN_FLIGHT_MAX;
    if (window->most > units)
        window->most = units > 0 ? (unsigned)units : 1;
}

unsigned tcp_window_size(const struct tcp_window *window, int64_t now_ns)
{
    return now_ns < window->alone_until_ns ? 1 : window->most;
}

void tcp_window_answered(struct tcp_window *window)
{
    window->ignored = 0;
    window->hung_up = 0;
}

static bool narrow(struct tcp_window *window, int64_t now_ns)
{
    tcp_window_answered(window);
    window->alone_until_ns = now_ns + TCP_WINDOW_AGAIN_NS;
    return true;
}

bool tcp_window_ignored(struct tcp_window *window, int64_t now_ns)
{
    return ++window->ignored >= IGNORED_MAX && narrow(window, now_ns);
}

bool tcp_window_hung_up(struct tcp_window *window, int64_t now_ns)
{
    return ++window->hung_up >= HUNG_UP_MAX && narrow(window, now_ns);
}
