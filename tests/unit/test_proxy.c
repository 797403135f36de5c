/* What an HTTP proxy may answer to CONNECT, and the file with its login. */
// links: sluice_tls
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "tls/proxy.h"
#include "unit/secret_file.h"

#define BEHIND "what the broker says"
#define DONE   "HTTP/1.1 200 OK\r\n\r\n"

struct answer {
    const char *bytes;
    size_t size;
    int error;
    const char *words;
};

#define ANSWER(bytes, error, words)                                                                \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, error, words                                                     \
    }

static const struct answer answers[] = {
    ANSWER(DONE, 0, ""),
    ANSWER("HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n", 0, ""),
    ANSWER("HTTP/1.1 204\r\n\r\n", 0, ""),
    ANSWER("HTTP/1.1 200 OK\n\n", 0, ""),
    ANSWER("HTTP/1.1 200 OK\nVia: x\r\n\n", 0, ""),
    ANSWER("HTTP/1.1 200 OK\r\nX: \0y\r\n\r\n", 0, ""),
    ANSWER("HTTP/1.1 100 Continue\r\n\r\n" DONE, 0, ""),
    ANSWER("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\n\n" DONE, 0, ""),
    ANSWER("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n\r\n", ERR_UNREACHABLE, "let"),
    ANSWER("HTTP/1.1 101 Switching\r\n\r\n", ERR_UNREACHABLE, "answers 101 to CONNECT"),
    ANSWER("HTTP/1.1 407 No\r\n\r\n", ERR_REFUSED, "refuses the login"),
    ANSWER("HTTP/1.1 502 Bad\r\n\r\n", ERR_UNREACHABLE, "it answers 502"),
    ANSWER("HTTP/1.1 2000 OK\r\n\r\n", ERR_UNREACHABLE, "is no HTTP proxy"),
    ANSWER("HTTP/1.1 20\r\n\r\n", ERR_UNREACHABLE, "is no HTTP proxy"),
    ANSWER("HTTP/1.1 -20\r\n\r\n", ERR_UNREACHABLE, "is no HTTP proxy"),
    ANSWER("SSH-2.0-x\r\n\r\n", ERR_UNREACHABLE, "is no HTTP proxy"),
    ANSWER("\r\n", ERR_UNREACHABLE, "is no HTTP proxy"),
};

static struct proxy *opened(void)
{
    const struct proxy_way way = {"broker", 8883, "proxy", 3128, "plant7:x"};
    struct proxy *proxy;

    assert_int_equal(proxy_open(&proxy, &way), 0);
    return proxy;
}

/* Sends it in pieces, each of which is asked for before the next one. */
static int told(const char *bytes, size_t size, size_t piece, char *sentence, char *behind)
{
    struct proxy *proxy = opened();
    int rc, ends[2];
    ssize_t got;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    rc = proxy_step(proxy, ends[0], sentence, 320);
    for (size_t at = 0; at < size && rc == ERR_AGAIN; at += piece) {
        size_t some = size - at < piece ? size - at : piece;

        assert_int_equal(write(ends[1], bytes + at, some), some);
        rc = proxy_step(proxy, ends[0], sentence, 320);
    }
    shutdown(ends[1], SHUT_WR);
    if (rc == ERR_AGAIN)
        rc = proxy_step(proxy, ends[0], sentence, 320);
    got = read(ends[0], behind, 100);
    behind[got > 0 ? got : 0] = '\0';
    proxy_close(proxy);
    close(ends[0]);
    close(ends[1]);
    return rc;
}

static void judges_what_a_proxy_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct answer *answer = &answers[i];

        for (size_t piece = 1; piece < 200; piece += 7) {
            char sentence[320] = "", behind[101];
            int rc = told(answer->bytes, answer->size, piece, sentence, behind);

            assert_int_equal(rc, answer->error);
            assert_non_null(strstr(sentence, answer->words));
        }
    }
}

static void leaves_what_is_behind_the_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char sentence[320] = "", behind[101], bytes[300];

        if (answers[i].error != 0)
            continue;
        memcpy(bytes, answers[i].bytes, answers[i].size);
        memcpy(bytes + answers[i].size, BEHIND, sizeof BEHIND);
        assert_int_equal(
            told(bytes, answers[i].size + strlen(BEHIND), sizeof bytes, sentence, behind), 0);
        assert_string_equal(behind, BEHIND);
    }
}

/* Of one head, and of many that only say that an answer will come. */
static void gives_up_an_answer_without_end(void **state)
{
    static const char first[] = "HTTP/1.1 200 OK\r\nX: ",
                      interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    static char bytes[20000];
    char sentence[320] = "", behind[101];

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, first, sizeof first - 1);
    assert_int_equal(told(bytes, sizeof bytes, 1000, sentence, behind), ERR_UNREACHABLE);
    assert_non_null(strstr(sentence, "a head of more than 8192 bytes"));
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = interim[i % (sizeof interim - 1)];
    assert_int_equal(told(bytes, sizeof bytes, 1000, sentence, behind), ERR_UNREACHABLE);
    assert_non_null(strstr(sentence, "a head of more than 8192 bytes"));
    assert_int_equal(told(first, sizeof first - 1, 1000, sentence, behind), ERR_CLOSED);
    assert_non_null(strstr(sentence, "ended the connection without an answer"));
}

static void reads_a_login_or_says_why_not(void **state)
{
    static const char *const ends[] = {"", "\n", "\r\n", "\nsecond: line\n"};
    char login[SECRET_SIZE], sentence[320];

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (size_t size = 2; size <= 4096; size += 2047) {
            secret_write(size, ':', ends[i]);
            assert_int_equal(proxy_login(secret_path, login, sentence, sizeof sentence), 0);
            assert_int_equal(strlen(login), size);
        }
        for (size_t size = 4097; size < 4101; size++) {
            secret_write(size, ':', ends[i]);
            assert_int_equal(proxy_login(secret_path, login, sentence, sizeof sentence),
                             ERR_INVALID);
            assert_non_null(strstr(sentence, "longer than the 4096 bytes"));
            assert_non_null(strstr(sentence, secret_path));
            assert_null(strstr(sentence, "a:c"));
        }
        secret_write(1, ':', ends[i]);
        assert_int_equal(proxy_login(secret_path, login, sentence, sizeof sentence), ERR_INVALID);
        assert_non_null(strstr(sentence, "write USER:PASSWORD into it"));
    }
    secret_write(0, ':', "\nu:p\n");
    assert_int_equal(proxy_login(secret_path, login, sentence, sizeof sentence), ERR_INVALID);
    secret_write(0, ':', "");
    assert_int_equal(proxy_login(secret_path, login, sentence, sizeof sentence), ERR_NOT_FOUND);
    assert_non_null(strstr(sentence, "it is empty"));
    assert_int_equal(proxy_login("/nowhere", login, sentence, sizeof sentence), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_what_a_proxy_answers),
        cmocka_unit_test(leaves_what_is_behind_the_answer),
        cmocka_unit_test(gives_up_an_answer_without_end),
        cmocka_unit_test(reads_a_login_or_says_why_not),
    };

    return cmocka_run_group_tests(tests, secret_make, secret_remove);
}
