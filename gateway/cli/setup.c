#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/client.h"
#include "cli/command.h"

int command_setup(int argc, char **argv)
{
    const char *socket_path = gateway_socket_path();
    char *body = NULL;
    const struct args_flag flags[] = {
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice setup",
        .operands = "",
        .about =
            "Shows the setup code, by which the first visitor of the page becomes the owner of\n"
            "the gateway.\n",
        .after = "Exit status: 1 the gateway has an owner already; 4 the daemon does not answer.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    int status = client_get_body(socket_path, "/api/v1/setup", &body);
    if (status != EXIT_CODE_OK)
        return status;
    cJSON *root = cJSON_Parse(body);
    const char *setup_code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "code"));
    if (setup_code)
        printf("%s\n", setup_code);
    else
        fprintf(stderr,
                "sluice setup: the gateway has an owner already; \"sluice accounts\" lists who may "
                "log in, \"sluice password NAME\" sets a lost password anew\n");
    cJSON_Delete(root);
    free(body);
    return setup_code ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}
