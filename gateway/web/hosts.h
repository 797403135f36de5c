/*
 * Whether the Host of a request is this gateway. A page of a stranger can make a browser ask us
 * under a name of the stranger's that is made to point here (DNS rebinding); under an address it
 * cannot, so addresses are taken as they are, and names only when they are ours.
 */
#ifndef SLUICE_WEB_HOSTS_H
#define SLUICE_WEB_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#define HOSTS_NAME_SIZE 256

/* The host without its port, in small letters, without a dot at its end, IPv6 addresses without
 * brackets. False when the header is none ("a b", "", a port that is no number). */
bool hosts_parse(const char *header, char host[HOSTS_NAME_SIZE]);

/* Whether a Host header, or what stands behind "https://" in an Origin, is an address, localhost,
 * this machine's host name with or without ".local", or one of `names`. Any thread. */
bool hosts_is_ours(const char *header, const char *const *names, size_t count);

#endif
