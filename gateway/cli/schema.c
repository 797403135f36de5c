#include <stdio.h>

#include "cli/command.h"
#include "config/config.h"

int command_schema(int argc, char **argv)
{
    struct config_parts parts;
    bool profile = false;
    const struct args_flag flags[] = {
        {"profile", 'p', NULL, "the schema of device profiles", NULL, &profile},
        {0},
    };
    const struct args_command command = {
        .name = "sluice schema",
        .operands = "",
        .about = "Prints the JSON Schema of the configuration file, for editors: name it in the\n"
                 "file's \"$schema\".\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    gateway_config_parts(&parts);
    return (profile ? config_profile_schema : config_schema)(&parts, stdout) ? EXIT_CODE_SYSTEM
                                                                             : EXIT_CODE_OK;
}
