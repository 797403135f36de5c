/* The first steps to a broker: the network under it, and the clock. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/resolve.h"

#define ADDRESSES_MAX 4
#define LISTED_MAX    4

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;
        return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    }
    const struct sockaddr_in6 *in6 = (const void *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static bool is_link_local(const struct sockaddr *address)
{
    const struct sockaddr_in6 *in6 = (const void *)address;

    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
}

static void print_address(const struct sockaddr *address, socklen_t size, char out[64])
{
    if (getnameinfo(address, size, out, 64, NULL, 0, NI_NUMERICHOST))
        snprintf(out, 64, "?");
}

/* Whether any route leads out of this network: the kernel's tables of IPv4 and IPv6. */
static bool has_default_route(void)
{
    char line[512], interface[32];
    unsigned long destination, mask;
    bool found = false;
    FILE *file = fopen("/proc/net/route", "re");

    while (file && !found && fgets(line, sizeof line, file))
        found =
            sscanf(line, "%31s %lx %*x %*x %*d %*d %*d %lx", interface, &destination, &mask) == 3 &&
            destination == 0 && mask == 0;
    if (file)
        fclose(file);
    file = fopen("/proc/net/ipv6_route", "re");
    while (file && !found && fgets(line, sizeof line, file))
        found = strncmp(line, "00000000000000000000000000000000 00 ", 36) == 0 &&
                !strstr(line, " lo\n");
    if (file)
        fclose(file);
    return found;
}

/* Lists what has an address that reaches further than this machine. Returns how many there are. */
static int list_interfaces(char *out, size_t size)
{
    struct ifaddrs *interfaces = NULL;
    int count = 0;

    out[0] = '\0';
    if (getifaddrs(&interfaces))
        return 0;
    for (const struct ifaddrs *each = interfaces; each; each = each->ifa_next) {
        char address[64];
        size_t used = strlen(out);

        if (!each->ifa_addr || !(each->ifa_flags & IFF_UP) || !(each->ifa_flags & IFF_RUNNING) ||
            (each->ifa_addr->sa_family != AF_INET && each->ifa_addr->sa_family != AF_INET6) ||
            is_loopback(each->ifa_addr) || is_link_local(each->ifa_addr))
            continue;
        socklen_t length = each->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                                : sizeof(struct sockaddr_in6);
        print_address(each->ifa_addr, length, address);
        if (count++ < LISTED_MAX)
            snprintf(out + used, size - used, "%s%s %s", used ? ", " : "", each->ifa_name, address);
    }
    freeifaddrs(interfaces);
    return count;
}

void doctor_interface(struct doctor *doctor, struct doctor_finding *finding)
{
    char list[256];
    const char *host = doctor_host(doctor);

    if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
        strncmp(host, "127.", 4) == 0) {
        doctor->local = !doctor_proxied(doctor);
        doctor_say(finding, DOCTOR_SKIPPED, "%s is this machine", host);
        return;
    }
    if (!list_interfaces(list, sizeof list)) {
        doctor_say(finding, DOCTOR_FAILED, "no network interface has an address");
        doctor_next(finding, "plug in the network cable or set up the Wi-Fi, and look at \"ip "
                             "address\": without an address there the network gave none (DHCP)");
        return;
    }
    if (!has_default_route() && doctor_proxied(doctor)) {
        doctor_say(finding, DOCTOR_OK,
                   "%s; no route leads out of this network, so the proxy must be on it", list);
        return;
    }
    if (!has_default_route()) {
        doctor_say(finding, DOCTOR_WARNING, "%s; no route leads out of this network", list);
        doctor_next(finding,
                    "only a broker on this network can be reached: set the gateway (router) "
                    "of the network, or let DHCP give it");
        return;
    }
    doctor_say(finding, DOCTOR_OK, "%s", list);
}

bool doctor_proxied(const struct doctor *doctor)
{
    return *doctor->url.proxy_host != '\0';
}

const char *doctor_host(const struct doctor *doctor)
{
    return doctor_proxied(doctor) ? doctor->url.proxy_host : doctor->url.host;
}

uint16_t doctor_port(const struct doctor *doctor)
{
    return doctor_proxied(doctor) ? doctor->url.proxy_port : doctor->url.port;
}

/* The option that says where to dial. */
static const char *place_option(const struct doctor *doctor)
{
    return doctor_proxied(doctor) ? "proxy" : "url";
}

static void list_name_servers(char *out, size_t size)
{
    char line[256], server[128];
    FILE *file = fopen("/etc/resolv.conf", "re");

    snprintf(out, size, "%s", "");
    while (file && fgets(line, sizeof line, file)) {
        size_t used = strlen(out);
        if (sscanf(line, "nameserver %127s", server) == 1)
            snprintf(out + used, size - used, "%s%s", used ? ", " : "", server);
    }
    if (file)
        fclose(file);
}

static void name_failed(const struct doctor *doctor, struct doctor_finding *finding, bool silent)
{
    char servers[256];

    list_name_servers(servers, sizeof servers);
    if (!*servers) {
        doctor_say(finding, DOCTOR_FAILED, "the name %s cannot be looked up: no name server is set",
                   doctor_host(doctor));
        doctor_next(finding,
                    "set a DNS server (it usually comes with DHCP), or write the address into "
                    "\"%s\"",
                    place_option(doctor));
    } else if (silent) {
        doctor_say(finding, DOCTOR_FAILED, "the name server %s does not answer", servers);
        doctor_next(finding, "see whether a firewall lets UDP port 53 through, or set another DNS "
                             "server");
    } else {
        doctor_say(finding, DOCTOR_FAILED, "the name server %s knows no %s", servers,
                   doctor_host(doctor));
        doctor_next(finding,
                    "check the spelling of the host in \"%s\"; a name that is only known inside a "
                    "company needs that network's DNS server",
                    place_option(doctor));
    }
}

void doctor_name(struct doctor *doctor, struct doctor_finding *finding)
{
    struct resolve *resolve;
    char list[256] = "", address[64];
    int count = 0;
    int error = resolve_start(&resolve, doctor_host(doctor), doctor_port(doctor));

    if (error) {
        doctor_say(finding, DOCTOR_FAILED, "the look-up cannot be started: %s", error_text(error));
        return;
    }
    struct pollfd answer = {.fd = resolve_fd(resolve), .events = POLLIN};
    if (poll(&answer, 1, (int)(DOCTOR_STEP_NS / NS_PER_MS)) != 1) {
        resolve_abandon(resolve);
        name_failed(doctor, finding, true);
        return;
    }
    if (resolve_take(resolve, &doctor->addresses)) {
        name_failed(doctor, finding, false);
        return;
    }
    for (const struct addrinfo *each = doctor->addresses; each; each = each->ai_next) {
        size_t used = strlen(list);
        print_address(each->ai_addr, each->ai_addrlen, address);
        if (count++ < LISTED_MAX)
            snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", address);
    }
    if (resolve_is_numeric(doctor_host(doctor)))
        doctor_say(finding, DOCTOR_SKIPPED, "%s is an address", doctor_host(doctor));
    else
        doctor_say(finding, DOCTOR_OK, "%s has the address %s", doctor_host(doctor), list);
}

/* Connects to one address. 0 with the descriptor, or an errno. */
static int dial(const struct addrinfo *address, int *fd)
{
    *fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return errno;
    if (connect(*fd, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    int error = errno;
    if (error == EINPROGRESS) {
        struct pollfd end = {.fd = *fd, .events = POLLOUT};
        socklen_t size = sizeof error;

        error = ETIMEDOUT;
        if (poll(&end, 1, (int)(DOCTOR_STEP_NS / NS_PER_MS / 2)) == 1)
            getsockopt(*fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error) {
        close(*fd);
        *fd = -1;
    }
    return error;
}

static void tcp_failed(const struct doctor *doctor, struct doctor_finding *finding, int error,
                       const char *address)
{
    unsigned port = doctor_port(doctor);

    switch (error) {
    case ECONNREFUSED:
        doctor_say(finding, DOCTOR_FAILED, "%s answers, but nothing listens on port %u there",
                   address, port);
        if (doctor_proxied(doctor))
            doctor_next(finding, "see whether the proxy runs, and whether \"proxy\" has its port: "
                                 "usually 3128 or 8080");
        else
            doctor_next(finding, "see whether the broker runs, and whether the port is right: "
                                 "usually 8883 with TLS (mqtts://) and 1883 without");
        return;
    case ETIMEDOUT:
        doctor_say(finding, DOCTOR_FAILED, "%s does not answer on port %u", address, port);
        if (doctor_proxied(doctor))
            doctor_next(finding,
                        "check the address and port in \"proxy\"; a firewall on the way is the "
                        "usual cause, or the proxy is off");
        else
            doctor_next(finding,
                        "a firewall on the way is the usual cause: have TCP port %u to %s opened, "
                        "or name the proxy of this network as \"proxy\"; or the host is off",
                        port, address);
        return;
    default:
        doctor_say(finding, DOCTOR_FAILED, "%s cannot be reached: %s", address, strerror(error));
        doctor_next(finding, "see to the route there: the cable, the router, a VPN");
    }
}

int doctor_dial(const struct doctor *doctor, int *fd, int *tried, char address[64])
{
    int error = 0;

    *fd = -1;
    *tried = 0;
    for (const struct addrinfo *each = doctor->addresses; each && *tried < ADDRESSES_MAX;
         each = each->ai_next, (*tried)++) {
        print_address(each->ai_addr, each->ai_addrlen, address);
        error = dial(each, fd);
        if (!error)
            break;
    }
    return error;
}

void doctor_tcp(struct doctor *doctor, struct doctor_finding *finding)
{
    char address[64] = "";
    int fd, tried, error = doctor_dial(doctor, &fd, &tried, address);

    if (fd < 0) {
        tcp_failed(doctor, finding, error, address);
        return;
    }
    close(fd);
    if (tried) {
        doctor_say(finding, DOCTOR_WARNING,
                   "%s answers on port %u; %d other address%s before it "
                   "did not",
                   address, (unsigned)doctor_port(doctor), tried, tried > 1 ? "es" : "");
        doctor_next(finding,
                    "each connection waits for those first: see to them, or write the address that "
                    "works into \"%s\"",
                    place_option(doctor));
    } else {
        doctor_say(finding, DOCTOR_OK, "%s answers on port %u", address,
                   (unsigned)doctor_port(doctor));
    }
}

bool doctor_is_http(const struct doctor *doctor)
{
    static const char question[] = "GET / HTTP/1.0\r\n\r\n";
    char answer[5] = "";
    int fd;

    if (doctor_proxied(doctor) || !doctor->addresses || dial(doctor->addresses, &fd))
        return false;
    struct pollfd end = {.fd = fd, .events = POLLIN};
    bool is = write(fd, question, sizeof question - 1) > 0 && poll(&end, 1, 2000) == 1 &&
              read(fd, answer, sizeof answer) == sizeof answer && memcmp(answer, "HTTP/", 5) == 0;
    close(fd);
    return is;
}

void doctor_clock(struct doctor *doctor, struct doctor_finding *finding)
{
    int64_t wall_ns = clock_wall(&clock_system);
    enum clock_trust trust = clock_trust(&clock_system);
    time_t now = (time_t)(wall_ns / NS_PER_S);
    struct tm utc;
    char date[32];

    (void)doctor;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S UTC", &utc);
    if (trust == CLOCK_UNSET) {
        doctor_say(finding, DOCTOR_FAILED, "the clock says %s", date);
        doctor_next(finding, "certificates are not valid at that time: set the clock (on the page: "
                             "\"from this phone\"), or let NTP do it");
    } else if (trust != CLOCK_SYNCHRONISED) {
        doctor_say(finding, DOCTOR_WARNING, "the clock says %s, and nothing keeps it right (%s)",
                   date, clock_trust_name(trust));
        doctor_next(finding, "readings carry this time: have NTP set up, and see that UDP port 123 "
                             "is let through");
    } else {
        doctor_say(finding, DOCTOR_OK, "%s, %s", date, clock_trust_name(trust));
    }
}
