/* The password file as it is read for each connection: tokens are long, and nothing is cut. */
// links: sluice_uplink
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "core/error.h"
#include "unit/secret_file.h"
#include "uplink/client.h"

static void reads_the_first_line_or_says_why_not(void **state)
{
    static const char *const ends[] = {"", "\n", "\r\n", "\nsecond line\n"};
    static const size_t lengths[] = {1, 1023, 1024, 4095, 4096};
    char password[SECRET_SIZE], sentence[300];

    (void)state;
    for (size_t end = 0; end < sizeof ends / sizeof ends[0]; end++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            secret_write(lengths[i], 'b', ends[end]);
            assert_int_equal(client_password(secret_path, password, sentence, sizeof sentence), 0);
            assert_int_equal(strlen(password), lengths[i]);
        }
        for (size_t length = 4097; length < 4101; length++) {
            secret_write(length, 'b', ends[end]);
            assert_int_equal(client_password(secret_path, password, sentence, sizeof sentence),
                             ERR_INVALID);
            assert_non_null(strstr(sentence, "longer than the 4096 bytes"));
            assert_non_null(strstr(sentence, "\"password_file\""));
            assert_null(strstr(sentence, "abcdef"));
        }
    }
    secret_write(0, 'b', "");
    assert_int_equal(client_password(secret_path, password, sentence, sizeof sentence),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(sentence, "it is empty"));
    assert_int_equal(client_password("/nowhere", password, sentence, sizeof sentence),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(sentence, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_the_first_line_or_says_why_not)};

    return cmocka_run_group_tests(tests, secret_make, secret_remove);
}
