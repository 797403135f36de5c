/* The daemon's command line. */
#include <malloc.h>

#include "core/log.h"
#include "daemon/args.h"
#include "daemon/gateway.h"

#define LARGE_BYTES (128 * 1024)

int gateway_main(int argc, char **argv, const char *name)
{
    struct gateway_options options = {0};
    const struct args_flag flags[] = {
        {"config", 'c', "FILE", "the configuration; " GATEWAY_CONFIG_PATH " unless given",
         &options.config_path, NULL},
        {"journal", 'j', "DIR",
         "the folder of the journal; journal.path of the\nconfiguration, "
         "else " GATEWAY_JOURNAL_PATH,
         &options.journal_path, NULL},
        {"state", 't', "DIR",
         "the folder of accounts, certificates and earlier\nconfigurations; \"state\" beside the "
         "folder that\n--journal names, else " GATEWAY_STATE_PATH,
         &options.state_path, NULL},
        {"socket", 's', "PATH", "the socket for the CLI; " GATEWAY_SOCKET_PATH " unless given",
         &options.socket_path, NULL},
        {0},
    };
    const struct args_command command = {
        .name = name,
        .operands = "",
        .about = "Runs the gateway in the foreground until SIGTERM or SIGINT. SIGHUP applies a\n"
                 "changed configuration file: only the buses and uplinks that changed restart.\n"
                 "A file with errors is refused, and the running configuration stays.\n",
        .after = "Environment: SLUICE_LOG is the log level (error, warn, info, debug), for all\n"
                 "or for a part: SLUICE_LOG=info,uplink=debug. SLUICE_SOCKET is the socket\n"
                 "where --socket names none.\n\n"
                 "Exit status: 0 ended by a signal, 2 wrong arguments, 3 errors in the\n"
                 "configuration, 5 the journal's folder cannot be used. Without its socket\n"
                 "it runs on and says so: only sluice cannot reach it then.\n",
        .flags = flags,
        .astray = "config",
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    /* Threads on a small board: two heaps serve them all, without a reserve for each, and what is
     * large (an answer of the API) goes back to the system when it is freed. */
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    log_init();
    log_keep();
    return gateway_run(&options);
}
