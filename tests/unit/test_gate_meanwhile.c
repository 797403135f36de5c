/* What becomes of one request while another one changes the accounts. */
// links: sluice_web
#include <dlfcn.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "unit/gate_rig.h"

#define BEN_OLD "ben has plain words"
#define BEN_NEW "{\"password\":\"ben has other words\"}"

/* What is done once, on the thread that is at it: a password was checked; the accounts are written.
 */
static void (*_Atomic once_checked)(void), (*_Atomic while_written)(void);

static void do_once(void (*_Atomic *what)(void))
{
    void (*wanted)(void) = atomic_exchange(what, NULL);

    if (wanted)
        wanted();
}

/* In the place of the libraries'. */
int argon2id_verify(const char *encoded, const void *password, size_t size);

int argon2id_verify(const char *encoded, const void *password, size_t size)
{
    int (*verify)(const char *, const void *, size_t) =
        (int (*)(const char *, const void *, size_t))dlsym(RTLD_NEXT, "argon2id_verify");
    int result = verify(encoded, password, size);

    do_once(&once_checked);
    return result;
}

int fsync(int fd)
{
    char link[32], path[256] = "";

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size > 0 && strstr(path, "/accounts.json"))
        do_once(&while_written);
    return (int)syscall(SYS_fsync, fd);
}

static struct rig_browser phone = {.address = RIG_HOME};
static int answered; /* the status of what the phone asked meanwhile; 0: there was no answer */

/* On any thread: nothing is asserted here. */
static void ask_meanwhile(const char *method, const char *path, const char *body)
{
    char request[2048], answer[4096] = "";

    snprintf(request, sizeof request,
             "%s %s HTTP/1.1\r\nHost: 192.168.7.1\r\nConnection: close\r\nCookie: %s\r\n"
             "X-Sluice-CSRF: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             method, path, phone.cookies, phone.csrf, strlen(body), body);
    struct pollfd client = {.fd = rig_connect(phone.address, request), .events = POLLIN};
    answered = 0;
    if (poll(&client, 1, RIG_DEADLINE_MS / 2) == 1 &&
        read(client.fd, answer, sizeof answer - 1) > 0)
        sscanf(answer, "HTTP/1.1 %d", &answered);
    close(client.fd);
}

static void give_ben_another_password(void)
{
    ask_meanwhile("PUT", "/api/v1/accounts/ben", BEN_NEW);
}

static void remove_ben(void)
{
    ask_meanwhile("DELETE", "/api/v1/accounts/ben", "");
}

static void look_at_the_session(void)
{
    ask_meanwhile("GET", "/api/v1/session", "");
}

static void make_ben(void)
{
    assert_int_equal(rig_ask(&phone, "PUT", "/api/v1/accounts/ben",
                             "{\"role\":\"operator\",\"password\":\"" BEN_OLD "\"}"),
                     200);
}

/* A login whose password was right when it was asked for, and is none any more. */
static void refuse_ben(void (*meanwhile)(void))
{
    struct rig_browser browser = {.address = "192.168.7.66"};

    atomic_store(&once_checked, meanwhile);
    assert_int_equal(rig_login(&browser, "ben", BEN_OLD), 401);
    assert_int_equal(answered, 200);
    assert_null(strstr(rig->answer, "Set-Cookie"));
    rig_pass(3600);
}

static void a_login_is_not_quicker_than_the_account_s_end(void **state)
{
    struct rig_browser browser = {.address = "192.168.7.66"};

    (void)state;
    phone.cookies[0] = '\0';
    rig_make_owner(&phone);
    make_ben();
    refuse_ben(give_ben_another_password);
    assert_int_equal(rig_ask(&phone, "DELETE", "/api/v1/accounts/ben", ""), 200);
    make_ben();
    refuse_ben(remove_ben);
    make_ben();
    assert_int_equal(rig_login(&browser, "ben", BEN_OLD), 200);
}

static void nobody_waits_for_the_disk_that_another_s_change_is_written_to(void **state)
{
    (void)state;
    phone.cookies[0] = '\0';
    rig_make_owner(&phone);
    atomic_store(&while_written, look_at_the_session);
    make_ben();
    assert_int_equal(answered, 200);
}

/* A stream that has nothing to tell before that time. */
static struct {
    int64_t from_ns;
    bool told;
} late;

static int64_t read_late(void *stream, char *out, size_t room)
{
    (void)stream;
    if (late.told || room < 4)
        return HTTP_STREAM_END;
    late.told = true;
    memcpy(out, "told", 4);
    return 4;
}

static bool has_begun(void *stream, const struct http_request *request, struct http_reply *reply)
{
    (void)stream;
    (void)request;
    if (clock_mono(&clock_system) < late.from_ns)
        return false;
    reply->status = 200;
    reply->type = "text/plain";
    reply->read = read_late;
    return true;
}

static void get_late(void *context, const struct route_request *request, struct http_reply *reply)
{
    (void)context;
    (void)request;
    reply->later = has_begun;
}

/* Asks for it, and has ben's account end meanwhile where `ends`. Whether anything was told. */
static bool tells_ben(bool ends)
{
    struct rig_browser ben = {.address = "192.168.7.21"};
    char request[1024], block[1024];
    ssize_t got = 1;

    make_ben();
    assert_int_equal(rig_login(&ben, "ben", BEN_OLD), 200);
    late.told = false;
    late.from_ns = clock_mono(&clock_system) + 2500 * NS_PER_MS; /* rights are known for 2 s */
    snprintf(request, sizeof request,
             "GET /api/v1/late HTTP/1.1\r\nHost: 192.168.7.1\r\nConnection: close\r\n"
             "Cookie: %s\r\n\r\n",
             ben.cookies);
    struct pollfd client = {.fd = rig_connect(ben.address, request), .events = POLLIN};
    if (ends)
        assert_int_equal(rig_ask(&phone, "DELETE", "/api/v1/accounts/ben", ""), 200);
    for (int waited_ms = 0; got > 0; waited_ms += 50) {
        assert_true(waited_ms < RIG_DEADLINE_MS);
        api_wake(rig->api);
        if (poll(&client, 1, 50) > 0)
            got = read(client.fd, block, sizeof block);
    }
    close(client.fd);
    return late.told;
}

static void what_was_waited_for_is_not_told_to_whoever_is_shut_out_by_then(void **state)
{
    static const struct route row = {"GET", "/api/v1/late", ROLE_VIEWER, get_late, 0};

    (void)state;
    assert_int_equal(api_mount(rig->api, &(struct routes){&row, 1, NULL}), 0);
    phone.cookies[0] = '\0';
    rig_make_owner(&phone);
    assert_true(tells_ben(false));
    assert_false(tells_ben(true));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_login_is_not_quicker_than_the_account_s_end),
        TEST(nobody_waits_for_the_disk_that_another_s_change_is_written_to),
        TEST(what_was_waited_for_is_not_told_to_whoever_is_shut_out_by_then),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
