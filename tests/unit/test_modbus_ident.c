/* Device identification: what is asked, what is taken from replies, and how far a device is asked.
 */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "modbus/identify.h"

static void asks_for_a_level_from_an_object_on(void **state)
{
    static const uint8_t expected[] = {43, 14, 2, 5};
    uint8_t pdu[PDU_SIZE_MAX];
    struct ident_question question;
    struct modbus_request request = ident_request(&question, 7, IDENT_REGULAR, 5, 1000);

    (void)state;
    assert_int_equal(request.unit, 7);
    assert_int_equal(request.timeout_ns, 1000);
    assert_int_equal(pdu_encode(&request, pdu), sizeof expected);
    assert_memory_equal(pdu, expected, sizeof expected);
}

static const uint8_t acme[] = {14,  1, 0x81, 0,   0,   3,   0, 4, 'A', 'c', 'm',
                               'e', 1, 3,    'X', '-', '1', 2, 2, '1', '0'};

static void takes_the_texts(void **state)
{
    struct ident ident = {0};

    (void)state;
    assert_int_equal(ident_take(&ident, 0, acme, sizeof acme), 0);
    assert_string_equal(ident.texts[IDENT_VENDOR], "Acme");
    assert_string_equal(ident.texts[IDENT_PRODUCT_CODE], "X-1");
    assert_string_equal(ident.texts[IDENT_REVISION], "10");
    assert_string_equal(ident.texts[IDENT_MODEL], "");
    assert_int_equal(ident.conformity, 0x81);
    assert_true(ident_known(&ident));
}

static void cleans_texts_that_are_padded_or_no_text(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t size;
        const char *text;
    } cases[] = {
        {"Acme", 4, "Acme"},      {"  Acme  ", 8, "Acme"},
        {"Acme\0\0", 6, "Acme"},  {"Acme\xFF\xFF", 6, "Acme"},
        {"A\x1B\"e", 4, "A?\"e"}, {"\xE4h", 2, "?h"},
        {"   ", 3, ""},           {"", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t data[16] = {14, 1, 1, 0, 0, 1, 0, (uint8_t)cases[i].size};
        struct ident ident = {0};

        memcpy(data + 8, cases[i].bytes, cases[i].size);
        assert_int_equal(ident_take(&ident, 0, data, 8 + cases[i].size), 0);
        assert_string_equal(ident.texts[IDENT_VENDOR], cases[i].text);
    }
}

static void cuts_a_text_that_is_too_long(void **state)
{
    uint8_t data[8 + 200] = {14, 1, 1, 0, 0, 1, 0, 200};
    struct ident ident = {0};

    (void)state;
    memset(data + 8, 'x', 200);
    assert_int_equal(ident_take(&ident, 0, data, sizeof data), 0);
    assert_int_equal(strlen(ident.texts[IDENT_VENDOR]), IDENT_TEXT_SIZE - 1);
}

static void goes_on_only_forward(void **state)
{
    static const struct {
        uint8_t object, more, next;
        int then;
    } cases[] = {
        {0, 0xFF, 2, 2}, {0, 0, 2, 0},    {2, 0xFF, 2, 0},    {2, 0xFF, 1, 0},
        {0, 1, 2, 0},    {4, 0xFF, 6, 6}, {4, 0xFF, 0x80, 0}, {0, 0xFF, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t data[] = {14, 2, 2, cases[i].more, cases[i].next, 1, cases[i].object, 1, 'x'};
        struct ident ident = {0};

        assert_int_equal(ident_take(&ident, cases[i].object, data, sizeof data), cases[i].then);
    }
}

static void refuses_what_is_no_identification(void **state)
{
    static const uint8_t other_type[] = {13, 1, 1, 0, 0, 0};
    struct ident ident = {0};

    (void)state;
    assert_int_equal(ident_take(&ident, 0, other_type, sizeof other_type), ERR_PROTOCOL);
    for (size_t size = 0; size < sizeof acme; size++)
        assert_int_equal(ident_take(&ident, 0, acme, size), ERR_PROTOCOL);
    assert_false(ident_known(&ident));
}

/* A link whose device answers by a script. */
struct scripted {
    struct link base; /* first */
    const struct step {
        uint8_t level, object; /* that it expects to be asked for */
        int result;
        const char *data;
        size_t size;
    } * steps;
    size_t at;
};

static int transact(struct link *base, const struct modbus_request *request,
                    struct link_reply *reply)
{
    struct scripted *scripted = (struct scripted *)base;
    const struct step *step = &scripted->steps[scripted->at++];

    assert_int_equal(request->data[1], step->level);
    assert_int_equal(request->data[2], step->object);
    *reply = (struct link_reply){.data = (const uint8_t *)step->data, .size = step->size};
    return step->result;
}

static int ask(const struct step *steps, size_t *asked, struct ident *ident)
{
    static const struct link_ops ops = {.transact = transact};
    struct scripted scripted = {.base = {.ops = &ops}, .steps = steps};
    int result = identify(&scripted.base, 1, 1000, ident);

    *asked = scripted.at;
    return result;
}

#define REPLY(text) 0, text, sizeof text - 1

static void asks_in_parts_as_the_device_wants(void **state)
{
    static const struct step steps[] = {
        {2, 0,
         REPLY("\x0E\x02\x02\xFF\x04\x01\x00\x04"
               "Acme")},
        {2, 4,
         REPLY("\x0E\x02\x02\x00\x00\x01\x05\x02"
               "B7")},
    };
    struct ident ident;
    size_t asked;

    (void)state;
    assert_int_equal(ask(steps, &asked, &ident), 0);
    assert_int_equal(asked, 2);
    assert_string_equal(ident.texts[IDENT_VENDOR], "Acme");
    assert_string_equal(ident.texts[IDENT_MODEL], "B7");
}

static void asks_for_the_basic_objects_where_the_regular_are_refused(void **state)
{
    static const struct step steps[] = {
        {2, 0, ERR_EXCEPTION, NULL, 0},
        {1, 0, REPLY("\x0E\x01\x01\x00\x00\x01\x00\x01X")},
    };
    struct ident ident;
    size_t asked;

    (void)state;
    assert_int_equal(ask(steps, &asked, &ident), 0);
    assert_int_equal(asked, 2);
    assert_string_equal(ident.texts[IDENT_VENDOR], "X");
}

static void says_when_a_device_has_none(void **state)
{
    static const struct step refusal[] = {{2, 0, ERR_EXCEPTION, NULL, 0},
                                          {1, 0, ERR_EXCEPTION, NULL, 0}};
    static const struct step silence[] = {{2, 0, ERR_TIMEOUT, NULL, 0}};
    static const struct step empty[] = {{2, 0, REPLY("\x0E\x02\x02\x00\x00\x00")},
                                        {1, 0, REPLY("\x0E\x01\x01\x00\x00\x00")}};
    struct ident ident;
    size_t asked;

    (void)state;
    assert_int_equal(ask(refusal, &asked, &ident), ERR_EXCEPTION);
    assert_int_equal(asked, 2);
    assert_int_equal(ask(silence, &asked, &ident), ERR_TIMEOUT);
    assert_int_equal(asked, 1);
    assert_int_equal(ask(empty, &asked, &ident), ERR_EXCEPTION);
}

/* What was said before a part failed is still worth telling. */
static void keeps_what_was_said_before_a_refusal(void **state)
{
    static const struct step steps[] = {
        {2, 0, REPLY("\x0E\x02\x02\xFF\x01\x01\x00\x01X")},
        {2, 1, ERR_EXCEPTION, NULL, 0},
    };
    struct ident ident;
    size_t asked;

    (void)state;
    assert_int_equal(ask(steps, &asked, &ident), 0);
    assert_string_equal(ident.texts[IDENT_VENDOR], "X");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_a_level_from_an_object_on),
        cmocka_unit_test(takes_the_texts),
        cmocka_unit_test(cleans_texts_that_are_padded_or_no_text),
        cmocka_unit_test(cuts_a_text_that_is_too_long),
        cmocka_unit_test(goes_on_only_forward),
        cmocka_unit_test(refuses_what_is_no_identification),
        cmocka_unit_test(asks_in_parts_as_the_device_wants),
        cmocka_unit_test(asks_for_the_basic_objects_where_the_regular_are_refused),
        cmocka_unit_test(says_when_a_device_has_none),
        cmocka_unit_test(keeps_what_was_said_before_a_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
