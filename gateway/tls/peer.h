/* Who is at the other end of a loopback connection. */
#ifndef SLUICE_TLS_PEER_H
#define SLUICE_TLS_PEER_H

/*
 * The descriptor of this process that is the other end of the accepted connection `fd` (IPv4);
 * ERR_NOT_FOUND when the peer is another process. Needs no /proc and no descriptor, but is quicker
 * with them. There is no race: as long as `fd` is open no other socket can have the mirrored pair
 * of addresses.
 */
int peer_find(int fd);

#endif
