/* The JSON object that a request brings, and what is answered to one that is none. */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "web/body.h"

static int read_text(struct body *body, const char *text, struct http_reply *reply)
{
    struct http_request request = {.body = text, .size = strlen(text)};

    memset(reply, 0, sizeof *reply);
    return body_read(body, &request, reply);
}

static void what_is_no_object_is_answered_with_400(void **state)
{
    static const struct {
        const char *body, *words;
    } cases[] = {
        {"", "error"},
        {"[]", "a JSON object is expected"},
        {"3", "a JSON object is expected"},
        {"{\"a\":1", "line 1, column"},
        {"{\"a\":1,\n\"a\":2}", "line 2, column 1"},
        {"{\"a\":\"\\u0000\"}", "line 1, column"},
        {"{\"a\":\xff}", "line 1, column"},
    };
    struct http_reply reply;
    struct body body;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_not_equal(read_text(&body, cases[i].body, &reply), 0);
        assert_int_equal(reply.status, 400);
        if (!strstr(reply.body, cases[i].words))
            fail_msg("%s: %s", cases[i].body, reply.body);
        free(reply.body);
    }
}

static void keys_are_texts_numbers_or_objects(void **state)
{
    const char *text = "as it was";
    const struct json *object = NULL;
    int64_t number = 7;
    struct http_reply reply;
    struct body body;

    (void)state;
    assert_int_equal(
        read_text(&body, "{\"t\":\"x\",\"n\":9007199254740993,\"o\":{},\"z\":null}", &reply), 0);
    assert_int_equal(body_text(&body, "absent", &text, &reply), 0);
    assert_int_equal(body_text(&body, "z", &text, &reply), 0);
    assert_string_equal(text, "as it was");
    assert_int_equal(body_text(&body, "t", &text, &reply), 0);
    assert_string_equal(text, "x");
    assert_int_equal(body_integer(&body, "absent", &number, &reply), 0);
    assert_true(number == 7);
    assert_int_equal(body_integer(&body, "n", &number, &reply), 0);
    assert_true(number == INT64_C(9007199254740993));
    assert_int_equal(body_object(&body, "o", &object, &reply), 0);
    assert_non_null(object);
    assert_int_not_equal(body_text(&body, "n", &text, &reply), 0);
    assert_non_null(strstr(reply.body, "n: a text is expected"));
    free(reply.body);
    assert_int_not_equal(body_integer(&body, "t", &number, &reply), 0);
    assert_non_null(strstr(reply.body, "t: a whole number is expected"));
    free(reply.body);
    assert_int_not_equal(body_object(&body, "t", &object, &reply), 0);
    assert_int_equal(reply.status, 400);
    free(reply.body);
    body_close(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_object_is_answered_with_400),
        cmocka_unit_test(keys_are_texts_numbers_or_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
