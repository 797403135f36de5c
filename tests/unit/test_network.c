/* The network's settings: what is taken, what becomes of it, and that nothing slips through. */
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
#include "core/save.h"
#include "daemon/network_apply.h"

static int take(struct network_interface *interface, enum network_kind kind, const char *text,
                const struct network_interface *before, char why[NETWORK_WHY_SIZE])
{
    struct arena *arena;
    struct json *root;

    assert_int_equal(arena_open(&arena), 0);
    assert_int_equal(json_read(&root, arena, text, strlen(text), NULL, NULL), 0);
    why[0] = '\0';
    int error = network_take(interface, "eth0", kind, root, before, why);
    arena_close(arena);
    return error;
}

static void what_cannot_be_is_refused_with_its_reason(void **state)
{
    static const struct {
        enum network_kind kind;
        const char *text, *words;
    } cases[] = {
        {NETWORK_ETHERNET, "{\"method\":\"bootp\"}", "allowed are dhcp and static"},
        {NETWORK_ETHERNET, "{\"method\":\"static\"}", "one is needed"},
        {NETWORK_ETHERNET, "{\"address\":\"192.168.7.20/24\"}", "the method is \"static\""},
        {NETWORK_ETHERNET, "{\"method\":\"static\",\"address\":\"192.168.7.20\"}", "prefix"},
        {NETWORK_ETHERNET, "{\"method\":\"static\",\"address\":\"192.168.7.20/33\"}", "prefix"},
        {NETWORK_ETHERNET, "{\"method\":\"static\",\"address\":\"192.168.7.20/0\"}", "prefix"},
        {NETWORK_ETHERNET, "{\"method\":\"static\",\"address\":\"192.168.7.20/24x\"}", "prefix"},
        {NETWORK_ETHERNET, "{\"method\":\"static\",\"address\":\"192.168.7.300/24\"}", "prefix"},
        {NETWORK_ETHERNET, "{\"method\":\"static\",\"address\":\"192.168.7.0/24\"}",
         "whole network"},
        {NETWORK_ETHERNET, "{\"method\":\"static\",\"address\":\"192.168.7.255/24\"}",
         "whole network"},
        {NETWORK_ETHERNET, "{\"method\":\"static\",\"address\":\"224.0.0.5/24\"}", "whole network"},
        {NETWORK_ETHERNET,
         "{\"method\":\"static\",\"address\":\"192.168.7.20/24\",\"router\":\"192.168.8.1\"}",
         "cannot be reached"},
        {NETWORK_ETHERNET,
         "{\"method\":\"static\",\"address\":\"192.168.7.20/24\",\"router\":\"192.168.7.20\"}",
         "own address"},
        {NETWORK_ETHERNET,
         "{\"method\":\"static\",\"address\":\"192.168.7.20/24\",\"router\":\"fe80::1\"}",
         "expected is its address"},
        {NETWORK_ETHERNET, "{\"dns\":[\"a b\"]}", "name server"},
        {NETWORK_ETHERNET, "{\"dns\":[\"1.1.1.1\",\"1.1.1.2\",\"1.1.1.3\",\"1.1.1.4\"]}",
         "at most 3"},
        {NETWORK_ETHERNET, "{\"ntp\":[\"pool.example\\nDHCP=no\"]}", "time server"},
        {NETWORK_ETHERNET, "{\"adress\":\"x\"}", "no such key"},
        {NETWORK_ETHERNET, "{\"method\":5}", "expected is a text"},
        {NETWORK_WIFI, "{}", "name of its network"},
        {NETWORK_WIFI, "{\"ssid\":\"plant\",\"passphrase\":\"short\"}", "8 to 63"},
        {NETWORK_WIFI, "{\"ssid\":\"plant\",\"passphrase\":\"secret\\nkey-mgmt=none\"}", "8 to 63"},
        {NETWORK_WIFI, "{\"ssid\":\"012345678901234567890123456789012\"}", "at most 32"},
        {NETWORK_MOBILE, "{}", "access point"},
        {NETWORK_MOBILE, "{\"apn\":\"a;b\"}", "access point"},
        {NETWORK_MOBILE, "{\"apn\":\"internet\",\"pin\":\"12a4\"}", "4 to 8 digits"},
    };
    char why[NETWORK_WHY_SIZE];
    struct network_interface interface;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int error = take(&interface, cases[i].kind, cases[i].text, NULL, why);
        if (error != ERR_INVALID || !strstr(why, cases[i].words))
            fail_msg("%s: %d, \"%s\"", cases[i].text, error, why);
    }
    for (const char *const *name =
             (const char *const[]){"", "..", "a/b", "eth0 ", "-x", "0123456789abcdef", NULL};
         *name; name++)
        assert_false(network_name_valid(*name));
    assert_true(network_name_valid("enx00e04c680001"));
}

static void a_passphrase_is_kept_while_the_network_is_the_same(void **state)
{
    struct network_interface first, second;
    char why[NETWORK_WHY_SIZE];

    (void)state;
    assert_int_equal(take(&first, NETWORK_WIFI,
                          "{\"ssid\":\"plant\",\"passphrase\":\"a long secret\"}", NULL, why),
                     0);
    assert_int_equal(take(&second, NETWORK_WIFI, "{\"ssid\":\"plant\"}", &first, why), 0);
    assert_string_equal(second.passphrase, "a long secret");
    assert_int_equal(
        take(&second, NETWORK_WIFI, "{\"ssid\":\"plant\",\"passphrase\":\"\"}", &first, why), 0);
    assert_string_equal(second.passphrase, "");
    assert_int_equal(take(&second, NETWORK_WIFI, "{\"ssid\":\"yard\"}", &first, why), 0);
    assert_string_equal(second.passphrase, "");
}

static const char three[] = "{\"schema\":1,\"interfaces\":["
                            "{\"name\":\"eth0\",\"kind\":\"ethernet\",\"method\":\"static\","
                            "\"address\":\"192.168.7.20/24\",\"router\":\"192.168.7.1\","
                            "\"dns\":[\"192.168.7.1\",\"2001:db8::53\"],\"ntp\":[\"ptb.example\"]},"
                            "{\"name\":\"wlan0\",\"kind\":\"wifi\",\"method\":\"dhcp\",\"ssid\":"
                            "\"Hal\\u00e4 1\",\"passphrase\":\" back\\\\slash\"},"
                            "{\"name\":\"wwan0\",\"kind\":\"mobile\",\"method\":\"dhcp\",\"apn\":"
                            "\"internet.example\",\"pin\":\"1234\"}]}";

static void a_plan_is_read_back_as_it_was_written(void **state)
{
    struct network_plan plan, again;
    char why[NETWORK_WHY_SIZE] = "";
    size_t size;

    (void)state;
    assert_int_equal(network_read(&plan, three, strlen(three), why), 0);
    assert_int_equal(plan.count, 3);
    char *text = network_write(&plan, &size);
    assert_non_null(text);
    assert_int_equal(network_read(&again, text, size, why), 0);
    assert_memory_equal(&plan, &again, sizeof plan);
    free(text);
    assert_true(network_drop(&plan, "eth0"));
    assert_false(network_drop(&plan, "eth0"));
    assert_int_equal(plan.count, 2);
    for (const char *const *bad =
             (const char *const[]){"", "[]", "{\"interfaces\":5}", "{\"interfaces\":[5]}",
                                   "{\"interfaces\":[{\"name\":\"../x\",\"kind\":\"ethernet\"}]}",
                                   "{\"interfaces\":[{\"name\":\"x\",\"kind\":\"token ring\"}]}",
                                   NULL};
         *bad; bad++)
        assert_int_not_equal(network_read(&plan, *bad, strlen(*bad), why), 0);
}

/* --- as files --- */

struct told {
    char lines[1024];
    int code;
};

static int hear(void *context, const char *const arguments[])
{
    struct told *told = context;
    size_t at = strlen(told->lines);

    for (size_t i = 0; arguments[i]; i++)
        at += (size_t)snprintf(told->lines + at, sizeof told->lines - at, "%s%s", i ? " " : "",
                               arguments[i]);
    snprintf(told->lines + at, sizeof told->lines - at, "\n");
    return told->code;
}

struct rig {
    char root[64], state[96];
    struct told told;
    struct network_machine machine;
};

static void make(const struct rig *rig, const char *path)
{
    char whole[256];

    snprintf(whole, sizeof whole, "%s%s", rig->root, path);
    assert_int_equal(mkdir(whole, 0755), 0);
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    snprintf(rig->root, sizeof rig->root, "/tmp/sluice-network-XXXXXX");
    if (!mkdtemp(rig->root))
        return -1;
    snprintf(rig->state, sizeof rig->state, "%s/state", rig->root);
    make(rig, "/state");
    make(rig, "/run");
    make(rig, "/run/systemd");
    rig->machine = (struct network_machine){rig->root, hear, &rig->told};
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -r '%s'", rig->root);
    int code = system(command);
    free(rig);
    return code;
}

static void put(const struct rig *rig, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", rig->state, name);
    assert_int_equal(save_file(path, text, strlen(text), 0600), 0);
}

/* The text of a file below the root, or NULL; the caller's to free. */
static char *text_of(const struct rig *rig, const char *name, mode_t *mode)
{
    char path[256], *text;
    struct stat status;
    size_t size;

    snprintf(path, sizeof path, "%s%s", rig->root, name);
    if (save_read(path, 65536, &text, &size))
        return NULL;
    assert_int_equal(stat(path, &status), 0);
    *mode = status.st_mode & 0777;
    return text;
}

static void expect(const struct rig *rig, const char *name, mode_t mode, const char *const lines[])
{
    mode_t found = 0;
    char *text = text_of(rig, name, &found);

    if (!text)
        fail_msg("%s is missing", name);
    assert_int_equal(found, mode);
    for (; *lines; lines++) {
        char line[128];
        snprintf(line, sizeof line, "\n%s\n", *lines);
        if (!strstr(text, line))
            fail_msg("%s lacks \"%s\":\n%s", name, *lines, text);
    }
    free(text);
}

static void expect_none(const struct rig *rig, const char *name)
{
    mode_t mode;
    char *text = text_of(rig, name, &mode);

    if (text)
        fail_msg("%s is there", name);
}

static const char *const cable[] = {
    "Name=eth0",        "Address=192.168.7.20/24", "Gateway=192.168.7.1",      "DNS=192.168.7.1",
    "DNS=2001:db8::53", "NTP=ptb.example",         "Address=169.254.77.77/16", NULL};

static void networkd_gets_its_files_and_is_told(void **state)
{
    struct rig *rig = *state;
    char why[NETWORK_WHY_SIZE] = "";

    make(rig, "/run/systemd/netif");
    make(rig, "/run/systemd/netif/state");
    put(rig, NETWORK_PLAN_FILE, three);
    assert_int_equal(network_apply(&rig->machine, rig->state, false, why), 0);
    expect(rig, "/run/systemd/network/40-sluice-eth0.network", 0644, cable);
    expect_none(rig, "/run/systemd/network/40-sluice-wlan0.network");
    assert_string_equal(rig->told.lines, "networkctl reload\n");
    put(rig, NETWORK_PLAN_FILE, "{\"interfaces\":[]}");
    assert_int_equal(network_apply(&rig->machine, rig->state, false, why), 0);
    expect_none(rig, "/run/systemd/network/40-sluice-eth0.network");
    rig->told.code = 1;
    assert_int_equal(network_apply(&rig->machine, rig->state, false, why), ERR_IO);
    assert_non_null(strstr(why, "networkctl reload"));
}

static void network_manager_gets_its_files_and_is_told(void **state)
{
    struct rig *rig = *state;
    char why[NETWORK_WHY_SIZE] = "";
    mode_t mode;

    make(rig, "/run/NetworkManager");
    make(rig, "/run/NetworkManager/devices");
    put(rig, NETWORK_PLAN_FILE, three);
    assert_int_equal(network_apply(&rig->machine, rig->state, false, why), 0);
    expect(rig, "/run/NetworkManager/system-connections/sluice-eth0.nmconnection", 0600,
           (const char *const[]){"type=ethernet", "interface-name=eth0",
                                 "address1=192.168.7.20/24,192.168.7.1", "dns=192.168.7.1;",
                                 "dns=2001:db8::53;", "method=auto", NULL});
    expect(rig, "/run/NetworkManager/system-connections/sluice-wlan0.nmconnection", 0600,
           (const char *const[]){"type=wifi", "ssid=72;97;108;195;164;32;49;", "key-mgmt=wpa-psk",
                                 "psk=\\sback\\\\slash", "method=auto", NULL});
    expect(rig, "/run/NetworkManager/system-connections/sluice-wwan0.nmconnection", 0600,
           (const char *const[]){"type=gsm", "apn=internet.example", "pin=1234", NULL});
    char *text =
        text_of(rig, "/run/NetworkManager/system-connections/sluice-wwan0.nmconnection", &mode);
    assert_null(strstr(text, "interface-name"));
    free(text);
    assert_string_equal(
        rig->told.lines,
        "nmcli connection reload\nnmcli --wait 0 connection up sluice-eth0\n"
        "nmcli --wait 0 connection up sluice-wlan0\nnmcli --wait 0 connection up sluice-wwan0\n");
    /* One that is as it was goes on undisturbed: only the second has another file now. */
    char *other = strdup(three);
    memcpy(strstr(other, "Hal"), "Yar", 3);
    put(rig, NETWORK_PLAN_FILE, other);
    free(other);
    rig->told.lines[0] = '\0';
    assert_int_equal(network_apply(&rig->machine, rig->state, false, why), 0);
    assert_string_equal(rig->told.lines,
                        "nmcli connection reload\nnmcli --wait 0 connection up sluice-wlan0\n");
}

static void a_start_takes_what_was_confirmed(void **state)
{
    struct rig *rig = *state;
    char why[NETWORK_WHY_SIZE] = "";

    put(rig, NETWORK_PLAN_FILE, "{\"interfaces\":[]}");
    put(rig, NETWORK_BEFORE_FILE, three);
    put(rig, NETWORK_PENDING_FILE, "x");
    assert_int_equal(network_apply(&rig->machine, rig->state, true, why), 0);
    expect(rig, "/run/systemd/network/40-sluice-eth0.network", 0644, cable);
    expect(rig, "/run/NetworkManager/system-connections/sluice-eth0.nmconnection", 0600,
           (const char *const[]){NULL});
    assert_string_equal(rig->told.lines, "");
    /* Files that lie there for both say nothing about who runs. */
    assert_int_equal(network_manager(rig->root), NETWORK_BY_NOBODY);
}

static void what_is_not_ours_stays_and_nothing_is_followed(void **state)
{
    struct rig *rig = *state;
    char why[NETWORK_WHY_SIZE] = "", path[256], target[256];
    mode_t mode;

    make(rig, "/run/systemd/netif");
    make(rig, "/run/systemd/netif/state");
    make(rig, "/run/systemd/network");
    snprintf(path, sizeof path, "%s/run/systemd/network/10-own.network", rig->root);
    assert_int_equal(save_file(path, "own", 3, 0644), 0);
    /* Root is led to a file that the daemon may not read. */
    snprintf(target, sizeof target, "%s/secret", rig->root);
    assert_int_equal(save_file(target, three, strlen(three), 0600), 0);
    snprintf(path, sizeof path, "%s/" NETWORK_PLAN_FILE, rig->state);
    assert_int_equal(symlink(target, path), 0);
    assert_int_not_equal(network_apply(&rig->machine, rig->state, false, why), 0);
    expect_none(rig, "/run/systemd/network/40-sluice-eth0.network");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_not_equal(network_apply(&rig->machine, rig->state, false, why), 0);
    unlink(path);
    /* Nothing was set. */
    assert_int_equal(network_apply(&rig->machine, rig->state, false, why), 0);
    char *text = text_of(rig, "/run/systemd/network/10-own.network", &mode);
    assert_string_equal(text, "own");
    free(text);
}

static void without_a_manager_it_says_so(void **state)
{
    struct rig *rig = *state;
    char why[NETWORK_WHY_SIZE] = "";

    assert_int_equal(network_apply(&rig->machine, rig->state, false, why), ERR_UNSUPPORTED);
    assert_non_null(strstr(why, "neither systemd-networkd nor NetworkManager"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_is_refused_with_its_reason),
        cmocka_unit_test(a_passphrase_is_kept_while_the_network_is_the_same),
        cmocka_unit_test(a_plan_is_read_back_as_it_was_written),
        cmocka_unit_test_setup_teardown(networkd_gets_its_files_and_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(network_manager_gets_its_files_and_is_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_start_takes_what_was_confirmed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_ours_stays_and_nothing_is_followed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_manager_it_says_so, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
