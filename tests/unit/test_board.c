/* Which board this machine is: told by its image, by the environment, or by what it calls itself.
 */
// links: sluice_config
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "config/board.h"
#include "core/error.h"
#include "unit/tree.h"

struct tree {
    char root[32], own[64], known[64], compatible[64], dmi[64];
    struct board_places places;
};

static void put(const char *folder, const char *name, const char *bytes, size_t size)
{
    char path[PATH_MAX];
    FILE *file;

    mkdir(folder, 0700);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void put_board(const struct tree *tree, const char *folder, const char *id,
                      const char *detect)
{
    char path[PATH_MAX], text[1024];

    if (strcmp(folder, tree->own) == 0)
        snprintf(path, sizeof path, "%s", folder);
    else
        snprintf(path, sizeof path, "%s/%s", tree->known, folder);
    int size = snprintf(text, sizeof text,
                        "{\"id\":\"%s\",\"name\":\"The %s\",\"detect\":%s,\"serial\":[{\"label\":"
                        "\"RS485-1\",\"port\":\"/dev/ttyS1\",\"use\":\"field\",\"driver_enable\":"
                        "\"rts\",\"terminals\":\"A, B\"}]}",
                        id, id, detect);
    put(path, "board.json", text, (size_t)size);
}

static int set_up(void **state)
{
    static struct tree tree;

    strcpy(tree.root, "/tmp/sluice-board-XXXXXX");
    assert_non_null(mkdtemp(tree.root));
    snprintf(tree.own, sizeof tree.own, "%s/own", tree.root);
    snprintf(tree.known, sizeof tree.known, "%s/known", tree.root);
    snprintf(tree.compatible, sizeof tree.compatible, "%s/compatible", tree.root);
    snprintf(tree.dmi, sizeof tree.dmi, "%s/dmi", tree.root);
    tree.places =
        (struct board_places){"SLUICE_TEST_BOARD", tree.own, tree.known, tree.compatible, tree.dmi};
    mkdir(tree.known, 0700);
    put_board(&tree, "pi", "pi", "{\"compatible\":[\"maker,pi\",\"maker,pi-plus\"]}");
    put_board(&tree, "pc", "pc", "{\"dmi\":{\"sys_vendor\":\"Maker\",\"product_name\":\"Box 7\"}}");
    unsetenv("SLUICE_TEST_BOARD");
    *state = &tree;
    return 0;
}

static int tear_down(void **state)
{
    const struct tree *tree = *state;

    return tree_remove(tree->root);
}

static void a_machine_that_nobody_knows_is_no_board(void **state)
{
    const struct tree *tree = *state;
    struct board board;

    assert_int_equal(board_find(&tree->places, &board), ERR_NOT_FOUND);
    put(tree->root, "compatible", "maker,pi-mini\0maker,soc", 24);
    put(tree->dmi, "sys_vendor", "Maker\n", 6);
    put(tree->dmi, "product_name", "Box 70\n", 7);
    assert_int_equal(board_find(&tree->places, &board), ERR_NOT_FOUND);
}

static void a_board_is_known_by_its_device_tree(void **state)
{
    const struct tree *tree = *state;
    struct board board;

    put(tree->root, "compatible", "other,thing\0maker,pi-plus\0maker,soc", 35);
    assert_int_equal(board_find(&tree->places, &board), 0);
    assert_string_equal(board.id, "pi");
    assert_string_equal(board.name, "The pi");
    assert_non_null(strstr(board.folder, "/known/pi"));
}

static void a_computer_is_known_when_all_of_its_words_fit(void **state)
{
    const struct tree *tree = *state;
    struct board board;

    put(tree->dmi, "sys_vendor", "Maker\n", 6);
    assert_int_equal(board_find(&tree->places, &board), ERR_NOT_FOUND);
    put(tree->dmi, "product_name", "Box 7\n", 6);
    assert_int_equal(board_find(&tree->places, &board), 0);
    assert_string_equal(board.id, "pc");
}

static void what_the_image_says_goes_before_what_the_machine_says(void **state)
{
    const struct tree *tree = *state;
    struct board board;
    char folder[PATH_MAX];

    put(tree->root, "compatible", "maker,pi", 8);
    put_board(tree, tree->own, "own", "{}");
    assert_int_equal(board_find(&tree->places, &board), 0);
    assert_string_equal(board.id, "own");
    snprintf(folder, sizeof folder, "%s/pc", tree->known);
    setenv("SLUICE_TEST_BOARD", folder, 1);
    assert_int_equal(board_find(&tree->places, &board), 0);
    assert_string_equal(board.id, "pc");
    /* Who names a folder means that one and no other. */
    setenv("SLUICE_TEST_BOARD", "/nowhere", 1);
    assert_int_equal(board_find(&tree->places, &board), ERR_NOT_FOUND);
    unsetenv("SLUICE_TEST_BOARD");
}

static void ports_are_found_by_label(void **state)
{
    const struct tree *tree = *state;
    struct board board;
    char labels[64];

    put_board(tree, tree->own, "own", "{}");
    assert_int_equal(board_find(&tree->places, &board), 0);
    assert_int_equal(board.port_count, 1);
    const struct board_port *port = board_port(&board, "rs485-1");

    assert_non_null(port);
    assert_string_equal(port->port, "/dev/ttyS1");
    assert_string_equal(port->driver_enable, "rts");
    assert_string_equal(port->terminals, "A, B");
    assert_false(port->console);
    assert_null(board_port(&board, "RS485"));
    board_labels(&board, labels, sizeof labels);
    assert_string_equal(labels, "RS485-1");
    board_labels(&board, labels, 4); /* cut, and no more */
    assert_string_equal(labels, "RS4");
}

static void a_description_that_is_none_is_told_apart_from_no_description(void **state)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{\"id\":\"x\"}",
        "{\"id\":\"x\",\"name\":\"y\",\"serial\":{}}",
        "{\"id\":\"x\",\"name\":\"y\",\"serial\":[{\"label\":\"A\"}]}",
        "{\"id\":7,\"name\":\"y\",\"serial\":[]}",
        "{\"id\":\"a-name-that-is-much-too-long-to-be-a-board\",\"name\":\"y\",\"serial\":[]}",
        "{\"id\":\"x\",\"name\":\"y\",\"serial\":[]} more",
    };
    const struct tree *tree = *state;
    struct board board;

    put(tree->root, "compatible", "maker,pi", 8);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put(tree->own, "board.json", wrong[i], strlen(wrong[i]));
        if (board_find(&tree->places, &board) != ERR_INVALID)
            fail_msg("%s", wrong[i]);
        assert_string_equal(board.folder, tree->own);
    }
}

#define BOARD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOARD_TEST(a_machine_that_nobody_knows_is_no_board),
        BOARD_TEST(a_board_is_known_by_its_device_tree),
        BOARD_TEST(a_computer_is_known_when_all_of_its_words_fit),
        BOARD_TEST(what_the_image_says_goes_before_what_the_machine_says),
        BOARD_TEST(ports_are_found_by_label),
        BOARD_TEST(a_description_that_is_none_is_told_apart_from_no_description),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
