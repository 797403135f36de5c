/* What is uploaded goes through a bounded queue into a bounded file. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "daemon/update_intake.h"
#include "daemon/update_store.h"

static void count_wake(void *context)
{
    ++*(unsigned *)context;
}

static unsigned char byte_at(size_t place)
{
    return (unsigned char)(place * 7 + place / 251);
}

/* Puts bytes until there is no room; returns how many. */
static size_t fill(struct intake *intake, size_t from)
{
    char part[997];

    for (size_t put = 0;; put += sizeof part) {
        for (size_t i = 0; i < sizeof part; i++)
            part[i] = (char)byte_at(from + put + i);
        int error = intake_put(intake, part, sizeof part);
        if (error == ERR_AGAIN)
            return put;
        assert_int_equal(error, 0);
    }
}

static void what_goes_in_comes_out_whole_and_in_order(void **state)
{
    struct intake *intake;
    unsigned wakes = 0;
    size_t in = 0, out = 0;
    char part[1234];
    long got;

    (void)state;
    assert_int_equal(intake_open(&intake, count_wake, &wakes), 0);
    for (unsigned round = 1; round <= 20; round++) {
        in += fill(intake, in);
        assert_int_equal(wakes, round - 1);
        while (out < in) {
            got = intake_get(intake, part, sizeof part);
            assert_true(got > 0);
            for (long i = 0; i < got; i++)
                assert_int_equal((unsigned char)part[i], byte_at(out + (size_t)i));
            out += (size_t)got;
        }
        assert_int_equal(wakes, round);
    }
    assert_true(in > 4000000);
    intake_end(intake, true);
    assert_int_equal(intake_get(intake, part, sizeof part), 0);
    intake_let_go(intake);
    intake_let_go(intake);
}

static void what_broke_off_is_not_taken_for_whole(void **state)
{
    struct intake *intake;
    unsigned wakes = 0;
    char part[16];

    (void)state;
    assert_int_equal(intake_open(&intake, count_wake, &wakes), 0);
    assert_int_equal(intake_put(intake, "half", 4), 0);
    intake_end(intake, false);
    intake_end(intake, true); /* what was said first counts */
    assert_int_equal(intake_get(intake, part, sizeof part), 4);
    assert_int_equal(intake_get(intake, part, sizeof part), ERR_CLOSED);
    intake_let_go(intake);
    intake_let_go(intake);
}

static void nothing_is_taken_that_is_refused(void **state)
{
    struct intake *intake;
    unsigned wakes = 0;
    char part[16];

    (void)state;
    assert_int_equal(intake_open(&intake, count_wake, &wakes), 0);
    fill(intake, 0);
    intake_refuse(intake);
    assert_int_equal(wakes, 1); /* whoever waited for room learns of it */
    assert_int_equal(intake_put(intake, "x", 1), ERR_CLOSED);
    assert_int_equal(intake_get(intake, part, sizeof part), ERR_CLOSED);
    intake_let_go(intake);
    intake_let_go(intake);
}

static void a_bundle_has_an_end(void **state)
{
    char folder[] = "/tmp/sluice-store-XXXXXX", block[1024] = "", update[64];
    struct update_store store;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(update_store_fits(folder, UPDATE_BYTES_MAX + 1), ERR_TOO_LARGE);
    assert_int_equal(update_store_open(&store, folder), 0);
    assert_int_equal(update_store_write(&store, block, sizeof block), 0);
    store.size = store.looked_at = UPDATE_BYTES_MAX - (int64_t)sizeof block;
    assert_int_equal(update_store_write(&store, block, sizeof block), 0);
    assert_int_equal(update_store_write(&store, block, 1), ERR_TOO_LARGE);
    assert_int_equal(update_store_finish(&store), 0);
    assert_int_equal(access(store.path, F_OK), 0);
    update_store_clear(folder);
    assert_int_equal(access(store.path, F_OK), -1);
    strcpy(update, folder);
    strcat(update, "/update");
    assert_int_equal(rmdir(update), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_whole_and_in_order),
        cmocka_unit_test(what_broke_off_is_not_taken_for_whole),
        cmocka_unit_test(nothing_is_taken_that_is_refused),
        cmocka_unit_test(a_bundle_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
