#include "cli/command.h"

int command_run(int argc, char **argv)
{
    return gateway_main(argc, argv, "sluice run");
}
