/*
 * The whole gateway: reads the configuration, opens the journal, starts buses, uplinks and the API,
 * and runs until it is told to stop. SIGHUP applies a changed configuration; SIGTERM and SIGINT end
 * it in order.
 */
#ifndef SLUICE_DAEMON_GATEWAY_H
#define SLUICE_DAEMON_GATEWAY_H

struct config_parts; /* config/config.h */

#define GATEWAY_CONFIG_PATH  "/etc/sluice/sluice.json"
#define GATEWAY_JOURNAL_PATH "/var/lib/sluice/journal"
#define GATEWAY_STATE_PATH   "/var/lib/sluice/state"
#define GATEWAY_SOCKET_PATH  "/run/sluice/api.sock"

/* Exit codes of the daemon and of the CLI; documented in docs/cli.md. */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILED = 1,    /* it ran, and the answer is no: faults found, values missing */
    EXIT_CODE_USAGE = 2,     /* the command line is wrong */
    EXIT_CODE_CONFIG = 3,    /* the configuration has errors */
    EXIT_CODE_NO_DAEMON = 4, /* the daemon does not answer */
    EXIT_CODE_SYSTEM = 5,    /* a file, folder, port or memory is missing */
};

struct gateway_options {
    const char *config_path;  /* NULL: GATEWAY_CONFIG_PATH */
    const char *journal_path; /* NULL: as configured, else GATEWAY_JOURNAL_PATH */
    const char *socket_path;  /* NULL: gateway_socket_path() */
    /* The folder of what is neither configuration nor journal: accounts, certificates, earlier
       configurations. NULL: "state" beside the journal_path that is given, else GATEWAY_STATE_PATH;
       the configuration has no say in it, so that what is kept there stays when it changes. */
    const char *state_path;
};

/* Runs the gateway in this thread until a signal ends it. Returns an exit code. Blocks signals:
 * call before threads are made. */
int gateway_run(const struct gateway_options *options);

/* The socket between daemon and CLI where the command line names none: that of the environment
 * (SLUICE_SOCKET), else GATEWAY_SOCKET_PATH. */
const char *gateway_socket_path(void);

/* The drivers and option tables that this program is built with, for whoever reads a configuration.
 */
void gateway_config_parts(struct config_parts *parts);

/* The daemon's command line, under the name that it was called by: sluiced, or sluice run. Returns
 * an exit code. */
int gateway_main(int argc, char **argv, const char *name);

#endif
