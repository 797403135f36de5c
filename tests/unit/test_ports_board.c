/* Serial ports by the labels on the housing of the board, and what switches their transceivers. */
// links: sluice_cli driver_serial
#include "unit/port_rig.h"

struct labelled {
    const char *label, *port, *use, *enable; /* a tty is one of the test's /dev */
};

/* The description of this machine's board. */
static void have_board(const struct tree *tree, const struct labelled *ports, size_t count)
{
    char text[2048];
    int used = snprintf(text, sizeof text, "{\"id\":\"toy\",\"name\":\"Toy Board\",\"serial\":[");

    for (size_t i = 0; i < count; i++)
        used += snprintf(text + used, sizeof text - (size_t)used,
                         "%s{\"label\":\"%s\",\"port\":\"%s%s%s\",\"use\":\"%s\","
                         "\"driver_enable\":\"%s\",\"terminals\":\"A and B\"}",
                         i > 0 ? "," : "", ports[i].label,
                         strncmp(ports[i].port, "tty", 3) == 0 ? tree->dev : "",
                         strncmp(ports[i].port, "tty", 3) == 0 ? "/" : "", ports[i].port,
                         ports[i].use, ports[i].enable);
    snprintf(text + used, sizeof text - (size_t)used, "]}");
    folder_in(tree, tree->board);
    put_file(tree->board, "board.json", text);
}

static void finds_a_port_by_its_label_on_the_housing(void **state)
{
    static const struct labelled ports[] = {
        {"RS485-1", "ttyUSB1", "field", "hardware"},
        {"USB", "usb", "field", "hardware"},
        {"LOOP", "board:LOOP", "field", "none"},
    };
    static const struct port_identity unknown;
    static const struct meaning cases[] = {
        {"board:RS485-1", 0, "ttyUSB1"},   {"board:rs485-1", 0, "ttyUSB1"}, /* typed by a person */
        {"board:USB", 0, "ttyUSB1"},       {"board:RS485-2", ERR_NOT_FOUND, ""},
        {"board:LOOP", ERR_NOT_FOUND, ""},
    };
    const struct tree *tree = *state;
    char path[PORT_PATH_MAX];

    plug(tree, &ftdi_other, "ttyUSB1", "/dev/null");
    assert_int_equal(port_find(&tree->roots, "board:RS485-1", &unknown, path), ERR_NOT_FOUND);
    have_board(tree, ports, COUNT(ports));
    check_meanings(tree, cases, COUNT(cases));
    /* "usb" is whatever is plugged in, so it says nothing once there are two. */
    plug(tree, &ftdi, "ttyUSB0", "/dev/null");
    assert_int_equal(port_find(&tree->roots, "board:USB", &unknown, path), ERR_INVALID);
}

static void says_which_labels_the_board_has(void **state)
{
    static const struct labelled ports[] = {
        {"RS485-1", "ttyUSB1", "field", "hardware"},
    };
    const struct tree *tree = *state;
    struct port_place place = {0};
    char why[PORT_BOARD_WHY_MAX];
    int fd;

    assert_int_equal(port_place_open(&place, &tree->roots, "board:COM9", &line, &none, &fd),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(place.why, "which board this machine is"));
    have_board(tree, ports, COUNT(ports));
    assert_true(port_name_valid(&tree->roots, "board:RS485-1", why, sizeof why));
    assert_false(port_name_valid(&tree->roots, "board:COM9", why, sizeof why));
    assert_non_null(strstr(why, "Toy Board has no port that is labelled COM9; it has RS485-1"));
    assert_int_equal(port_place_open(&place, &tree->roots, "board:COM9", &line, &none, &fd),
                     ERR_NOT_FOUND);
    assert_string_equal(place.why, why);
    /* The label is right, the adapter is missing. */
    assert_int_equal(port_place_open(&place, &tree->roots, "board:RS485-1", &line, &none, &fd),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(place.why, "plug the adapter in"));
    put_file(tree->board, "board.json", "{\"id\":");
    assert_false(port_name_valid(&tree->roots, "board:RS485-1", why, sizeof why));
    assert_non_null(strstr(why, "install it anew"));
}

static void switches_the_transceiver_as_the_board_says(void **state)
{
    static const struct labelled ports[] = {
        {"SELF", "usb", "field", "hardware"}, {"KERNEL", "usb", "field", "kernel"},
        {"RTS", "usb", "field", "rts"},       {"PIN", "usb", "field", "gpio:17"},
        {"NONE", "usb", "field", "none"},
    };
    static const struct {
        const char *name;
        int wanted, mode;
    } cases[] = {
        {"board:SELF", PORT_RS485_BOARD, PORT_RS485_NONE},
        {"board:KERNEL", PORT_RS485_BOARD, PORT_RS485_KERNEL},
        {"board:RTS", PORT_RS485_BOARD, PORT_RS485_RTS},
        {"board:PIN", PORT_RS485_BOARD, PORT_RS485_KERNEL},
        {"board:PIN", PORT_RS485_NONE, PORT_RS485_NONE}, /* the configuration knows better */
        {"board:NONE", PORT_RS485_BOARD, PORT_RS485_NONE},
        {"/dev/ttyUSB0", PORT_RS485_BOARD, PORT_RS485_NONE},
    };
    const struct tree *tree = *state;
    struct port_rs485 wanted = {.mode = PORT_RS485_BOARD, .level = PORT_RTS_LOW, .after_ns = 7};
    struct port_place place = {0};
    char device[64];
    int fd, line_fd = pty(device);

    plug(tree, &ftdi, "ttyUSB0", device);
    have_board(tree, ports, COUNT(ports));
    for (size_t i = 0; i < COUNT(cases); i++) {
        wanted.mode = cases[i].wanted;
        struct port_rs485 rs485 = port_board_rs485(&tree->roots, cases[i].name, &wanted);

        if (rs485.mode != cases[i].mode)
            fail_msg("%s: %d", cases[i].name, rs485.mode);
        assert_int_equal(rs485.level, PORT_RTS_LOW);
        assert_int_equal(rs485.after_ns, 7);
    }
    /* A pseudo terminal switches nothing: that is told, and the port is free again. */
    wanted.mode = PORT_RS485_BOARD;
    assert_int_equal(port_place_open(&place, &tree->roots, "board:PIN", &line, &wanted, &fd),
                     ERR_UNSUPPORTED);
    assert_non_null(strstr(place.why, "pin 17 of this board"));
    assert_int_equal(port_place_open(&place, &tree->roots, "board:RTS", &line, &wanted, &fd),
                     ERR_UNSUPPORTED);
    assert_non_null(strstr(place.why, "cannot switch RS-485"));
    assert_int_equal(port_place_open(&place, &tree->roots, "board:SELF", &line, &wanted, &fd), 0);
    assert_int_equal(place.rs485.mode, PORT_RS485_NONE);
    port_close(fd);
    close(line_fd);
}

static void lists_the_labels_of_the_board(void **state)
{
    static const struct labelled ports[] = {
        {"CONSOLE", "by-path:pci-usb-1-1", "console", "none"},
    };
    const struct tree *tree = *state;
    char *text, device[64];
    int line_fd = pty(device);

    plug(tree, &ftdi, "ttyUSB0", device);
    plug(tree, &ftdi_other, "ttyUSB1", device);
    have_board(tree, ports, COUNT(ports));
    text = print(tree, false);
    const char *first = strstr(text, "ttyUSB0"), *second = strstr(text, "ttyUSB1");

    if (!first || !second || !strstr(first, "board:CONSOLE") ||
        !strstr(first, "console of Linux") || !strstr(second, "by-id:usb-FTDI_B1111111") ||
        !strstr(text, "housing of this Toy Board"))
        fail_msg("%s", text);
    free(text);
    text = print(tree, true);
    if (!strstr(text, "\"port\": \"board:CONSOLE\"") || !strstr(text, "\"label\": \"CONSOLE\"") ||
        !strstr(text, "\"console\": true"))
        fail_msg("%s", text);
    free(text);
    close(line_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PORT_TEST(finds_a_port_by_its_label_on_the_housing),
        PORT_TEST(says_which_labels_the_board_has),
        PORT_TEST(switches_the_transceiver_as_the_board_says),
        PORT_TEST(lists_the_labels_of_the_board),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
