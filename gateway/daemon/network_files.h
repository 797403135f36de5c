/* An interface of the plan as a file of the program that manages the machine's network. Pure. */
#ifndef SLUICE_DAEMON_NETWORK_FILES_H
#define SLUICE_DAEMON_NETWORK_FILES_H

#include <limits.h>

#include "daemon/network_plan.h"

enum network_manager { NETWORK_BY_NOBODY, NETWORK_BY_NETWORKD, NETWORK_BY_NETWORK_MANAGER };

/* What manages the network, by what it writes into /run, below `root` ("" for this machine). */
enum network_manager network_manager(const char *root);

/* "systemd-networkd", "NetworkManager", "none". */
const char *network_manager_name(enum network_manager manager);

/* Whether a manager can set up an interface of that kind. */
bool network_manages(enum network_manager manager, enum network_kind kind);

/* Where its files of ours lie, and how their names begin and end ("40-sluice-", ".network"). */
const char *network_folder(enum network_manager manager);
const char *network_file_prefix(enum network_manager manager);
const char *network_file_ending(enum network_manager manager);

/* The text of the interface's file, malloc'd; NULL without memory. */
char *network_file_text(enum network_manager manager, const struct network_interface *interface,
                        size_t *size);

#endif
