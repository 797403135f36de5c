/* Who is at the other end of a loopback connection. */
#ifndef SLUICE_TLS_PEER_H
#define SLUICE_TLS_PEER_H

/*
 * The descriptor of this process that is the other end of the accepted connection `fd` (IPv4), or
 * -1 when the peer is another process. There is no race: as long as `fd` is open no other socket
 * can have the mirrored pair of addresses.
 */
int peer_find(int fd);

#endif
