/*
 * What the tests of serial ports share: a /dev and a /sys of the test's own, in which ports are
 * pseudo terminals, plugged in under any name.
 */
#ifndef SLUICE_TESTS_PORT_RIG_H
#define SLUICE_TESTS_PORT_RIG_H

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/ports.h"
#include "core/error.h"
#include "serial/port_board.h"
#include "serial/port_holder.h"
#include "serial/port_place.h"
#include "serial/port_rs485.h"
#include "unit/tree.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct port_rs485 none = {.mode = PORT_RS485_NONE};

static const struct port_settings line = {
    .baud = 9600, .data_bits = 8, .stop_bits = 1, .parity = 'N'};

struct tree {
    char root[32], dev[64], sys[64], locks[64], board[64];
    struct board_places boards;
    struct port_roots roots;
};

struct adapter {
    const char *vendor, *product, *serial, *interface, *socket, *by_id;
};

static const struct adapter ftdi = {"0403", "6001", "A50285BI",
                                    "00",   "1-1",  "usb-FTDI_A50285BI-if00-port0"};
static const struct adapter ftdi_other = {"0403", "6001", "B1111111",
                                          "00",   "1-2",  "usb-FTDI_B1111111-if00-port0"};

static inline void folder_in(const struct tree *tree, const char *path)
{
    char whole[PATH_MAX];

    snprintf(whole, sizeof whole, "%s", path);
    for (char *at = whole + strlen(tree->root) + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = '\0';
        mkdir(whole, 0700);
    }
    mkdir(whole, 0700);
}

static inline void put_file(const char *folder, const char *name, const char *text)
{
    char path[2 * PATH_MAX];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", text);
    fclose(file);
}

static inline void put_link(const char *target, const char *folder, const char *part,
                            const char *name)
{
    char path[3 * PATH_MAX];

    snprintf(path, sizeof path, "%s/%s%s", folder, part, name);
    unlink(path);
    assert_int_equal(symlink(target, path), 0);
}

/* A port that the kernel has found: an adapter, under that name, leading to that device file. */
static inline void plug(const struct tree *tree, const struct adapter *adapter, const char *tty,
                        const char *device)
{
    char usb[PATH_MAX], port[PATH_MAX], class[PATH_MAX], target[PATH_MAX];

    snprintf(usb, sizeof usb, "%s/devices/usb1/%s", tree->sys, adapter->socket);
    snprintf(port, sizeof port, "%.200s/%s:1.%s/%s", usb, adapter->socket, adapter->interface, tty);
    snprintf(class, sizeof class, "%s/class/tty/%s", tree->sys, tty);
    folder_in(tree, port);
    folder_in(tree, class);
    put_file(usb, "idVendor", adapter->vendor);
    put_file(usb, "idProduct", adapter->product);
    put_file(usb, "manufacturer", "FTDI");
    put_file(usb, "product", "USB-RS485 Cable");
    if (adapter->serial[0])
        put_file(usb, "serial", adapter->serial);
    put_file(port, "../bInterfaceNumber", adapter->interface);
    put_file(port, "latency_timer", "16");
    put_link("../../../../../bus/usb-serial/drivers/ftdi_sio", port, "", "driver");
    put_link(port, class, "", "device");
    put_link(device, tree->dev, "", tty);
    snprintf(target, sizeof target, "../../%s", tty);
    if (adapter->by_id)
        put_link(target, tree->dev, "serial/by-id/", adapter->by_id);
    put_link(target, tree->dev, "serial/by-path/pci-usb-", adapter->socket);
}

static inline int set_up(void **state)
{
    static struct tree tree;
    char path[PATH_MAX];

    strcpy(tree.root, "/tmp/sluice-ports-XXXXXX");
    assert_non_null(mkdtemp(tree.root));
    snprintf(tree.dev, sizeof tree.dev, "%s/dev", tree.root);
    snprintf(tree.sys, sizeof tree.sys, "%s/sys", tree.root);
    snprintf(tree.locks, sizeof tree.locks, "%s/lock", tree.root);
    snprintf(tree.board, sizeof tree.board, "%s/board", tree.root);
    tree.boards = (struct board_places){NULL, tree.board, "/nowhere", "/nowhere", "/nowhere"};
    tree.roots = (struct port_roots){tree.dev, tree.sys, "/proc", tree.locks, &tree.boards};
    snprintf(path, sizeof path, "%s/serial/by-id", tree.dev);
    folder_in(&tree, path);
    snprintf(path, sizeof path, "%s/serial/by-path", tree.dev);
    folder_in(&tree, path);
    folder_in(&tree, tree.locks);
    *state = &tree;
    return 0;
}

static inline int tear_down(void **state)
{
    const struct tree *tree = *state;

    return tree_remove(tree->root);
}

/* A pseudo terminal; `name` gets its device file. */
static inline int pty(char name[64])
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(grantpt(fd), 0);
    assert_int_equal(unlockpt(fd), 0);
    assert_int_equal(ptsname_r(fd, name, 64), 0);
    return fd;
}

struct meaning {
    const char *name;
    int error;
    const char *tty;
};

/* What names mean, where nothing is known of an earlier adapter. */
static inline void check_meanings(const struct tree *tree, const struct meaning *meanings,
                                  size_t count)
{
    static const struct port_identity unknown;

    for (size_t i = 0; i < count; i++) {
        char path[PORT_PATH_MAX], tty[32];

        if (port_find(&tree->roots, meanings[i].name, &unknown, path) != meanings[i].error)
            fail_msg("%s", meanings[i].name);
        if (meanings[i].error)
            continue;
        assert_int_equal(port_tty(&tree->roots, path, tty), 0);
        assert_string_equal(tty, meanings[i].tty);
    }
}

static inline char *print(const struct tree *tree, bool json)
{
    static char *text; /* GCC takes what it points to for its own place, where it is on the stack */
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_int_equal(ports_print(&tree->roots, json, true, out), 0);
    fclose(out);
    return text;
}

#define PORT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
