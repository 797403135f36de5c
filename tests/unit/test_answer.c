/* What the daemon answered, and what a broken one may: numbers of any size become ones to count
 * with. */
// links: sluice_cli
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "cli/answer.h"

static const struct {
    const char *json;
    int64_t whole;
    uint64_t count;
    int64_t time;
} cases[] = {
    {"{}", 0, 0, 0},
    {"{\"n\":\"7\"}", 0, 0, 0},
    {"{\"n\":null}", 0, 0, 0},
    {"{\"n\":7.9}", 7, 7, 7000000},
    {"{\"n\":-7.9}", -7, 0, -7000000},
    {"{\"n\":1764272604123}", 1764272604123, 1764272604123, 1764272604123000000},
    {"{\"n\":4e12}", 4000000000000, 4000000000000, ANSWER_MOST},
    {"{\"n\":4e18}", ANSWER_MOST, ANSWER_MOST, ANSWER_MOST},
    {"{\"n\":9223372036854775808}", ANSWER_MOST, ANSWER_MOST, ANSWER_MOST},
    {"{\"n\":1e308}", ANSWER_MOST, ANSWER_MOST, ANSWER_MOST},
    {"{\"n\":1e999}", ANSWER_MOST, ANSWER_MOST, ANSWER_MOST},
    {"{\"n\":-4e18}", -ANSWER_MOST, 0, -ANSWER_MOST},
    {"{\"n\":-1e308}", -ANSWER_MOST, 0, -ANSWER_MOST},
};

static void bounds_every_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *object = cJSON_Parse(cases[i].json);

        assert_non_null(object);
        if (answer_whole(object, "n") != cases[i].whole ||
            answer_count(object, "n") != cases[i].count ||
            answer_time(object, "n") != cases[i].time)
            fail_msg("%s", cases[i].json);
        cJSON_Delete(object);
    }
}

static void has_nothing_of_what_is_no_object(void **state)
{
    cJSON *array = cJSON_Parse("[1]");

    (void)state;
    assert_string_equal(answer_text(NULL, "n"), "");
    assert_true(answer_number(NULL, "n") == 0 && answer_whole(array, "n") == 0);
    assert_false(answer_truth(array, "n"));
    cJSON_Delete(array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_every_number),
        cmocka_unit_test(has_nothing_of_what_is_no_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
