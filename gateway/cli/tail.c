#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/kinds.h"
#include "cli/moment.h"

int command_tail(int argc, char **argv)
{
    char path[CLIENT_PATH_SIZE_MAX];
    const char *socket_path = gateway_socket_path();
    const char *from = NULL, *device = NULL, *point = NULL, *kind = NULL, *format = "json",
               *limit = NULL;
    const struct args_flag flags[] = {
        {"from", 'f', "TIME", "begin there instead of now: -10m, 2026-11-23T16:20", &from, NULL},
        {"device", 'd', "ID", "only this device", &device, NULL},
        {"point", 'p', "ID", "only this point", &point, NULL},
        {"kind", 'k', "KINDS", "only these: reading,state,alarm,gap,...", &kind, NULL},
        {"limit", 'n', "N", "end after N events", &limit, NULL},
        {"format", 'F', "FORMAT", "json (an object a line), which it is unless given, or csv",
         &format, NULL},
        {"json", 'J', NULL, "the same as --format json", NULL, NULL},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice tail",
        .operands = "",
        .about = "Shows events as they become durable in the journal, until it is "
                 "interrupted.\n\n" MOMENT_HELP,
        .after =
            "Exit status: 2 nothing is stored of such a device or point; 4 the daemon does not\n"
            "answer, or ended meanwhile.\n\n"
            "Example: sluice tail --device boiler --kind reading,state\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);
    int64_t from_ns = 0;
    uint32_t kinds = 0;

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (moment_parse("sluice tail", "from", from, &from_ns) != EXIT_CODE_OK ||
        kinds_parse("sluice tail", kind, &kinds) != EXIT_CODE_OK)
        return EXIT_CODE_USAGE;
    strcpy(path, "/api/v1/events?follow=1");
    moment_add_query(path, "from", from, from_ns);
    if (!from)
        client_add_query(path, "newest", "1");
    client_add_query(path, "device", device);
    client_add_query(path, "point", point);
    client_add_query(path, "kind", kind);
    client_add_query(path, "limit", limit);
    client_add_query(path, "format", format);
    int code = client_get(socket_path, path, stdout);
    if (code == EXIT_CODE_OK && !limit) {
        fprintf(stderr,
                "sluice tail: the daemon ended the connection: it was stopped, or it died\n");
        return EXIT_CODE_NO_DAEMON;
    }
    return code;
}
