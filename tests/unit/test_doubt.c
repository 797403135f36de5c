/* A device that says it is another model than its profile is for. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/doubt.h"

static void tells_only_where_another_profile_fits(void **state)
{
    static const struct {
        const char *profile, *model, *words, *told;
    } cases[] = {
        {"eastron-sdm630", "SDM630", "id.vendor=Eastron id.product_code=SDM120",
         "the profile eastron-sdm120 fits"},
        {"eastron-sdm120", "SDM120", "id.vendor=Eastron id.product_code=SDM120", NULL},
        {"eastron-sdm120", "SDM-120", "id.vendor=EASTRON id.product_code=sdm120-Modbus", NULL},
        {"eastron-sdm630", "SDM630", "id.vendor=Eastron id.product_code=SDM999X", NULL},
        {"eastron-sdm630", "SDM630", "id.vendor=Nobody id.product_code=Nothing", NULL},
        {"eastron-sdm630", "SDM630", "id.serial=4711", NULL},
        {"own-sdm120", "something", "id.vendor=Eastron id.product_code=SDM120",
         "the profile eastron-sdm120 fits"},
        {NULL, "SDM630", "id.vendor=Eastron id.product_code=SDM120", NULL},
        {"eastron-sdm630", "SDM630", "", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct site_device device = {
            .id = "d", .profile = cases[i].profile, .vendor = "Eastron", .model = cases[i].model};
        char text[DOUBT_SIZE];

        doubt_text(&device, cases[i].words, text);
        if (cases[i].told)
            assert_non_null(strstr(text, cases[i].told));
        else
            assert_string_equal(text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_only_where_another_profile_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
