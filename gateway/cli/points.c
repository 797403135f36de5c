/* Points of a device in a spreadsheet, and back. */
#include "config/points.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "core/error.h"

static int exit_code(int error)
{
    switch (error) {
    case 0:
        return EXIT_CODE_OK;
    case ERR_NOT_FOUND:
        return EXIT_CODE_USAGE;
    case ERR_CONFIG:
        return EXIT_CODE_CONFIG;
    default:
        return EXIT_CODE_SYSTEM;
    }
}

/* "," or ";" or "tab". */
static bool parse_separator(const char *text, char *separator)
{
    if (strcmp(text, "tab") == 0)
        *separator = '\t';
    else if (strcmp(text, ",") == 0 || strcmp(text, ";") == 0)
        *separator = *text;
    else
        return false;
    return true;
}

int command_points(int argc, char **argv)
{
    const char *separated = ",", *driver = NULL;
    struct config_parts parts;
    char separator;
    const struct args_flag flags[] = {
        {"separator", 's', "CHARACTER", "export: \",\", \";\" or tab; a comma unless given",
         &separated, NULL},
        {"driver", 'd', "NAME",
         "import: of the bus that the points are on; unless given\nthe one that fits the columns",
         &driver, NULL},
        {0},
    };
    const struct args_command command = {
        .name = "sluice points",
        .operands = " export FILE DEVICE | import TABLE",
        .operands_min = 2,
        .operands_max = 3,
        .about =
            "Puts the points of a device into a table for spreadsheets, one line a point, and\n"
            "takes them back.\n\n"
            "  export  writes the points that a device of the configuration FILE has, as CSV\n"
            "  import  checks such a table as sluice check would, and writes its points as\n"
            "          JSON, for \"points\" of a device. A device can also name the table\n"
            "          itself: \"points\": \"boiler.csv\"\n\n"
            "The first line names the columns: id, reg, type, ..., write.min, write.max,\n"
            "write.step for the limits of what may be written, or write (true) without limits.\n",
        .after = "Exit status: 2 there is no such device or driver; 3 there are errors in the "
                 "file; 5 it\n"
                 "cannot be read.\n\n"
                 "Example: sluice points export sluice.json boiler > boiler.csv\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (!parse_separator(separated, &separator)) {
        fprintf(stderr, "sluice points: --separator is \",\", \";\" or tab, not \"%s\"\n",
                separated);
        return EXIT_CODE_USAGE;
    }
    gateway_config_parts(&parts);
    if (strcmp(argv[first], "export") == 0 && argc - first == 3)
        return exit_code(points_export(argv[first + 1], argv[first + 2], separator, &parts, stdout,
                                       config_tell_stdio, stderr));
    if (strcmp(argv[first], "import") == 0 && argc - first == 2)
        return exit_code(
            points_import(argv[first + 1], driver, &parts, stdout, config_tell_stdio, stderr));
    fprintf(stderr, "sluice points: export FILE DEVICE or import TABLE is expected\n");
    return EXIT_CODE_USAGE;
}
