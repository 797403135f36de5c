/* The history of the configuration, and the note of a change that is pending. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/history.h"
#include "core/error.h"
#include "core/save.h"
#include "daemon/change_note.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/sluice-history-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static const char *inside(const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int remove_folder(void **state)
{
    DIR *directory = opendir(folder);
    struct dirent *file;

    (void)state;
    while ((file = readdir(directory)))
        unlink(inside(file->d_name));
    closedir(directory);
    return rmdir(folder);
}

static void what_is_put_is_listed_newest_first(void **state)
{
    struct history_entry entry = {.change = 9,
                                  .at_ms = 5,
                                  .by = "anna",
                                  .origin = "10.0.0.1",
                                  .comment = "\"quoted\"\n",
                                  .words = "a.b",
                                  .state = HISTORY_PENDING,
                                  .revision = "0123456789abcdef"};
    struct history_entry *entries;
    size_t count, size;
    char *text;

    (void)state;
    assert_int_equal(history_list("/nowhere", &entries, &count), 0);
    assert_int_equal(count, 0);
    free(entries);
    assert_int_equal(history_put(folder, &entry, "{ first }"), 0);
    entry.change = 10;
    assert_int_equal(history_put(folder, &entry, "{ second }"), 0);
    entry.state = HISTORY_REVERTED;
    snprintf(entry.why, sizeof entry.why, "nobody");
    assert_int_equal(history_put(folder, &entry, NULL), 0);
    /* What is none of ours is passed over. */
    assert_int_equal(save_file(inside("00000011.json"), "{", 1, 0600), 0);
    assert_int_equal(save_file(inside("x.json"), "{}", 2, 0600), 0);
    assert_int_equal(history_list(folder, &entries, &count), 0);
    assert_int_equal(count, 2);
    assert_memory_equal(&entries[0], &entry, sizeof entry);
    assert_int_equal(entries[1].change, 9);
    assert_int_equal(entries[1].state, HISTORY_PENDING);
    free(entries);
    assert_int_equal(history_text(folder, 10, &text, &size), 0);
    assert_string_equal(text, "{ second }");
    free(text);
    assert_int_equal(history_text(folder, 12, &text, &size), ERR_NOT_FOUND);
}

static void it_stays_bounded_and_keeps_two_whatever_their_size(void **state)
{
    struct history_entry entry = {.by = "anna"}, *entries;
    size_t count;
    char *large = malloc(HISTORY_BYTES_MAX);

    (void)state;
    for (uint64_t i = 1; i <= HISTORY_MAX + 20; i++) {
        entry.change = i;
        assert_int_equal(history_put(folder, &entry, "{}"), 0);
    }
    history_list(folder, &entries, &count);
    assert_int_equal(count, HISTORY_MAX);
    assert_int_equal(entries[HISTORY_MAX - 1].change, 21);
    free(entries);
    memset(large, ' ', HISTORY_BYTES_MAX - 1);
    large[HISTORY_BYTES_MAX - 1] = '\0';
    for (uint64_t i = 1; i <= 3; i++) {
        entry.change++;
        assert_int_equal(history_put(folder, &entry, large), 0);
    }
    history_list(folder, &entries, &count);
    assert_int_equal(count, 2);
    free(entries);
    free(large);
}

static void a_note_brings_the_text_before_back(void **state)
{
    struct change_note note = {.change = 3, .until_ms = 77, .by = "anna", .origin = "socket"}, read;
    char path[PATH_MAX], *text;
    size_t size;
    struct stat status;

    (void)state;
    snprintf(path, sizeof path, "%s", inside("sluice.json"));
    history_revision("old", 3, note.before);
    history_revision("new", 3, note.after);
    assert_int_equal(change_note_read(path, &read), ERR_NOT_FOUND);
    assert_int_equal(save_file(path, "old", 3, 0604), 0);
    assert_int_equal(change_note_put(path, &note, "old", 3), 0);
    assert_int_equal(save_over(path, "new", 3, 0640), 0);
    assert_int_equal(change_note_read(path, &read), 0);
    assert_memory_equal(&read, &note, sizeof note);
    assert_int_equal(change_note_undo(path, &read), 0);
    assert_int_equal(save_read(path, 10, &text, &size), 0);
    assert_string_equal(text, "old");
    free(text);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0604);
    /* It was moved there, and is not looked for twice. */
    assert_int_equal(access(inside("sluice.json.before"), F_OK), -1);
    assert_int_equal(change_note_undo(path, &read), 0);
    /* A text before that is another than the note says is not taken. */
    assert_int_equal(save_over(path, "new", 3, 0640), 0);
    assert_int_equal(save_file(inside("sluice.json.before"), "odd", 3, 0600), 0);
    assert_int_equal(change_note_undo(path, &read), ERR_CORRUPT);
    assert_int_equal(change_note_drop(path), 0);
    assert_int_equal(change_note_read(path, &read), ERR_NOT_FOUND);
    assert_int_equal(access(inside("sluice.json.before"), F_OK), -1);
    /* There was none. */
    snprintf(note.before, sizeof note.before, "%s", HISTORY_NO_REVISION);
    assert_int_equal(change_note_put(path, &note, NULL, 0), 0);
    assert_int_equal(change_note_undo(path, &note), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(save_file(inside("sluice.json.pending"), "{\"change\":1", 11, 0600), 0);
    assert_int_equal(change_note_read(path, &read), ERR_CORRUPT);
}

static void a_link_leads_to_the_file_and_a_new_one_gets_its_rights(void **state)
{
    char path[PATH_MAX], target[PATH_MAX];
    struct stat status;

    (void)state;
    snprintf(target, sizeof target, "%s", inside("target"));
    snprintf(path, sizeof path, "%s", inside("link"));
    assert_int_equal(save_over(target, "1", 1, 0640), 0);
    assert_int_equal(stat(target, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(save_over(path, "22", 2, 0600), 0);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(stat(target, &status), 0);
    assert_int_equal(status.st_size, 2);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(save_remove(path), 0);
    assert_int_equal(save_remove(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_put_is_listed_newest_first, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(it_stays_bounded_and_keeps_two_whatever_their_size,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_note_brings_the_text_before_back, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_link_leads_to_the_file_and_a_new_one_gets_its_rights,
                                        make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
