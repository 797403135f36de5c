/* Sensor nodes: what is in them, a new version over their bus, and the way back. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/find_config.h"
#include "cli/node_file.h"
#include "cli/node_state.h"
#include "cli/node_update.h"
#include "core/error.h"

#define TRIES 5

struct node_given {
    struct node_flags flags;
    const char *reads;
    struct node_wish wish;
};

static int run_status(struct node_link *link, const struct node_given *given)
{
    struct node_state state;
    int error = node_state_read(link, &state, TRIES);

    if (error)
        return node_state_tell(link, error);
    node_state_print(&state, given->wish.json);
    return state.boot_loader ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

static int show(struct node_link *link, const struct node_state *state,
                const struct node_given *given)
{
    char line[NODE_STATE_JSON_SIZE];

    node_state_json(state, line, sizeof line);
    told_line(&link->told, line, true);
    node_state_print(state, given->wish.json);
    return EXIT_CODE_OK;
}

static int run_confirm(struct node_link *link, const struct node_given *given)
{
    struct node_state state;
    int error = node_state_read(link, &state, TRIES);

    if (!error)
        error = node_update_command(link, UPDATE_CONFIRM, state.reply_ms);
    if (!error)
        error = node_state_read(link, &state, TRIES);
    return error ? node_update_tell(link, error) : show(link, &state, given);
}

static int run_rollback(struct node_link *link, const struct node_given *given)
{
    struct node_state state;
    unsigned before;
    int error = node_update_back(link, &state, &before);

    if (error)
        return node_update_tell(link, error);
    if (state.running != before)
        return show(link, &state, given);
    fprintf(stderr, "%s: the node still runs what it ran: %s\n", link->command,
            node_state_was_left(&state, before)
                ? "the other version is damaged"
                : "the request to go back did not reach it. Say it again; when that does not help, "
                  "look at the line");
    return EXIT_CODE_FAILED;
}

/* What can be said of a node in one go. */
struct simple {
    const char *name, *about;
    const char *job; /* as what it is told to the daemon; NULL: it changes nothing */
    int (*run)(struct node_link *link, const struct node_given *given);
};

static int with_link(const char *operand, const struct node_given *given,
                     const struct simple *simple)
{
    static struct node_link link;
    int code = node_link_open(&link, operand, &given->flags, simple->name);

    if (code == EXIT_CODE_OK) {
        link.told.kind = simple->job;
        told_keep(&link.told); /* it begins */
        code = simple->run(&link, given);
        told_end(&link.told, code);
    }
    node_link_close(&link);
    return code;
}

static int update(const char *operand, const char *path, struct node_given *given, const char *name)
{
    static struct node_link link;
    struct node_file file;
    int64_t reads = 10;
    int code;

    if (!bench_number(given->reads, name, "reads", 1, 1000, &reads))
        return EXIT_CODE_USAGE;
    given->wish.reads = (int)reads;
    code = node_file_open(&file, path, name);
    if (code == EXIT_CODE_OK)
        code = node_link_open(&link, operand, &given->flags, name);
    if (code == EXIT_CODE_OK)
        code = node_update_run(&link, &file, &given->wish);
    node_link_close(&link);
    node_file_close(&file);
    return code;
}

#define PLACE_FLAGS(given)                                                                         \
    {"config", 'c', "FILE", FIND_CONFIG_HELP, &(given).flags.config, NULL},                        \
        {"unit",                                                                                   \
         'a',                                                                                      \
         "N",                                                                                      \
         "where a port or host is named: the node's unit; 1 unless\ngiven",                        \
         &(given).flags.unit,                                                                      \
         NULL},                                                                                    \
        {"line",                                                                                   \
         'l',                                                                                      \
         "SETTINGS",                                                                               \
         "where a port is named: its line; 9600 8E1 unless given",                                 \
         &(given).flags.line,                                                                      \
         NULL},                                                                                    \
        {"frames",                                                                                 \
         'f',                                                                                      \
         "KIND",                                                                                   \
         "where a host is named: tcp, or rtu for a device server that\nhands the bytes of its "    \
         "line on as they are; tcp unless given",                                                  \
         &(given).flags.frames,                                                                    \
         NULL},                                                                                    \
        {"json", 'J', NULL, "as JSON", NULL, &(given).wish.json},                                  \
        COMMAND_SOCKET_FLAG(&(given).flags.socket)

#define TOLD_ABOUT "The page shows it as a job (GET /api/v1/jobs) where a device is named.\n"

static int command_simple(int argc, char **argv, const struct simple *simple)
{
    struct node_given given = {.flags = {.socket = gateway_socket_path()}};
    const struct args_flag flags[] = {PLACE_FLAGS(given), {0}};
    const struct args_command command = {
        .name = simple->name,
        .operands = " DEVICE|PORT|HOST",
        .operands_min = 1,
        .operands_max = 1,
        .about = simple->about,
        .after = "Exit status: 1 the node says no, does not answer, or its boot loader answers; 2 "
                 "there\n"
                 "is no such device; 3 errors in the configuration; 4 there is no daemon, and no\n"
                 "configuration; 5 the port cannot be used.\n",
        .flags = flags,
    };

    int first = args_parse(argc, argv, &command);
    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    return with_link(argv[first], &given, simple);
}

#define UPDATE_ABOUT                                                                               \
    "Sends a new version to a sensor node over its bus, has it started, and confirms it\n"         \
    "after ten good answers. What runs meanwhile is not touched; a version that does not\n"        \
    "work goes away by itself, and an update that was cut off goes on where it was.\n"             \
    "Where the gateway polls the line, it goes on polling: the line is borrowed for a\n"           \
    "moment at a time.\n" TOLD_ABOUT

static int command_node_update(int argc, char **argv)
{
    static const char name[] = "sluice node update";
    struct node_given given = {.flags = {.socket = gateway_socket_path()}};
    const struct args_flag flags[] = {
        PLACE_FLAGS(given),
        {"older", 'o', NULL, "also a version that is older than the one that runs", NULL,
         &given.wish.older},
        {"no-confirm", 'n', NULL, "leave it on trial: sluice node confirm comes later", NULL,
         &given.wish.no_confirm},
        {"reads", 'r', "N", "good answers before it is confirmed; 10 unless given", &given.reads,
         NULL},
        {"slice", 'S', "MS", "how long the line is borrowed at a time; 400 unless given",
         &given.flags.slice, NULL},
        {"pause", 'p', "MS", "how long the gateway has it in between; 600 unless given",
         &given.flags.pause, NULL},
        {0},
    };
    const struct args_command command = {
        .name = name,
        .operands = " DEVICE|PORT|HOST FILE",
        .operands_min = 2,
        .operands_max = 2,
        .about = UPDATE_ABOUT,
        .after = "Exit status: 1 the node says no, does not answer, or went back; 5 the file or "
                 "the\nport cannot be used.\n\n"
                 "Examples: sluice node update node-3 sluice-node-microbit-1.4.0.snu\n"
                 "          sluice node update /dev/ttyUSB0 --unit 3 --line \"19200 8E1\" FILE\n"
                 "          sluice node update 10.0.7.20:4001 --unit 3 --frames rtu FILE\n",
        .flags = flags,
    };

    int first = args_parse(argc, argv, &command);
    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    return update(argv[first], argv[first + 1], &given, name);
}

static int command_node_file(int argc, char **argv)
{
    static const char name[] = "sluice node file";
    bool json = false;
    const struct args_flag flags[] = {{"json", 'J', NULL, "as JSON", NULL, &json}, {0}};
    const struct args_command command = {
        .name = name,
        .operands = " FILE",
        .operands_min = 1,
        .operands_max = 1,
        .about = "Shows which version for which board is in a file for updates, and whether it is\n"
                 "whole. Who signed it is the node's to judge.\n",
        .after = "Exit status: 5 the file is not there, or damaged.\n",
        .flags = flags,
    };
    struct node_file file;
    int first = args_parse(argc, argv, &command), code;

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    code = node_file_open(&file, argv[first], name);
    if (code == EXIT_CODE_OK)
        node_file_print(&file, json);
    node_file_close(&file);
    return code;
}

static void help(FILE *out)
{
    fprintf(out, "Usage: sluice node COMMAND DEVICE|PORT|HOST [flags]\n\n"
                 "Sensor nodes and their firmware.\n\n"
                 "  status    what is in both slots of a node, and what runs\n"
                 "  update    send a new version over the bus\n"
                 "  confirm   keep the version that is on trial\n"
                 "  rollback  go back to the version before\n"
                 "  file      what is in a file for updates\n\n"
                 "sluice node COMMAND --help tells more.\n");
}

int command_node(int argc, char **argv)
{
    static const struct simple status = {"sluice node status",
                                         "Shows what is in both slots of a sensor node, and which "
                                         "of them runs.\n",
                                         NULL, run_status};
    static const struct simple confirm = {"sluice node confirm",
                                          "Keeps the version that is on trial.\n" TOLD_ABOUT,
                                          "node-confirm", run_confirm};
    static const struct simple rollback = {"sluice node rollback",
                                           "Goes back to the version in the other slot, which was "
                                           "confirmed before.\n" TOLD_ABOUT,
                                           "node-rollback", run_rollback};
    const char *name = argc > 1 ? argv[1] : "--help";

    if (strcmp(name, "status") == 0)
        return command_simple(argc - 1, argv + 1, &status);
    if (strcmp(name, "update") == 0)
        return command_node_update(argc - 1, argv + 1);
    if (strcmp(name, "confirm") == 0)
        return command_simple(argc - 1, argv + 1, &confirm);
    if (strcmp(name, "rollback") == 0)
        return command_simple(argc - 1, argv + 1, &rollback);
    if (strcmp(name, "file") == 0)
        return command_node_file(argc - 1, argv + 1);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help(argc > 1 ? stdout : stderr);
        return argc > 1 ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    }
    fprintf(stderr, "sluice node: there is no \"%s\": status, update, confirm, rollback, file\n",
            name);
    return EXIT_CODE_USAGE;
}
