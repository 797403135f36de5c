/* The other end of a loopback connection, with and without what /proc says. */
// links: sluice_tls
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "tls/peer.h"

struct pair {
    int listener, client, server;
};

static void connect_pair(struct pair *pair)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    pair->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(pair->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(pair->listener, 1), 0);
    assert_int_equal(getsockname(pair->listener, (struct sockaddr *)&address, &size), 0);
    pair->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(pair->client, (struct sockaddr *)&address, size), 0);
    pair->server = accept4(pair->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(pair->server >= 0);
}

static void close_pair(const struct pair *pair)
{
    close(pair->listener);
    close(pair->client);
    close(pair->server);
}

static void finds_its_own_other_end(void **state)
{
    struct pair pair, other;

    (void)state;
    connect_pair(&other);
    connect_pair(&pair);
    assert_int_equal(peer_find(pair.server), pair.client);
    assert_int_equal(peer_find(other.server), other.client);
    close(pair.client);
    pair.client = -1;
    assert_int_equal(peer_find(pair.server), ERR_NOT_FOUND);
    close_pair(&other);
    close_pair(&pair);
}

/* Without a descriptor /proc/self/fd cannot be opened, as where it is not mounted. */
static void finds_it_without_proc(void **state)
{
    struct rlimit limit, none;
    struct pair pair;

    (void)state;
    connect_pair(&pair);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = (rlim_t)pair.server + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(dup(pair.client), -1);
    assert_int_equal(peer_find(pair.server), pair.client);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_its_own_other_end),
        cmocka_unit_test(finds_it_without_proc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
