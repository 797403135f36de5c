/* Points that a device refuses: which are news, and what the status says of them. */
// links: driver_modbus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/status.h"
#include "modbus/about.h"
#include "modbus/learn.h"
#include "modbus/refusals.h"
#include "unit/modbus_plan_kit.h"

#define LAST 5 /* the register that the device does not have */

/* Reads what is due; what holds LAST is refused. Returns how many refusals were news. */
static unsigned live(struct fixture *fixture, int64_t now_ns, bool has_it)
{
    struct plan *plan = &fixture->plan;
    struct plan_block *block;
    unsigned news = 0;
    int64_t wake_ns;

    while ((block = plan_next(plan, now_ns, &wake_ns))) {
        bool refused = !has_it && block->address <= LAST && block->address + block->count > LAST;

        if (!refused) {
            news += refusals_over(plan, block);
            plan_done(plan, block, now_ns);
        } else if (!plan_split(plan, block, 2, now_ns)) {
            news += refusals_tell(plan, block, STATUS_ILLEGAL_ADDRESS);
        }
    }
    return news;
}

static const char *about(const struct fixture *fixture)
{
    static char json[ABOUT_SIZE_MAX];
    struct text text;

    text_init(&text, json, sizeof json);
    about_device(&fixture->plan, 0, &text);
    return json;
}

static void a_refusal_is_news_once_and_once_when_it_is_over(void **state)
{
    struct fixture fixture;

    (void)state;
    make(&fixture, "3@4+1/1000 3@5+1/1000 3@6+1/1000", 125, 10);
    fixture.points[1].id = "flow";
    fixture.options[1].reg = 40006;
    plan_start(&fixture.plan, MOMENT);
    assert_string_equal(about(&fixture), "");
    assert_int_equal(live(&fixture, MOMENT, false), 1);
    assert_non_null(strstr(about(&fixture),
                           "\"points\":[{\"id\":\"flow\",\"reg\":40006,\"function\":3,"
                           "\"why\":\"exception 2\",\"help\":\"the device has no such register\"}]"));
    for (int minutes = 1; minutes <= 5; minutes++)
        assert_int_equal(live(&fixture, MOMENT + minutes * 61 * NS_PER_S, false), 0);
    assert_int_equal(live(&fixture, MOMENT + 6 * 61 * NS_PER_S, true), 1);
    assert_null(strstr(about(&fixture), "flow"));
    plan_free(&fixture.plan);
}

static void one_of_an_earlier_life_is_told_again(void **state)
{
    char text[LEARN_TEXT_SIZE_MAX];
    struct fixture fixture;
    size_t size;

    (void)state;
    make(&fixture, "3@4+1/1000 3@5+1/1000 3@6+1/1000", 125, 10);
    plan_start(&fixture.plan, MOMENT);
    live(&fixture, MOMENT, false);
    size = learn_text(&fixture.plan, 0, text);
    plan_free(&fixture.plan);
    make(&fixture, "3@4+1/1000 3@5+1/1000 3@6+1/1000", 125, 10);
    assert_int_equal(learn_take(&fixture.plan, 0, text, size), 0);
    assert_non_null(strstr(about(&fixture), "\"why\":\"exception 2\""));
    plan_start(&fixture.plan, MOMENT);
    assert_int_equal(live(&fixture, MOMENT, false), 1);
    plan_free(&fixture.plan);
}

static void another_exception_is_news(void **state)
{
    struct fixture fixture;
    struct plan_block *block;
    int64_t wake_ns;

    (void)state;
    make(&fixture, "4@4+1/1000 4@5+1/1000", 125, 10);
    plan_start(&fixture.plan, MOMENT);
    block = plan_next(&fixture.plan, MOMENT, &wake_ns);
    assert_true(refusals_tell(&fixture.plan, block, STATUS_ILLEGAL_FUNCTION));
    assert_false(refusals_tell(&fixture.plan, block, STATUS_ILLEGAL_FUNCTION));
    assert_true(refusals_tell(&fixture.plan, block, STATUS_ILLEGAL_VALUE));
    assert_int_equal(fixture.plan.devices[0].refusing, 2);
    assert_true(refusals_over(&fixture.plan, block));
    assert_int_equal(fixture.plan.devices[0].refusing, 0);
    plan_free(&fixture.plan);
}

static void places_that_are_not_read_over_are_told_as_on_the_wire(void **state)
{
    static const char learnt[] = "learnt=1 key=%08x cut=3:5-6";
    char text[LEARN_TEXT_SIZE_MAX];
    struct fixture fixture;
    unsigned key;

    (void)state;
    make(&fixture, "3@4+1/1000 3@7+1/1000", 125, 10);
    text[learn_text(&fixture.plan, 0, text)] = '\0';
    assert_int_equal(sscanf(text, "learnt=1 key=%x", &key), 1);
    snprintf(text, sizeof text, learnt, key);
    assert_int_equal(learn_take(&fixture.plan, 0, text, strlen(text)), 0);
    assert_string_equal(about(&fixture), "\"gaps\":[{\"function\":3,\"first\":5,\"last\":6}]");
    plan_free(&fixture.plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_is_news_once_and_once_when_it_is_over),
        cmocka_unit_test(one_of_an_earlier_life_is_told_again),
        cmocka_unit_test(another_exception_is_news),
        cmocka_unit_test(places_that_are_not_read_over_are_told_as_on_the_wire),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
