#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"

int command_forget(int argc, char **argv)
{
    const char *what = "all", *socket_path = gateway_socket_path();
    char path[CLIENT_PATH_SIZE_MAX];
    const struct args_flag flags[] = {
        {"what", 'w', "WHAT",
         "blocks: how it is read (sizes, gaps, refusals, times);\nidentity: who it is; all unless "
         "given",
         &what, NULL},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice forget",
        .operands = " DEVICE",
        .operands_min = 1,
        .operands_max = 1,
        .about = "Has the gateway forget what it has learnt about a device: it is learnt again.\n"
                 "After another firmware or other settings of the device (blocks), and before a\n"
                 "device is replaced on purpose, without an alarm (identity).\n",
        .after = "Exit status: 2 there is no such device, or its driver learns nothing; 4 the\n"
                 "daemon does not answer. To forget what is forgotten already is no error.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);
    char *answer = NULL;

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    strcpy(path, "/api/v1/forget");
    client_add_query(path, "device", argv[first]);
    client_add_query(path, "what", what);
    int code = client_send_body(socket_path, "POST", path, "", &answer);
    if (code == EXIT_CODE_OK)
        printf("%s: what was learnt is forgotten (%s); it is learnt again\n", argv[first], what);
    free(answer);
    return code == EXIT_CODE_FAILED ? EXIT_CODE_USAGE : code;
}
