/* What a request says, and who sent it. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "web/http.h"

const char *http_query(const struct http_request *request, const char *key)
{
    const char *value = NULL;
    size_t size = 0;
    enum MHD_Result found = MHD_lookup_connection_value_n(
        request->connection, MHD_GET_ARGUMENT_KIND, key, strlen(key), &value, &size);
    if (found != MHD_YES)
        return NULL;
    return value ? value : "";
}

const char *http_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_cookie(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, name);
}

static const struct sockaddr *peer_of(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return info ? info->client_addr : NULL;
}

bool http_is_local(const struct http_request *request)
{
    const struct sockaddr *peer = peer_of(request);

    return peer && peer->sa_family == AF_UNIX;
}

int64_t http_peer_user(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info;
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (!http_is_local(request))
        return -1;
    /* Not before: libmicrohttpd 1.0 answers each question in the same place. */
    info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return -1;
    return (int64_t)peer.uid;
}

void http_peer_address(const struct http_request *request, char address[HTTP_ADDRESS_SIZE])
{
    const struct sockaddr *peer = peer_of(request);

    address[0] = '\0';
    if (peer && peer->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, address,
                  HTTP_ADDRESS_SIZE);
    else if (peer && peer->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, address,
                  HTTP_ADDRESS_SIZE);
}

const struct sockaddr *http_peer(const struct http_request *request, socklen_t *size)
{
    const struct sockaddr *peer = peer_of(request);

    if (!peer || peer->sa_family == AF_UNIX)
        return NULL;
    *size = peer->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    return peer;
}

bool http_mark(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    bool *marked = info ? info->socket_context : NULL;

    if (!marked || *marked)
        return false;
    *marked = true;
    return true;
}
