#include <stdio.h>

#include "cli/command.h"
#include "config/config.h"
#include "config/explain.h"
#include "daemon/room.h"

/* Of the machine that the check runs on: it may not be the one that the file is for. */
static void tell_of_room(const struct config *config)
{
    const char *path = room_path(&config->journal);
    struct room room;
    char words[ROOM_WORDS_SIZE];

    if (room_look(path, &room) && room_lacks(&config->journal, path, &room, words))
        fprintf(stderr, "warning, for this machine: %s\n", words);
}

int command_check(int argc, char **argv)
{
    struct config_parts parts;
    struct config *config = NULL;
    bool json = false;
    const struct args_flag flags[] = {
        {"json", 'J', NULL, "what the file means as one JSON object", NULL, &json},
        {0},
    };
    const struct args_command command = {
        .name = "sluice check",
        .operands = " FILE",
        .operands_min = 1,
        .operands_max = 1,
        .about = "Checks a configuration file completely and tells every error with line, key,\n"
                 "what was found and what is allowed. For a file without errors it says what the\n"
                 "file means: load of each bus, MB a month of each uplink, days of outage that\n"
                 "the journal holds, what can be written within which limits and by commands on\n"
                 "which topic, and in which time zone aligned points are read. It warns when this\n"
                 "machine's disk has no room for what the journal may keep.\n",
        .after = "Exit status: 3 when there are errors.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    gateway_config_parts(&parts);
    if (config_load(&config, argv[first], &parts, config_tell_stdio, stderr))
        return EXIT_CODE_CONFIG;
    if (json)
        config_explain_json(config, stdout);
    else
        config_explain(config, stdout);
    tell_of_room(config);
    config_free(config);
    return EXIT_CODE_OK;
}
