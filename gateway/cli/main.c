#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "core/nearest.h"
#include "web/program.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"check", command_check, "check a configuration file and say what it means"},
    {"run", command_run, "run the gateway (what the daemon sluiced does)"},
    {"status", command_status, "show what the gateway is doing"},
    {"tail", command_tail, "show events as they become durable"},
    {"replay", command_replay, "print stored events of a time span"},
    {"state", command_state, "show every point's value at a moment"},
    {"journal", command_journal, "look into a journal: stat, verify, dump"},
    {"ports", command_ports, "list serial ports, their stable names, and who uses them"},
    {"write", command_write, "write a value to a point"},
    {"config", command_config, "list and compare changes of the configuration, and go back"},
    {"forget", command_forget, "drop what was learnt about a device"},
    {"read", command_read, "read Modbus registers once"},
    {"probe", command_probe, "find which of its points a device really has"},
    {"trace", command_trace, "show what goes over a Modbus line, frame by frame"},
    {"scan", command_scan, "find the Modbus devices on a line or behind a host"},
    {"assign", command_assign, "give a device its unit and line, and check it"},
    {"node", command_node, "sensor nodes: their versions, updates over the bus, the way back"},
    {"profile", command_profile, "list, show and check device profiles"},
    {"points", command_points, "points of a device to a table (CSV) and back"},
    {"sunspec", command_sunspec, "write the profile of a SunSpec device, as it describes itself"},
    {"doctor", command_doctor, "find out why an uplink does not reach its broker"},
    {"drill", command_drill, "cut an uplink off for minutes, and count what that did"},
    {"health", command_health, "say whether the gateway has proven itself since its start"},
    {"setup", command_setup, "show the code by which the page's first visitor becomes the owner"},
    {"accounts", command_accounts, "list, add and remove who may log in to the page"},
    {"password", command_password, "set a lost password anew"},
    {"tokens", command_tokens, "list, make and remove the tokens of programs"},
    {"identity", command_identity, "say whether the machine was replaced or its card copied"},
    {"update", command_update, "install an update of the whole system, or go back"},
    {"network", command_network, "set the addresses of this machine"},
    {"wishes", command_wishes, "carry out what the daemon asks root for (for the system's units)"},
    {"audit", command_audit, "subscribe and prove that nothing is missing"},
    {"schema", command_schema, "print the JSON Schema of the configuration"},
};

static void help(FILE *out)
{
    fprintf(out, "Usage: sluice COMMAND [flags]\n\n"
                 "Sluice carries field values to MQTT brokers and loses none of them.\n\n"
                 "Commands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\nsluice help COMMAND, or sluice COMMAND --help, tells more.\n\n"
                 "Exit status: 0 done; 1 the answer is no (faults found, values missing);\n"
                 "2 wrong arguments; 3 errors in the configuration; 4 the daemon does not\n"
                 "answer; 5 a file, port or other resource cannot be used.\n");
}

static bool called(const char *argument, const char *name)
{
    const char *slash = strrchr(argument, '/');

    return strcmp(slash ? slash + 1 : argument, name) == 0;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int tell_unknown(const char *name)
{
    struct nearest nearest;

    if (name[0] == '-') {
        fprintf(stderr,
                "sluice: flags stand behind the command, as in sluice status %s. Try "
                "sluice --help.\n",
                name);
        return EXIT_CODE_USAGE;
    }
    nearest_init(&nearest, name);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        nearest_offer(&nearest, commands[i].name);
    fprintf(stderr, "sluice: there is no command \"%s\".%s%s%s Try sluice --help.\n", name,
            nearest.best ? " Did you mean " : "", nearest.best ? nearest.best : "",
            nearest.best ? "?" : "");
    return EXIT_CODE_USAGE;
}

/* "help node update" is "node update --help": the words behind it lead to a command, and to one of
 * its own commands where it has any. */
static int help_of(int argc, char **argv)
{
    const struct command *command = find_command(argv[1]);
    static char flag[] = "--help";

    if (!command)
        return tell_unknown(argv[1]);
    char *words[] = {argv[1], argc > 2 ? argv[2] : flag, argc > 2 ? flag : NULL, NULL};
    return command->run(argc > 2 ? 3 : 2, words);
}

int main(int argc, char **argv)
{
    if (argc > 0 && called(argv[0], "sluiced"))
        return gateway_main(argc, argv, "sluiced");
    program_follow_parent();

    const char *name = argc > 1 ? argv[1] : "--help";

    if (is_help(name) && argc > 2)
        return help_of(argc - 1, argv + 1);
    if (is_help(name)) {
        help(argc > 1 ? stdout : stderr);
        return argc > 1 ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    }
    const struct command *command = find_command(name);
    if (command) {
        static char words[64]; /* what its sentences begin with */

        snprintf(words, sizeof words, "sluice %s", command->name);
        program_invocation_name = words;
        return command->run(argc - 1, argv + 1);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("sluice %s\n", SLUICE_VERSION);
        return EXIT_CODE_OK;
    }
    return tell_unknown(name);
}
