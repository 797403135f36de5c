/* Whether a gateway notices that it is on another machine, and what is asked then. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "daemon/identity.h"

#define NOW_MS INT64_C(1795448300000)

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/sluice-identity-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static struct identity_facts facts(const char *machine, const char *board, const char *medium)
{
    struct identity_facts facts;

    memset(&facts, 0, sizeof facts);
    snprintf(facts.machine, sizeof facts.machine, "%s", machine);
    snprintf(facts.board, sizeof facts.board, "%s", board);
    snprintf(facts.medium, sizeof facts.medium, "%s", medium);
    return facts;
}

/* One start of the daemon; what is asked at its end. */
static enum identity_state start(const char *machine, const char *board, const char *medium,
                                 const char *id, char text[IDENTITY_TEXT_SIZE])
{
    struct identity_facts now = facts(machine, board, medium);
    struct identity *identity;
    struct identity_look look;

    assert_int_equal(identity_open(&identity, folder, &now, NOW_MS), 0);
    identity_named(identity, id);
    identity_text(identity, text);
    identity_look(identity, &look);
    assert_int_equal(identity_holds(identity), look.state != IDENTITY_SURE);
    assert_true(look.state == IDENTITY_SURE || look.since_ms == NOW_MS);
    identity_close(identity);
    return look.state;
}

static int answer(const char *machine, const char *board, const char *medium, bool copied)
{
    struct identity_facts now = facts(machine, board, medium);
    struct identity *identity;

    assert_int_equal(identity_open(&identity, folder, &now, NOW_MS), 0);
    int error = identity_answer(identity, copied);
    identity_close(identity);
    return error;
}

static void the_board_decides_where_it_has_a_number(void **state)
{
    static const struct {
        const char *was[3], *now[3];
        enum identity_state state;
        bool new_epoch;
    } cases[] = {
        {{"id:1", "tree:1", "ext4:1"}, {"id:1", "tree:1", "ext4:1"}, IDENTITY_SURE, false},
        {{"id:1", "tree:1", "ext4:1"}, {"id:1", "tree:2", "ext4:1"}, IDENTITY_ASKED, true},
        {{"id:1", "tree:1", "ext4:1"}, {"id:2", "tree:1", "ext4:1"}, IDENTITY_SURE, true},
        {{"id:1", "tree:1", "ext4:1"}, {"id:1", "tree:1", "ext4:2"}, IDENTITY_SURE, true},
        {{"id:1", "tree:1", "ext4:1"}, {"id:1", "", "ext4:1"}, IDENTITY_SURE, false},
        /* Where it has none, the rest does. */
        {{"id:1", "", "ext4:1"}, {"id:2", "", "ext4:1"}, IDENTITY_ASKED, true},
        {{"id:1", "", "ext4:1"}, {"id:1", "", "ext4:2"}, IDENTITY_ASKED, true},
        {{"id:1", "", ""}, {"id:1", "", ""}, IDENTITY_SURE, false},
        /* Another kind of fact is no other machine. */
        {{"id:1", "tree:1", ""}, {"id:1", "net:9", ""}, IDENTITY_SURE, true},
        {{"id:1", "", ""}, {"id:1", "net:9", "both:3"}, IDENTITY_SURE, true},
        {{"", "", ""}, {"id:1", "tree:1", "ext4:1"}, IDENTITY_SURE, true},
    };
    char before[IDENTITY_TEXT_SIZE], after[IDENTITY_TEXT_SIZE];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_folder(state);
        assert_int_equal(start(cases[i].was[0], cases[i].was[1], cases[i].was[2], "a", before), 0);
        assert_int_equal(start(cases[i].now[0], cases[i].now[1], cases[i].now[2], "a", after),
                         cases[i].state);
        assert_int_equal(strcmp(before, after) != 0, cases[i].new_epoch);
        remove_folder(state);
    }
}

static void the_question_stays_until_it_is_answered(void **state)
{
    char text[IDENTITY_TEXT_SIZE], again[IDENTITY_TEXT_SIZE];

    (void)state;
    start("id:1", "tree:1", "ext4:1", "a", text);
    assert_int_equal(answer("id:1", "tree:1", "ext4:1", false), ERR_INVALID);
    assert_int_equal(start("id:1", "tree:2", "ext4:1", "a", text), IDENTITY_ASKED);
    assert_int_equal(start("id:1", "tree:2", "ext4:1", "a", again), IDENTITY_ASKED);
    assert_string_equal(text, again);
    assert_int_equal(answer("id:1", "tree:2", "ext4:1", false), 0);
    assert_int_equal(start("id:1", "tree:2", "ext4:1", "a", again), IDENTITY_SURE);
    assert_string_equal(text, again);
    /* And the first board is a foreign one now. */
    assert_int_equal(start("id:1", "tree:1", "ext4:1", "a", text), IDENTITY_ASKED);
}

static void back_in_its_own_board_nothing_is_asked(void **state)
{
    char text[IDENTITY_TEXT_SIZE];

    (void)state;
    start("id:1", "tree:1", "ext4:1", "a", text);
    assert_int_equal(start("id:1", "tree:2", "ext4:1", "a", text), IDENTITY_ASKED);
    assert_int_equal(answer("id:1", "tree:2", "ext4:1", true), 0);
    assert_int_equal(start("id:1", "tree:1", "ext4:1", "a", text), IDENTITY_SURE);
    assert_int_equal(start("id:1", "tree:2", "ext4:1", "a", text), IDENTITY_ASKED);
}

static void a_copy_is_sure_of_itself_once_it_has_its_own_id(void **state)
{
    char text[IDENTITY_TEXT_SIZE];

    (void)state;
    start("id:1", "tree:1", "ext4:1", "a", text);
    assert_int_equal(start("id:1", "tree:2", "ext4:1", "a", text), IDENTITY_ASKED);
    assert_int_equal(answer("id:1", "tree:2", "ext4:1", true), 0);
    assert_int_equal(start("id:1", "tree:2", "ext4:1", "a", text), IDENTITY_COPIED);
    assert_int_equal(start("id:1", "tree:2", "ext4:1", "b", text), IDENTITY_SURE);
    assert_int_equal(start("id:1", "tree:2", "ext4:1", "b", text), IDENTITY_SURE);
}

static void a_board_is_known_by_any_of_its_numbers(void **state)
{
    struct identity_facts now = facts("id:1", "net:1", "ext4:1");
    struct identity *identity;

    (void)state;
    assert_int_equal(identity_open(&identity, folder, &now, NOW_MS), 0);
    identity_close(identity);
    now = facts("id:1", "net:0",
                "ext4:1"); /* a new card has come, and the old number is still there */
    strcpy(now.boards[0], "net:0");
    strcpy(now.boards[1], "net:1");
    assert_int_equal(identity_open(&identity, folder, &now, NOW_MS), 0);
    assert_false(identity_holds(identity));
    identity_close(identity);
    strcpy(now.boards[1], "");
    assert_int_equal(identity_open(&identity, folder, &now, NOW_MS), 0);
    assert_true(identity_holds(identity));
    identity_close(identity);
}

/* --- what is looked at --- */

static void put(const char *path, const char *content)
{
    char name[256], command[512];

    snprintf(name, sizeof name, "%s/root%s", folder, path);
    snprintf(command, sizeof command, "mkdir -p $(dirname %s)", name);
    assert_int_equal(system(command), 0);
    FILE *file = fopen(name, "we");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static struct identity_facts look(void)
{
    struct identity_facts found;
    char root[80];

    snprintf(root, sizeof root, "%s/root", folder);
    identity_facts_look(&found, root, folder);
    return found;
}

/* An interface whose device is at the end of a USB cable. */
static void plug_in(const char *name, const char *address)
{
    char target[128], link[128], path[64];

    put("/sys/devices/usb1/1-1/uevent", "");
    snprintf(path, sizeof path, "/sys/class/net/%s/addr_assign_type", name);
    put(path, "0\n");
    snprintf(path, sizeof path, "/sys/class/net/%s/address", name);
    put(path, address);
    snprintf(target, sizeof target, "%s/root/sys/devices/usb1/1-1", folder);
    snprintf(link, sizeof link, "%s/root/sys/class/net/%s/device", folder, name);
    assert_int_equal(symlink(target, link), 0);
}

static void the_best_number_that_a_machine_has_is_taken(void **state)
{
    struct identity_facts found, other;

    (void)state;
    found = look();
    assert_string_equal(found.machine, "");
    assert_string_equal(found.board, "");
    put("/etc/machine-id", "5a261aae8d49475e82640f2a9751826d\n");
    put("/sys/class/net/eth0/device", "");
    put("/sys/class/net/eth0/addr_assign_type", "0\n");
    put("/sys/class/net/eth0/address", "b8:27:eb:00:00:01\n");
    put("/sys/class/net/eth1/device", "");
    put("/sys/class/net/eth1/addr_assign_type", "3\n"); /* set by somebody */
    put("/sys/class/net/eth1/address", "02:00:00:00:00:01\n");
    put("/sys/class/net/veth0/addr_assign_type", "0\n"); /* no device */
    put("/sys/class/net/veth0/address", "00:00:00:00:00:02\n");
    found = look();
    assert_int_equal(strncmp(found.machine, "id:", 3), 0);
    assert_int_equal(strncmp(found.board, "net:", 4), 0);
    assert_null(strstr(found.machine, "5a261aae"));
    put("/sys/class/net/eth1/address", "02:00:00:00:00:07\n");
    other = look();
    assert_string_equal(found.board, other.board);
    put("/sys/class/net/eth0/address", "b8:27:eb:00:00:02\n");
    other = look();
    assert_string_not_equal(found.board, other.board);

    /* Another card beside it: the board is known by what it was known by. */
    put("/sys/class/net/eth2/device", "");
    put("/sys/class/net/eth2/addr_assign_type", "0\n");
    put("/sys/class/net/eth2/address", "00:11:22:00:00:01\n");
    found = look();
    assert_string_not_equal(found.board, other.board);
    assert_string_equal(found.boards[1], other.board);
    put("/sys/class/net/eth2/address", "b8:27:eb:00:00:02\n"); /* called otherwise */
    put("/sys/class/net/eth0/address", "00:11:22:00:00:01\n");
    other = look();
    assert_memory_equal(found.boards, other.boards, sizeof found.boards);
    plug_in("usb0", "00:00:5e:00:00:01\n"); /* adapters move */
    other = look();
    assert_memory_equal(found.boards, other.boards, sizeof found.boards);

    put("/sys/class/dmi/id/board_serial", "Default string\n");
    put("/sys/class/dmi/id/product_uuid", "00000000-0000-0000-0000-000000000000\n");
    assert_int_equal(strncmp(look().board, "net:", 4), 0);
    put("/sys/class/dmi/id/product_uuid", "4c4c4544-0042-3510-8051-b4c04f4a3132\n");
    assert_int_equal(strncmp(look().board, "product:", 8), 0);
    put("/sys/firmware/devicetree/base/serial-number", "10000000abcdef01");
    assert_int_equal(strncmp(look().board, "tree:", 5), 0);
}

static void a_medium_without_a_number_is_none_to_compare_with(void **state)
{
    struct identity_facts found;
    char root[80];

    (void)state;
    snprintf(root, sizeof root, "%s/root", folder);
    identity_facts_look(&found, root, "/proc");
    assert_string_equal(found.medium, "");
}

/* One that cannot be read is none that is absent: a copied card would adopt its board. */
static void a_file_that_cannot_be_read_is_left_and_asked_about(void **state)
{
    char text[IDENTITY_TEXT_SIZE], path[96];
    struct stat file;

    (void)state;
    snprintf(path, sizeof path, "%s/identity", folder);
    assert_int_equal(start("machine:a", "tree:1", "mmc:x", "plant7", text), IDENTITY_SURE);
    assert_int_equal(truncate(path, 5000), 0);
    assert_int_equal(start("machine:a", "tree:2", "mmc:x", "plant7", text), IDENTITY_ASKED);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_size, 5000);
    assert_int_equal(answer("machine:a", "tree:2", "mmc:x", true), 0);
    assert_int_equal(start("machine:a", "tree:2", "mmc:x", "plant7", text), IDENTITY_ASKED);
    assert_int_equal(answer("machine:a", "tree:2", "mmc:x", false), 0);
    assert_int_equal(start("machine:a", "tree:2", "mmc:x", "plant7", text), IDENTITY_SURE);
    assert_int_equal(start("machine:a", "tree:3", "mmc:x", "plant7", text), IDENTITY_ASKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_board_decides_where_it_has_a_number),
        cmocka_unit_test_setup_teardown(the_question_stays_until_it_is_answered, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(back_in_its_own_board_nothing_is_asked, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_copy_is_sure_of_itself_once_it_has_its_own_id,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_left_and_asked_about,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_board_is_known_by_any_of_its_numbers, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_medium_without_a_number_is_none_to_compare_with,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_best_number_that_a_machine_has_is_taken, make_folder,
                                        remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
