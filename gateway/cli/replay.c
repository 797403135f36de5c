#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/kinds.h"
#include "cli/moment.h"
#include "cli/offline.h"

struct replay_arguments {
    const char *from, *to, *device, *point, *kind, *format, *journal, *socket_path;
    int64_t from_ns, to_ns;
    uint32_t kinds;
};

static int replay_offline(const struct replay_arguments *arguments)
{
    struct feed_query query = {
        .from_ns = arguments->from_ns,
        .to_ns = arguments->to_ns,
        .device = arguments->device,
        .point = arguments->point,
        .kinds = arguments->kinds,
        .format = strcmp(arguments->format, "csv") == 0 ? FEED_CSV : FEED_JSON,
    };
    struct offline offline;
    int code = offline_open(&offline, arguments->journal);
    if (code)
        return code;
    code = offline_feed(&offline, &query, stdout);
    offline_close(&offline);
    return code;
}

static int replay_by_daemon(const struct replay_arguments *arguments)
{
    char path[CLIENT_PATH_SIZE_MAX];

    strcpy(path, "/api/v1/events");
    moment_add_query(path, "from", arguments->from, arguments->from_ns);
    moment_add_query(path, "to", arguments->to, arguments->to_ns);
    client_add_query(path, "device", arguments->device);
    client_add_query(path, "point", arguments->point);
    client_add_query(path, "kind", arguments->kind);
    client_add_query(path, "format", arguments->format);
    return client_get(arguments->socket_path, path, stdout);
}

int command_replay(int argc, char **argv)
{
    struct replay_arguments arguments = {.format = "json",
                                         .socket_path = gateway_socket_path(),
                                         .from_ns = INT64_MIN,
                                         .to_ns = INT64_MAX};
    const struct args_flag flags[] = {
        {"from", 'f', "TIME", "from this time on; the oldest unless given", &arguments.from, NULL},
        {"to", 't', "TIME", "up to this time; the newest unless given", &arguments.to, NULL},
        {"device", 'd', "ID", "only this device", &arguments.device, NULL},
        {"point", 'p', "ID", "only this point", &arguments.point, NULL},
        {"kind", 'k', "KINDS", "only these: reading,state,alarm,gap,...", &arguments.kind, NULL},
        {"format", 'F', "FORMAT", "json (an object a line), which it is unless given, or csv",
         &arguments.format, NULL},
        {"json", 'J', NULL, "the same as --format json", NULL, NULL},
        {"journal", 'j', "DIR", "read this folder instead of asking the daemon", &arguments.journal,
         NULL},
        COMMAND_SOCKET_FLAG(&arguments.socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice replay",
        .operands = "",
        .about = "Prints stored events of a time span, oldest first.\n\n" MOMENT_HELP,
        .after =
            "Exit status: 2 nothing is stored of such a device or point; 4 the daemon does not\n"
            "answer; 5 there is no journal in that folder.\n\n"
            "Example: sluice replay --from -2h --device boiler --format csv > boiler.csv\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (strcmp(arguments.format, "json") != 0 && strcmp(arguments.format, "csv") != 0) {
        fprintf(stderr, "sluice replay: --format is json or csv\n");
        return EXIT_CODE_USAGE;
    }
    if (moment_parse_span("sluice replay", arguments.from, arguments.to, &arguments.from_ns,
                          &arguments.to_ns) != EXIT_CODE_OK ||
        kinds_parse("sluice replay", arguments.kind, &arguments.kinds) != EXIT_CODE_OK)
        return EXIT_CODE_USAGE;
    return arguments.journal ? replay_offline(&arguments) : replay_by_daemon(&arguments);
}
