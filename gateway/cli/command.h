/* The commands of the CLI: one file each, named after the command. */
#ifndef SLUICE_CLI_COMMAND_H
#define SLUICE_CLI_COMMAND_H

#include "daemon/args.h"
#include "daemon/gateway.h"

/* Each gets its own arguments, argv[0] being its name, and returns an exit code. */
int command_accounts(int argc, char **argv);
int command_assign(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_check(int argc, char **argv);
int command_config(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_drill(int argc, char **argv);
int command_forget(int argc, char **argv);
int command_health(int argc, char **argv);
int command_identity(int argc, char **argv);
int command_journal(int argc, char **argv);
int command_network(int argc, char **argv);
int command_node(int argc, char **argv);
int command_password(int argc, char **argv);
int command_ports(int argc, char **argv);
int command_probe(int argc, char **argv);
int command_profile(int argc, char **argv);
int command_points(int argc, char **argv);
int command_read(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_run(int argc, char **argv);
int command_scan(int argc, char **argv);
int command_schema(int argc, char **argv);
int command_setup(int argc, char **argv);
int command_state(int argc, char **argv);
int command_sunspec(int argc, char **argv);
int command_status(int argc, char **argv);
int command_tail(int argc, char **argv);
int command_tokens(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_update(int argc, char **argv);
int command_wishes(int argc, char **argv);
int command_write(int argc, char **argv);

/* The flag that every command has which asks the daemon. */
#define COMMAND_SOCKET_FLAG(target)                                                                \
    {                                                                                              \
        "socket", 's', "PATH", "the daemon's socket; " GATEWAY_SOCKET_PATH " unless given",        \
            target, NULL                                                                           \
    }

#endif
