/* An update of a node from the command line, of which all is in the node already but the start, on
 * a line that loses what the test says. */
// links: sluice_cli sluice_node
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/node_polls.h"
#include "cli/node_update.h"
#include "core/error.h"
#include "daemon/gateway.h"

/* The node, as its window shows it, and its line. */
static struct {
    uint16_t window[UPDATE_READ_COUNT];
    int starts;        /* commands to start that were sent */
    int lose_requests; /* so many of them do not arrive */
    int lose_replies;  /* of so many that arrive nobody hears */
} node;

int node_link_read(struct node_link *link, unsigned index, unsigned count, uint16_t *values,
                   int tries)
{
    (void)link;
    (void)tries;
    assert_true(index + count <= UPDATE_READ_COUNT);
    memcpy(values, node.window + index, count * sizeof *values);
    return 0;
}

int node_link_ask(struct node_link *link, uint8_t function, uint16_t address, unsigned count,
                  uint16_t *values, int tries)
{
    (void)link;
    (void)function;
    (void)address;
    (void)count;
    (void)tries;
    values[0] = 1;
    return 0;
}

/* What the command does to the node. */
static void obey(unsigned command)
{
    if (command == UPDATE_START) {
        node.window[UPDATE_AT_RUNNING] = 1;
        node.window[UPDATE_AT_STATES + 1] = SLOT_TRIAL;
    } else if (command == UPDATE_CONFIRM) {
        node.window[UPDATE_AT_STATES + 1] = SLOT_CONFIRMED;
    }
}

int node_link_write(struct node_link *link, unsigned index, const uint8_t *data, size_t size,
                    int64_t timeout_ms)
{
    bool start = index == UPDATE_AT_COMMAND && data[1] == UPDATE_START;

    (void)link;
    (void)size;
    (void)timeout_ms;
    node.starts += start;
    if (start && node.lose_requests > 0) {
        node.lose_requests--;
        return ERR_TIMEOUT;
    }
    if (index == UPDATE_AT_COMMAND)
        obey(data[1]);
    if (start && node.lose_replies > 0) {
        node.lose_replies--;
        return ERR_TIMEOUT;
    }
    return 0;
}

int node_link_pause(struct node_link *link, int64_t for_ns)
{
    (void)link;
    (void)for_ns;
    return 0;
}

int node_link_tell(const struct node_link *link, int error)
{
    (void)link;
    (void)error;
    return EXIT_CODE_FAILED;
}

bool node_polls_open(struct node_polls *polls, const struct node_link *link)
{
    (void)polls;
    (void)link;
    return false;
}

int node_polls_look(struct node_polls *polls)
{
    (void)polls;
    return 0;
}

/* A version runs in slot A, and slot B is filled, unless it is said to be in another phase. Returns
 * the exit code. */
static int run_update_in(enum update_phase phase, int lose_requests, int lose_replies)
{
    static const uint8_t part[IMAGE_HEADER_SIZE + IMAGE_ALIGN] = {[IMAGE_BOARD_AT] = 'm', 'o'};
    const struct node_file file = {.part = {part, part}};
    const struct node_wish wish = {.reads = 2, .json = true};
    struct node_link link = {.command = "sluice node update"};

    memset(&node, 0, sizeof node);
    node.lose_requests = lose_requests;
    node.lose_replies = lose_replies;
    node.window[UPDATE_AT_MAGIC] = UPDATE_MAGIC;
    node.window[UPDATE_AT_WINDOW] = UPDATE_WINDOW;
    node.window[UPDATE_AT_BLOCK_MAX] = UPDATE_BLOCK_MAX;
    node.window[UPDATE_AT_BOARD] = 'm' << 8 | 'o';
    node.window[UPDATE_AT_STATES] = SLOT_CONFIRMED;
    node.window[UPDATE_AT_STATES + 1] = SLOT_FILLED;
    node.window[UPDATE_AT_PHASE] = phase;
    return node_update_run(&link, &file, &wish);
}

static int run_update(int lose_requests, int lose_replies)
{
    return run_update_in(UPDATE_COMPLETE, lose_requests, lose_replies);
}

static void a_lost_request_to_start_is_sent_again(void **state)
{
    (void)state;
    assert_int_equal(run_update(0, 0), EXIT_CODE_OK);
    assert_int_equal(node.starts, 1);
    assert_int_equal(run_update(2, 0), EXIT_CODE_OK);
    assert_int_equal(node.starts, 3);
    assert_int_equal(node.window[UPDATE_AT_RUNNING], 1);
}

/* It is not sent to a node that has started it: a try would be used up. */
static void a_lost_reply_is_no_lost_request(void **state)
{
    (void)state;
    assert_int_equal(run_update(0, 1), EXIT_CODE_OK);
    assert_int_equal(node.starts, 1);
}

static void it_gives_up_and_the_node_is_as_before(void **state)
{
    (void)state;
    assert_int_equal(run_update(1000, 0), EXIT_CODE_FAILED);
    assert_in_range(node.starts, 2, 10);
    assert_int_equal(node.window[UPDATE_AT_RUNNING], 0);
    assert_int_equal(node.window[UPDATE_AT_STATES + 1], SLOT_FILLED);
}

/* It says that no page is left to be erased, and that it erases. */
static void a_node_that_never_ends_is_given_up(void **state)
{
    (void)state;
    assert_int_equal(run_update_in(UPDATE_ERASING, 0, 0), EXIT_CODE_FAILED);
    assert_int_equal(node.starts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_request_to_start_is_sent_again),
        cmocka_unit_test(a_lost_reply_is_no_lost_request),
        cmocka_unit_test(it_gives_up_and_the_node_is_as_before),
        cmocka_unit_test(a_node_that_never_ends_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
