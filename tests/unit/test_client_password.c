/* The password file as it is read for each connection: tokens are long, and nothing is cut. */
// links: sluice_uplink
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "uplink/client.h"

static char path[] = "/tmp/sluice-password-XXXXXX";

static void write_line(int length, const char *end)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (int i = 0; i < length; i++)
        fputc('a' + i % 26, file);
    fputs(end, file);
    assert_int_equal(fclose(file), 0);
}

static void reads_the_first_line_or_says_why_not(void **state)
{
    static const char *const ends[] = {"", "\n", "\r\n", "\nsecond line\n"};
    static const int lengths[] = {1, 1023, 1024, 4095, 4096};
    char password[CLIENT_PASSWORD_SIZE_MAX], sentence[300];

    (void)state;
    for (size_t end = 0; end < sizeof ends / sizeof ends[0]; end++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            write_line(lengths[i], ends[end]);
            assert_int_equal(client_password(path, password, sentence, sizeof sentence), 0);
            assert_int_equal(strlen(password), lengths[i]);
        }
        for (int length = 4097; length < 4101; length++) {
            write_line(length, ends[end]);
            assert_int_equal(client_password(path, password, sentence, sizeof sentence),
                             ERR_TOO_LARGE);
            assert_non_null(strstr(sentence, "longer than the 4096 bytes"));
            assert_null(strstr(sentence, "abcdef"));
        }
    }
    write_line(0, "");
    assert_int_equal(client_password(path, password, sentence, sizeof sentence), ERR_NOT_FOUND);
    assert_non_null(strstr(sentence, "it is empty"));
    assert_int_equal(client_password("/nowhere", password, sentence, sizeof sentence),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(sentence, "No such file"));
}

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_the_first_line_or_says_why_not)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
