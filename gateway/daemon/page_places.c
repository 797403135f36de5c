#include "daemon/page_places.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config.h"
#include "core/error.h"
#include "core/log.h"
#include "daemon/service.h"
#include "web/door.h"

#define BACKLOG  128
#define URLS_MAX 16

void page_places_of(struct page_places *places, const struct config_web *web)
{
    memset(places, 0, sizeof *places);
    for (size_t i = 0; i < web->listen.count && places->count < PAGE_ADDRESSES_MAX; i++)
        snprintf(places->addresses[places->count++], INET6_ADDRSTRLEN, "%s", web->listen.items[i]);
    places->redirect = web->redirect;
    places->https = (uint16_t)web->https;
    places->http = (uint16_t)web->http;
}

void page_places_begin(struct page_listening *listening, const struct page_places *places)
{
    *listening = (struct page_listening){
        .places = *places,
        .https = {.wanted = places->https, .usual = 443, .other = 8443},
        .http = {.wanted = places->http, .usual = 80, .other = 8080},
    };
}

static socklen_t fill_address(const char *text, uint16_t port, struct sockaddr_storage *address)
{
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)address;

    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return sizeof *four;
    }
    inet_pton(AF_INET6, text, &six->sin6_addr);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    return sizeof *six;
}

/* A listening socket, or a negative errno. "::" takes IPv4, too. */
static int listen_at(const char *text, uint16_t port)
{
    struct sockaddr_storage address;
    socklen_t size = fill_address(text, port, &address);
    int on = 1, only_six = strcmp(text, "::") != 0;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_six, sizeof only_six);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, BACKLOG)) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

/* At one address of the machine, or at all of them: on a port that the service manager holds for
 * us, or on our own; machines without IPv6 have only the others. */
static int listen_somewhere(const struct page_places *places, size_t index, uint16_t port)
{
    if (places->count > 0)
        return listen_at(places->addresses[index], port);
    int fd = service_listener(port);
    if (fd >= 0)
        return fd;
    fd = listen_at("::", port);
    return fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL ? listen_at("0.0.0.0", port) : fd;
}

static void tell(struct page_listening *listening, struct page_port *port, uint16_t number,
                 const char *where, int errno_value)
{
    bool plain = port == &listening->http;
    char sentence[PAGE_SENTENCE_SIZE];

    snprintf(sentence, sizeof sentence,
             "%s cannot be served on port %u of %s: %s; it is tried again, or name another port in "
             "web.%s",
             plain ? "the way from HTTP to HTTPS" : "the page", number, where,
             strerror(errno_value), plain ? "http" : "https");
    if (!port->told)
        log_warn("web", "%s", sentence);
    port->told = true;
    if (listening->error[0] == '\0')
        memcpy(listening->error, sentence, sizeof sentence);
}

static bool try_at(struct page_listening *listening, struct door *door, struct page_port *port,
                   size_t index)
{
    const char *where =
        listening->places.count ? listening->places.addresses[index] : "this machine";
    uint16_t number = port->wanted ? port->wanted : port->port ? port->port : port->usual;
    bool plain = port == &listening->http;
    int fd = listen_somewhere(&listening->places, index, number);

    if ((fd == -EACCES || fd == -EADDRINUSE) && !port->wanted && !port->port) {
        int other = listen_somewhere(&listening->places, index, port->other);

        if (other >= 0) {
            log_info("web", "port %u cannot be had (%s): it is %u instead", number, strerror(-fd),
                     port->other);
            number = port->other;
            fd = other;
        }
    }
    if (fd < 0) {
        tell(listening, port, number, where, -fd);
        return false;
    }
    int error = door_listen(door, fd, plain, plain ? "the page's plain port" : "the page");
    if (error) {
        tell(listening, port, number, where, ENOMEM);
        return false;
    }
    if (port->told)
        log_info("web", "port %u of %s can be had now", number, where);
    port->port = number;
    port->bound[index] = true;
    return true;
}

static bool try_port(struct page_listening *listening, struct door *door, struct page_port *port)
{
    size_t count = listening->places.count ? listening->places.count : 1;
    bool all = true;

    for (size_t i = 0; i < count; i++)
        all &= port->bound[i] || try_at(listening, door, port, i);
    port->told &= !all;
    return all;
}

bool page_places_try(struct page_listening *listening, struct door *door)
{
    listening->error[0] = '\0';
    bool all = try_port(listening, door, &listening->https);

    if (listening->places.redirect)
        all &= try_port(listening, door, &listening->http);
    return all;
}

struct url_writer {
    struct text *text;
    const char *quote;
    uint16_t port;
    unsigned count;
};

static void put_url(struct url_writer *writer, const char *address)
{
    bool six = strchr(address, ':') != NULL;
    char port[8] = "";

    if (writer->count++ >= URLS_MAX)
        return;
    if (writer->port != 443)
        snprintf(port, sizeof port, ":%u", writer->port);
    text_printf(writer->text, "%s%shttps://%s%s%s%s/%s", writer->count > 1 ? ", " : "",
                writer->quote, six ? "[" : "", address, six ? "]" : "", port, writer->quote);
}

/* What others can type: no link-local addresses. The loopback's only where there is no other. */
static void put_all_urls(struct url_writer *writer)
{
    struct ifaddrs *all = NULL;
    char address[INET6_ADDRSTRLEN];

    if (getifaddrs(&all))
        all = NULL;
    for (struct ifaddrs *one = all; one; one = one->ifa_next) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)one->ifa_addr;
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)one->ifa_addr;

        if (!one->ifa_addr || (one->ifa_flags & IFF_LOOPBACK) || !(one->ifa_flags & IFF_UP))
            continue;
        if (one->ifa_addr->sa_family == AF_INET)
            put_url(writer, inet_ntop(AF_INET, &four->sin_addr, address, sizeof address));
        else if (one->ifa_addr->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
            put_url(writer, inet_ntop(AF_INET6, &six->sin6_addr, address, sizeof address));
    }
    freeifaddrs(all);
    if (writer->count == 0)
        put_url(writer, "127.0.0.1");
}

void page_places_urls(const struct page_listening *listening, struct text *text, const char *quote)
{
    struct url_writer writer = {.text = text, .quote = quote, .port = listening->https.port};
    const struct page_places *places = &listening->places;

    for (size_t i = 0; i < places->count; i++) {
        const char *address = places->addresses[i];
        bool any = strcmp(address, "::") == 0 || strcmp(address, "0.0.0.0") == 0;

        if (listening->https.bound[i] && !any)
            put_url(&writer, address);
        else if (listening->https.bound[i] && writer.count == 0)
            put_all_urls(&writer);
    }
    if (places->count == 0 && listening->https.bound[0])
        put_all_urls(&writer);
}
