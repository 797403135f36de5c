/* Where a profile goes that a person has made, or compared with the device. */
// links: sluice_config
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/catalog.h"

static void shipped_profiles_are_left_alone(void **state)
{
    char own[] = "/tmp/sluice-confirm-XXXXXX", tree[] = "/tmp/sluice-confirm-XXXXXX",
         vocabulary[64];
    struct config_parts parts = {.profile_folders = {tree, own, "/usr/share/sluice/profiles"}};

    (void)state;
    assert_non_null(mkdtemp(own));
    assert_non_null(mkdtemp(tree));
    assert_ptr_equal(catalog_own_folder(&parts), tree);
    snprintf(vocabulary, sizeof vocabulary, "%s/vocabulary", tree);
    assert_int_equal(mkdir(vocabulary, 0700), 0);
    assert_ptr_equal(catalog_own_folder(&parts), own);
    parts.profile_folders[1] = NULL;
    assert_null(catalog_own_folder(&parts));
    rmdir(vocabulary);
    assert_null(catalog_own_folder(&(struct config_parts){.profile_folders = {tree}}));
    rmdir(tree);
    rmdir(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_profiles_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
