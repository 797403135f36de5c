/* Which Host is ours, and where plain HTTP is sent. */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "web/hosts.h"
#include "web/redirect.h"

static const char *const names[] = {"plant7.example.com"};

static void addresses_and_own_names_are_ours(void **state)
{
    static const char *const ours[] = {
        "192.168.1.5", "192.168.1.5:8443", "[fe80::1]",          "[::1]:443",
        "localhost",   "LOCALHOST:1",      "plant7.example.com", "Plant7.Example.COM.:443",
        "127.0.0.1",
    };
    char host[HOSTS_NAME_SIZE] = "", local[HOSTS_NAME_SIZE + 8];

    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (!hosts_is_ours(ours[i], names, 1))
            fail_msg("%s is not ours", ours[i]);
    }
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    assert_true(hosts_is_ours(host, NULL, 0));
    snprintf(local, sizeof local, "%.*s.local", (int)strcspn(host, "."), host);
    assert_true(hosts_is_ours(local, NULL, 0));
}

static void names_of_others_and_nonsense_are_not(void **state)
{
    static const char *const others[] = {
        "",
        "evil.example",
        "plant7.example.com.evil.example",
        "192.168.1.5.evil.example",
        "fe80::1",
        "[fe80::1",
        "[fe80::zz]",
        "[localhost]",
        "localhost:port",
        "a b",
        "localhost:1:",
        "user@localhost",
        "localhost/x",
        "localhost\r\nX: y",
        ":443",
        "[]",
        "192.168.1.5:123456",
    };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (hosts_is_ours(others[i], names, 1))
            fail_msg("%s is ours", others[i]);
    }
    assert_false(hosts_is_ours(NULL, names, 1));
    assert_false(hosts_is_ours("plant7.example.com", names, 0));
}

struct redirect_case {
    const char *request, *answer; /* the answer's begin; "" while more is to come */
};

static void plain_http_is_sent_to_the_same_place(void **state)
{
    static const struct redirect_case cases[] = {
        {"GET /a?b=c HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n",
         "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://10.0.0.1:8443/a?b=c\r\n"},
        {"POST / HTTP/1.0\r\nX: y\r\nhost:\tlocalhost:8080\r\n\r\nbody",
         "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://localhost:8443/\r\n"},
        {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
         "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://[::1]:8443/\r\n"},
        {"GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n", ""},
        {"", ""},
        {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\r\nHost: 10.0.0.1\r\nHost: 10.0.0.2\r\n\r\n", "HTTP/1.1 400 "},
        {"GET //evil.example\tx HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", "HTTP/1.1 400 "},
        {"GET http://evil.example/ HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/2.0\r\nHost: 10.0.0.1\r\n\r\n", "HTTP/1.1 400 "},
        {"GET /\x7f HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", "HTTP/1.1 400 "},
        {"GET /\xc3\xa9 HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", "HTTP/1.1 400 "},
        {"\r\n\r\n", "HTTP/1.1 400 "},
        {"nonsense\r\n\r\n", "HTTP/1.1 400 "},
    };
    const struct redirect_target target = {8443, names, 1};
    char answer[REDIRECT_ANSWER_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *request = cases[i].request;

        memset(answer, 0, sizeof answer);
        size_t size = redirect_answer(request, strlen(request), &target, answer);
        assert_int_equal(size > 0, cases[i].answer[0] != '\0');
        if (strncmp(answer, cases[i].answer, strlen(cases[i].answer)) != 0)
            fail_msg("%s was answered by %s", request, answer);
    }
}

static void the_usual_port_is_not_said(void **state)
{
    const struct redirect_target target = {443, NULL, 0};
    const char *request = "GET /x HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n";
    char answer[REDIRECT_ANSWER_SIZE];

    (void)state;
    assert_true(redirect_answer(request, strlen(request), &target, answer) > 0);
    assert_non_null(strstr(answer, "Location: https://10.0.0.1/x\r\n"));
}

static void too_long_a_request_is_refused_and_a_long_one_fits(void **state)
{
    const struct redirect_target target = {443, NULL, 0};
    char request[REDIRECT_REQUEST_SIZE], answer[REDIRECT_ANSWER_SIZE];
    const char *end = " HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n";
    size_t end_size = strlen(end);

    (void)state;
    memset(request, 'a', sizeof request);
    memcpy(request, "GET /", 5);
    request[sizeof request - 1] = '\0';
    size_t size = redirect_answer(request, sizeof request - 1, &target, answer);
    assert_true(size > 0 && strncmp(answer, "HTTP/1.1 400 ", 13) == 0);
    memcpy(request + sizeof request - 1 - end_size, end, end_size);
    size = redirect_answer(request, sizeof request - 1, &target, answer);
    assert_true(size > 0 && size < sizeof answer && strncmp(answer, "HTTP/1.1 308 ", 13) == 0);
    assert_int_equal(size, strlen(answer));
    /* A zero among the bytes ends nothing but patience. */
    request[10] = '\0';
    size = redirect_answer(request, sizeof request - 1, &target, answer);
    assert_true(strncmp(answer, "HTTP/1.1 400 ", 13) == 0 && size > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_own_names_are_ours),
        cmocka_unit_test(names_of_others_and_nonsense_are_not),
        cmocka_unit_test(plain_http_is_sent_to_the_same_place),
        cmocka_unit_test(the_usual_port_is_not_said),
        cmocka_unit_test(too_long_a_request_is_refused_and_a_long_one_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
