#include "uplink/client.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/error.h"

void client_id(const struct uplink_options *options, const char *gateway, char id[CLIENT_ID_SIZE])
{
    if (options->client_id)
        snprintf(id, CLIENT_ID_SIZE, "%s", options->client_id);
    else if (options->first)
        snprintf(id, CLIENT_ID_SIZE, "%s", gateway);
    else
        snprintf(id, CLIENT_ID_SIZE, "%s-%s", gateway, options->id);
}

int client_url(const struct uplink_options *options, struct uplink_url *url, char *sentence,
               size_t size)
{
    int rc = uplink_url_parse(options->url, url, sentence, size);

    if (rc == 0 && options->proxy)
        rc = uplink_proxy_parse(options->proxy, url, sentence, size);
    return rc;
}

void client_options(const struct uplink_options *options, const struct uplink_url *url,
                    struct mqtt_options *mqtt)
{
    mqtt->host = url->host;
    mqtt->port = url->port;
    mqtt->proxy_host = *url->proxy_host ? url->proxy_host : NULL;
    mqtt->proxy_port = url->proxy_port;
    mqtt->proxy_login_file = options->proxy_login_file;
    mqtt->tls = url->tls;
    mqtt->tls_ca = options->tls_ca;
    mqtt->tls_crl = options->tls_crl;
    mqtt->tls_cert = options->tls_cert;
    mqtt->tls_key = options->tls_key;
    mqtt->tls_server_name = options->tls_server_name;
    mqtt->tls_alpn = options->tls_alpn;
    mqtt->tls_minimum = options->tls_minimum;
    mqtt->pump = options->pump;
    mqtt->user = options->user;
    mqtt->version = options->version;
    mqtt->session_expiry_s = CLIENT_SESSION_EXPIRY_S;
    mqtt->keep_alive_s = (int)(options->keep_alive_ns / NS_PER_S);
}

int client_password(const char *path, char password[SECRET_SIZE], char *sentence, size_t size)
{
    const char *why;
    int rc = secret_read(path, password, &why);

    if (rc == ERR_NOT_FOUND)
        snprintf(sentence, size, "the password file \"%s\" cannot be read (%s)", path, why);
    else if (rc != 0)
        snprintf(sentence, size,
                 "the first line of \"%s\" is longer than the %d bytes that a password may have: "
                 "check \"password_file\"",
                 path, SECRET_LENGTH_MAX);
    return rc == ERR_TOO_LARGE ? ERR_INVALID : rc;
}

/* FNV-1a over what a writer of the file cannot help but change. */
static uint64_t add_file(uint64_t stamp, const char *path)
{
    struct stat file = {0};

    if (!path)
        return stamp;
    if (stat(path, &file) != 0)
        memset(&file, 0, sizeof(file));
    const int64_t parts[] = {(int64_t)file.st_ino,         (int64_t)file.st_size,
                             (int64_t)file.st_mtim.tv_sec, (int64_t)file.st_mtim.tv_nsec,
                             (int64_t)file.st_ctim.tv_sec, (int64_t)file.st_ctim.tv_nsec};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        stamp = (stamp ^ (uint64_t)parts[i]) * UINT64_C(0x100000001b3);
    return stamp;
}

uint64_t client_login_stamp(const struct uplink_options *options)
{
    return add_file(add_file(UINT64_C(0xcbf29ce484222325), options->password_file),
                    options->proxy_login_file);
}
