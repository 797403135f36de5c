/* What is kept of passwords, and the hashes below. */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "tls/digest.h"
#include "web/password.h"

static const char good[] = "three plain words";

static void a_password_fits_its_own_hash_only(void **state)
{
    char hash[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];

    (void)state;
    assert_int_equal(password_hash(good, hash), 0);
    assert_int_equal(password_hash(good, other), 0);
    assert_string_not_equal(hash, other);
    assert_null(strstr(hash, good));
    assert_memory_equal(hash, "$argon2id$v=19$m=7168,t=5,p=1$", 30);
    assert_true(password_fits(good, hash));
    assert_true(password_fits(good, other));
    assert_false(password_fits("three plain word", hash));
    assert_false(password_fits("", hash));
    assert_false(password_fits(good, "$argon2id$damaged"));
    assert_false(password_fits(good, ""));
}

/* Of many the shortest, in the processor's time, so that what else runs here does not count. */
static int64_t shortest_ns(const char *hash)
{
    int64_t shortest = INT64_MAX;

    for (int i = 0; i < 9; i++) {
        struct timespec begun, ended;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
        assert_false(password_fits("a wrong password", hash));
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
        int64_t took = (ended.tv_sec - begun.tv_sec) * NS_PER_S + ended.tv_nsec - begun.tv_nsec;
        shortest = took < shortest ? took : shortest;
    }
    return shortest;
}

static void an_account_that_does_not_exist_takes_as_long(void **state)
{
    char hash[PASSWORD_HASH_SIZE];

    (void)state;
    assert_int_equal(password_hash(good, hash), 0);
    int64_t known = shortest_ns(hash), unknown = shortest_ns(NULL);
    print_message("%lld us with a hash, %lld us without\n", (long long)known / 1000,
                  (long long)unknown / 1000);
    assert_true(unknown > known / 4 && unknown < known * 4);
}

static void what_anybody_would_try_is_refused(void **state)
{
    static const char *const bad[] = {"",           "short",       "nine,long",
                                      "123456789",  "1234567890",  "aaaaaaaaaaaaaaaa",
                                      "9876543210", "abcdefghijkl"};
    char long_one[PASSWORD_SIZE_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!password_refusal(bad[i]))
            fail_msg("%s", bad[i]);
    assert_null(password_refusal(good));
    assert_null(password_refusal("0123456780"));
    memset(long_one, 'x', sizeof long_one);
    long_one[1] = 'y';
    long_one[PASSWORD_SIZE_MAX + 1] = '\0';
    assert_non_null(password_refusal(long_one));
    long_one[PASSWORD_SIZE_MAX] = '\0';
    assert_null(password_refusal(long_one));
}

static void a_passphrase_and_a_salt_give_a_key(void **state)
{
    uint8_t salt[PASSWORD_SALT_SIZE] = {1}, other_salt[PASSWORD_SALT_SIZE] = {2};
    uint8_t key[PASSWORD_KEY_SIZE], same[PASSWORD_KEY_SIZE], other[PASSWORD_KEY_SIZE];

    (void)state;
    assert_int_equal(password_derive(good, salt, key), 0);
    assert_int_equal(password_derive(good, salt, same), 0);
    assert_int_equal(password_derive(good, other_salt, other), 0);
    assert_memory_equal(key, same, sizeof key);
    assert_memory_not_equal(key, other, sizeof key);
}

static void digests_are_those_of_the_standards(void **state)
{
    /* FIPS 180-4's example "abc", and RFC 4231, test case 2. */
    static const uint8_t abc[] = "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
                                 "\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad";
    static const uint8_t jefe[] =
        "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
        "\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43";
    uint8_t digest[DIGEST_SIZE];

    (void)state;
    assert_true(digest_make("abc", 3, digest));
    assert_memory_equal(digest, abc, DIGEST_SIZE);
    assert_true(digest_equal(digest, abc, DIGEST_SIZE));
    assert_true(digest_keyed("Jefe", 4, "what do ya want for nothing?", 28, digest));
    assert_memory_equal(digest, jefe, DIGEST_SIZE);
    assert_false(digest_equal(digest, abc, DIGEST_SIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_fits_its_own_hash_only),
        cmocka_unit_test(an_account_that_does_not_exist_takes_as_long),
        cmocka_unit_test(what_anybody_would_try_is_refused),
        cmocka_unit_test(a_passphrase_and_a_salt_give_a_key),
        cmocka_unit_test(digests_are_those_of_the_standards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
