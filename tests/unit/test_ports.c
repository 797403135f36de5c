/* Serial ports by name, adapter and holder. */
// links: sluice_cli driver_serial
#include "unit/port_rig.h"

static const struct adapter quad_2 = {"0403", "6011", "FT4",
                                      "02",   "1-3",  "usb-FTDI_FT4-if02-port0"};
static const struct adapter quad_3 = {"0403", "6011", "FT4",
                                      "03",   "1-3",  "usb-FTDI_FT4-if03-port0"};
static const struct adapter nameless = {"1a86", "7523", "", "00", "1-4", NULL};
static const struct adapter nameless_other = {"1a86", "7523", "", "00", "1-5", NULL};

static void remove_in(const char *folder, const char *part, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s%s", folder, part, name);
    unlink(path);
}

static void unplug(const struct tree *tree, const struct adapter *adapter, const char *tty)
{
    char with_device[64];

    snprintf(with_device, sizeof with_device, "%s/device", tty);
    remove_in(tree->sys, "class/tty/", with_device);
    remove_in(tree->dev, "", tty);
    if (adapter->by_id)
        remove_in(tree->dev, "serial/by-id/", adapter->by_id);
    remove_in(tree->dev, "serial/by-path/pci-usb-", adapter->socket);
}

/* Whether the two ends are of one terminal. */
static bool connected(int end, int other)
{
    struct pollfd wait = {.fd = other, .events = POLLIN};
    char byte = 0;

    return write(end, "x", 1) == 1 && poll(&wait, 1, 2000) == 1 && read(other, &byte, 1) == 1 &&
           byte == 'x';
}

static void finds_a_port_by_every_name_that_it_has(void **state)
{
    static const struct meaning cases[] = {
        {"by-id:usb-FTDI_A50285BI-if00-port0", 0, "ttyUSB0"},
        {"by-id:usb-FTDI_C2222222-if00-port0", ERR_NOT_FOUND, ""},
        {"by-path:pci-usb-1-2", 0, "ttyUSB1"},
        {"usb:0403:6001:B1111111", 0, "ttyUSB1"},
        {"usb:0403:6001:B1111111:00", 0, "ttyUSB1"},
        {"usb:0403:6001", ERR_INVALID, ""},
        {"usb:0403:6011:FT4:03", 0, "ttyUSB3"},
        {"usb:0403:6011:FT4", ERR_INVALID, ""},
        {"usb:1a86:7523", 0, "ttyUSB4"},
        {"usb:1a86:7524", ERR_NOT_FOUND, ""},
    };
    const struct tree *tree = *state;
    char why[200];

    plug(tree, &ftdi, "ttyUSB0", "/dev/null");
    plug(tree, &ftdi_other, "ttyUSB1", "/dev/null");
    plug(tree, &quad_2, "ttyUSB2", "/dev/null");
    plug(tree, &quad_3, "ttyUSB3", "/dev/null");
    plug(tree, &nameless, "ttyUSB4", "/dev/null");
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_true(port_name_valid(&tree->roots, cases[i].name, why, sizeof why));
    check_meanings(tree, cases, COUNT(cases));
}

static void refuses_names_that_can_be_no_port(void **state)
{
    static const struct {
        const char *name, *why; /* NULL: it is right */
    } cases[] = {
        {"/dev/ttyUSB0", NULL},        {"by-id:usb-FTDI", NULL},
        {"usb:0403:6001", NULL},       {"usb:0403:6001:A5:00", NULL},
        {"usb:0403", "VID:PID"},       {"usb:403:6001", "VID:PID"},
        {"usb:0403:6001:A:0", "VID"},  {"usb:0403:6001:A:00:x", "VID"},
        {"by-id:", "/dev/serial"},     {"by-path:../x", "/dev/serial"},
        {"board:RS485-1", NULL}, /* of another machine */
        {"board:", "beside the port"},
    };
    const struct tree *tree = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        char why[200] = "";
        bool valid = port_name_valid(&tree->roots, cases[i].name, why, sizeof why);

        if (valid != !cases[i].why || (cases[i].why && !strstr(why, cases[i].why)))
            fail_msg("%s: %s", cases[i].name, why);
    }
}

/* FTDI's gather bytes for 16 ms unless told otherwise, longer than many a reply. */
static void an_adapter_that_gathers_bytes_is_told_not_to(void **state)
{
    const struct tree *tree = *state;
    struct port_place place = {0};
    char name[PORT_PATH_MAX], timer[2 * PATH_MAX], device[64], told[8] = "";
    int fd, line_fd = pty(device);

    snprintf(name, sizeof name, "%s/ttyUSB0", tree->dev);
    snprintf(timer, sizeof timer, "%s/class/tty/ttyUSB0/device/latency_timer", tree->sys);
    plug(tree, &ftdi, "ttyUSB0", device);
    assert_int_equal(port_place_open(&place, &tree->roots, name, &line, &none, &fd), 0);
    FILE *file = fopen(timer, "r");
    assert_non_null(file);
    assert_non_null(fgets(told, sizeof told, file));
    fclose(file);
    assert_string_equal(told, "1\n");
    port_close(fd);
    close(line_fd);
}

static void an_adapter_is_found_again_under_another_name(void **state)
{
    const struct tree *tree = *state;
    struct port_place place = {0};
    char name[PORT_PATH_MAX], device[64], again[64];
    int fd, line_fd = pty(device), other_fd;

    snprintf(name, sizeof name, "%s/ttyUSB0", tree->dev);
    plug(tree, &ftdi, "ttyUSB0", device);
    assert_int_equal(port_place_open(&place, &tree->roots, name, &line, &none, &fd), 0);
    assert_string_equal(place.identity.serial, "A50285BI");
    assert_true(connected(fd, line_fd));
    port_close(fd);
    close(line_fd);
    unplug(tree, &ftdi, "ttyUSB0");
    assert_int_equal(port_place_open(&place, &tree->roots, name, &line, &none, &fd), ERR_NOT_FOUND);
    assert_non_null(strstr(place.why, "sluice ports"));

    /* Another one takes its name, and it comes back under the next. */
    other_fd = pty(again);
    plug(tree, &ftdi_other, "ttyUSB0", again);
    line_fd = pty(device);
    plug(tree, &ftdi, "ttyUSB1", device);
    assert_int_equal(port_place_open(&place, &tree->roots, name, &line, &none, &fd), 0);
    assert_true(connected(fd, line_fd));
    assert_non_null(strstr(place.path, "ttyUSB1"));
    port_close(fd);

    /* It is gone for good; what has its name is taken for its successor. */
    unplug(tree, &ftdi, "ttyUSB1");
    assert_int_equal(port_place_open(&place, &tree->roots, name, &line, &none, &fd), 0);
    assert_true(connected(fd, other_fd));
    assert_string_equal(place.identity.serial, "B1111111");
    port_close(fd);
    close(line_fd);
    close(other_fd);
}

static void an_adapter_without_a_serial_number_is_known_by_its_socket(void **state)
{
    const struct tree *tree = *state;
    struct port_place place = {0};
    char name[PORT_PATH_MAX], device[64], other[64];
    int fd, line_fd = pty(device), other_fd = pty(other);

    snprintf(name, sizeof name, "%s/ttyUSB0", tree->dev);
    plug(tree, &nameless, "ttyUSB0", device);
    plug(tree, &nameless_other, "ttyUSB1", other);
    assert_int_equal(port_place_open(&place, &tree->roots, name, &line, &none, &fd), 0);
    port_close(fd);
    /* After a start of the hub the two have changed their names. */
    plug(tree, &nameless, "ttyUSB1", device);
    plug(tree, &nameless_other, "ttyUSB0", other);
    assert_int_equal(port_place_open(&place, &tree->roots, name, &line, &none, &fd), 0);
    assert_true(connected(fd, line_fd));
    port_close(fd);
    close(line_fd);
    close(other_fd);
}

/* The same when the gateway was started anew in between. */
static void what_was_learnt_of_a_port_outlives_a_start(void **state)
{
    const struct tree *tree = *state;
    struct port_place before = {0}, after = {0};
    char name[PORT_PATH_MAX], device[64], other[64], text[PORT_PLACE_TEXT_MAX], wanted[512];
    char again[PORT_PLACE_TEXT_MAX];
    int fd, line_fd = pty(device), other_fd = pty(other);
    size_t size;

    snprintf(name, sizeof name, "%s/ttyUSB0", tree->dev);
    plug(tree, &ftdi, "ttyUSB0", device);
    assert_int_equal(port_place_news(&before, name, text), 0); /* nothing is known yet */
    assert_int_equal(port_place_open(&before, &tree->roots, name, &line, &none, &fd), 0);
    size = port_place_news(&before, name, text);
    snprintf(wanted, sizeof wanted, "port=1 name=%s usb=0403:6001 serial=A50285BI ", name);
    assert_memory_equal(text, wanted, strlen(wanted));
    assert_int_equal(port_place_news(&before, name, again), 0); /* nothing new */
    port_close(fd);

    plug(tree, &ftdi, "ttyUSB1", device);
    plug(tree, &ftdi_other, "ttyUSB0", other);
    assert_false(port_place_take(&after, "/dev/ttyUSB7", text, size));
    assert_false(port_place_take(&after, name, "port=2", 6));
    assert_true(port_place_take(&after, name, text, size));
    assert_int_equal(port_place_open(&after, &tree->roots, name, &line, &none, &fd), 0);
    assert_true(connected(fd, line_fd));
    assert_int_equal(port_place_news(&after, name, again), 0); /* it is the same */
    port_close(fd);
    close(line_fd);
    close(other_fd);
}

static void a_socket_takes_whatever_is_plugged_in(void **state)
{
    const struct tree *tree = *state;
    struct adapter successor = ftdi_other;
    struct port_place place = {0};
    char device[64];
    int fd, line_fd = pty(device);

    successor.socket = ftdi.socket;
    plug(tree, &ftdi, "ttyUSB0", device);
    assert_int_equal(
        port_place_open(&place, &tree->roots, "by-path:pci-usb-1-1", &line, &none, &fd), 0);
    port_close(fd);
    unplug(tree, &ftdi, "ttyUSB0");
    plug(tree, &successor, "ttyUSB5", device);
    assert_int_equal(
        port_place_open(&place, &tree->roots, "by-path:pci-usb-1-1", &line, &none, &fd), 0);
    assert_true(connected(fd, line_fd));
    port_close(fd);
    close(line_fd);
}

/* A process of its own that has the port locked until the pipe to it is closed. */
static pid_t lock_elsewhere(const char *device, int *pipe_fd)
{
    int ends[2], ready[2];
    char byte;

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(device, O_RDWR | O_NOCTTY);

        close(ends[1]);
        _exit(fd < 0 || flock(fd, LOCK_EX) < 0 || write(ready[1], "", 1) != 1 ||
              read(ends[0], &byte, 1) != 0);
    }
    close(ends[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    *pipe_fd = ends[1];
    return pid;
}

static void says_who_has_the_port(void **state)
{
    const struct tree *tree = *state;
    struct port_place place = {0};
    char device[64], expected[64];
    int fd, line_fd = pty(device), pipe_fd, status;
    pid_t pid = lock_elsewhere(device, &pipe_fd);

    plug(tree, &ftdi, "ttyUSB0", device);
    snprintf(expected, sizeof expected, "test_ports (process %ld) has it", (long)pid);
    assert_int_equal(port_place_open(&place, &tree->roots, "usb:0403:6001", &line, &none, &fd),
                     ERR_BUSY);
    if (!strstr(place.why, expected))
        fail_msg("%s\nnot in: %s", expected, place.why);
    close(pipe_fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(port_place_open(&place, &tree->roots, "usb:0403:6001", &line, &none, &fd), 0);
    assert_string_equal(place.why, "");

    /* A second bus of this very process. */
    struct port_place second = {0};
    int second_fd;

    assert_int_equal(
        port_place_open(&second, &tree->roots, "usb:0403:6001", &line, &none, &second_fd),
        ERR_BUSY);
    assert_non_null(strstr(second.why, "another bus of this gateway has it"));
    port_close(fd);
    close(line_fd);
}

static void minds_the_lock_file_of_a_program_that_runs(void **state)
{
    const struct tree *tree = *state;
    struct port_place place = {0};
    char device[64], text[32];
    int fd, line_fd = pty(device);

    plug(tree, &ftdi, "ttyUSB0", device);
    snprintf(text, sizeof text, "%10ld", (long)getppid());
    put_file(tree->locks, "LCK..ttyUSB0", text);
    assert_int_equal(port_place_open(&place, &tree->roots, "usb:0403:6001", &line, &none, &fd),
                     ERR_BUSY);
    snprintf(text, sizeof text, "(process %ld)", (long)getppid());
    assert_non_null(strstr(place.why, text));
    /* What a program that crashed left behind does not count. */
    put_file(tree->locks, "LCK..ttyUSB0", "999999999");
    assert_int_equal(port_place_open(&place, &tree->roots, "usb:0403:6001", &line, &none, &fd), 0);
    port_close(fd);
    close(line_fd);
}

static void a_port_that_switches_nothing_says_so(void **state)
{
    char device[64];
    int fd, line_fd = pty(device);

    (void)state;
    assert_int_equal(port_open(device, &line, &fd), 0);
    for (int mode = PORT_RS485_NONE; mode <= PORT_RS485_RTS; mode++) {
        struct port_rs485 rs485 = {.mode = mode};

        assert_int_equal(port_rs485_set(fd, &rs485), mode == PORT_RS485_NONE ? 0 : ERR_UNSUPPORTED);
        assert_int_equal(port_rs485_write(fd, &rs485, &line, "x", 1),
                         mode == PORT_RS485_RTS ? -1 : 1);
    }
    assert_false(port_rs485_by_kernel(device));
    port_close(fd);
    close(line_fd);
}

static void the_last_bit_has_left_when_port_and_wire_say_so(void **state)
{
    (void)state;
    /* 9600 8N1: ten bits of 104166 ns. */
    assert_int_equal(port_rs485_sent_ns(&line, 8, 1000, 2000), 1000 + 8 * INT64_C(1041666));
    assert_int_equal(port_rs485_sent_ns(&line, 8, 1000, 90000000), 90000000);
}

static void lists_what_to_configure(void **state)
{
    const struct tree *tree = *state;
    char *text = print(tree, false), device[64], other[64];
    struct port_place place = {0};
    int fd, line_fd = pty(device), other_fd = pty(other);

    assert_non_null(strstr(text, "no serial port"));
    free(text);
    plug(tree, &nameless, "ttyUSB10", other);
    plug(tree, &ftdi, "ttyUSB9", device);
    assert_int_equal(port_place_open(&place, &tree->roots, "usb:0403:6001", &line, &none, &fd), 0);
    text = print(tree, false);
    const char *first = strstr(text, "ttyUSB9"), *second = strstr(text, "ttyUSB10");

    if (!first || !second || first > second ||
        !strstr(first, "by-id:usb-FTDI_A50285BI-if00-port0") ||
        !strstr(first, "FTDI USB-RS485 Cable") || !strstr(first, "ftdi_sio") ||
        !strstr(first, "another bus of this gateway") || !strstr(second, "by-path:pci-usb-1-4"))
        fail_msg("%s", text);
    free(text);
    text = print(tree, true);
    assert_non_null(strstr(text, "\"port\": \"by-id:usb-FTDI_A50285BI-if00-port0\""));
    assert_non_null(strstr(text, "\"latency_ms\": 16"));
    assert_non_null(strstr(text, "\"rs485\": null"));
    assert_non_null(strstr(text, "\"rs485\": false"));
    free(text);
    port_close(fd);
    close(line_fd);
    close(other_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PORT_TEST(finds_a_port_by_every_name_that_it_has),
        PORT_TEST(refuses_names_that_can_be_no_port),
        PORT_TEST(an_adapter_that_gathers_bytes_is_told_not_to),
        PORT_TEST(an_adapter_is_found_again_under_another_name),
        PORT_TEST(an_adapter_without_a_serial_number_is_known_by_its_socket),
        PORT_TEST(what_was_learnt_of_a_port_outlives_a_start),
        PORT_TEST(a_socket_takes_whatever_is_plugged_in),
        PORT_TEST(says_who_has_the_port),
        PORT_TEST(minds_the_lock_file_of_a_program_that_runs),
        PORT_TEST(a_port_that_switches_nothing_says_so),
        PORT_TEST(the_last_bit_has_left_when_port_and_wire_say_so),
        PORT_TEST(lists_what_to_configure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
