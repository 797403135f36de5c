/*
 * What a service manager and its daemon tell each other: systemd's protocol (sd_notify(3),
 * sd_listen_fds(3)), as far as Sluice needs it. Where there is no manager, nothing is told and
 * nothing is found.
 */
#ifndef SLUICE_DAEMON_SERVICE_H
#define SLUICE_DAEMON_SERVICE_H

#include <stdint.h>

/* Tells the manager: "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...", several with a line feed
 * between. 0, also where there is none; else the error of the socket. Any thread. */
int service_tell(const char *text);

/* How often the watchdog wants to be fed at least; 0: there is none, or it is another process's. */
int64_t service_watchdog_ns(void);

/* A socket for that port that the manager has opened and that listens on all addresses of the
 * machine; the caller's, who may close it and ask again. -1: there is none. */
int service_listener(uint16_t port);

#endif
