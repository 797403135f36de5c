/* The network as the kernel has it, and who manages it. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/network.h"
#include "daemon/network_files.h"
#include "daemon/system.h"

#define LINE_SIZE 256

static int prefix_bits(const struct sockaddr *mask)
{
    const struct sockaddr_in *in = (const void *)mask;
    const struct sockaddr_in6 *in6 = (const void *)mask;
    const uint8_t *bytes =
        mask->sa_family == AF_INET ? (const void *)&in->sin_addr : (const void *)&in6->sin6_addr;
    size_t size = mask->sa_family == AF_INET ? 4 : 16;
    int bits = 0;

    for (size_t i = 0; i < size; i++)
        bits += __builtin_popcount(bytes[i]);
    return bits;
}

static void put_addresses(struct text *text, const struct ifaddrs *all, const char *name)
{
    bool first = true;

    text_string(text, "\"addresses\":[");
    for (const struct ifaddrs *each = all; each; each = each->ifa_next) {
        char address[NI_MAXHOST];
        int family = each->ifa_addr ? each->ifa_addr->sa_family : AF_UNSPEC;

        if (strcmp(each->ifa_name, name) != 0 || (family != AF_INET && family != AF_INET6) ||
            getnameinfo(each->ifa_addr,
                        family == AF_INET ? sizeof(struct sockaddr_in)
                                          : sizeof(struct sockaddr_in6),
                        address, sizeof address, NULL, 0, NI_NUMERICHOST))
            continue;
        text_string(text, first ? "\"" : ",\"");
        text_string(text, address);
        text_printf(text, "/%d\"", each->ifa_netmask ? prefix_bits(each->ifa_netmask) : 0);
        first = false;
    }
    text_string(text, "]");
}

/* ARPHRD_ETHER: what a bridge or a virtual card has, too. */
static bool is_ethernet(const char *name)
{
    char path[128], line[LINE_SIZE];

    snprintf(path, sizeof path, "/sys/class/net/%s/type", name);
    system_read_line(path, line, sizeof line);
    return atoi(line) == 1;
}

const char *network_interface_kind(const char *name)
{
    char path[128];
    struct stat status;

    snprintf(path, sizeof path, "/sys/class/net/%s/wireless", name);
    if (stat(path, &status) == 0)
        return "wifi";
    if (strncmp(name, "ww", 2) == 0 || strncmp(name, "ppp", 3) == 0)
        return "mobile";
    return is_ethernet(name) ? "ethernet" : "other";
}

static void put_interface(struct text *text, const struct ifaddrs *all, const struct ifaddrs *each)
{
    char path[128], line[LINE_SIZE];
    bool up = each->ifa_flags & IFF_UP && each->ifa_flags & IFF_RUNNING;

    text_string(text, "{");
    system_put_pair(text, "name", each->ifa_name);
    text_printf(text, ",\"kind\":\"%s\",\"up\":%s,", network_interface_kind(each->ifa_name),
                up ? "true" : "false");
    snprintf(path, sizeof path, "/sys/class/net/%s/address", each->ifa_name);
    system_read_line(path, line, sizeof line);
    system_put_pair(text, "mac", line);
    snprintf(path, sizeof path, "/sys/class/net/%s/speed", each->ifa_name);
    system_read_line(path, line, sizeof line);
    if (up && atoi(line) > 0)
        text_printf(text, ",\"speed_mbit\":%d,", atoi(line));
    else
        text_string(text, ",\"speed_mbit\":null,");
    put_addresses(text, all, each->ifa_name);
    text_string(text, "}");
}

/* Each interface once: the kernel lists it with its link-layer address first. */
static void put_interfaces(struct text *text)
{
    struct ifaddrs *all = NULL;
    bool first = true;

    text_string(text, "\"interfaces\":[");
    if (getifaddrs(&all) == 0)
        for (const struct ifaddrs *each = all; each; each = each->ifa_next) {
            if (!each->ifa_addr || each->ifa_addr->sa_family != AF_PACKET ||
                each->ifa_flags & IFF_LOOPBACK)
                continue;
            text_string(text, first ? "" : ",");
            put_interface(text, all, each);
            first = false;
        }
    if (all)
        freeifaddrs(all);
    text_string(text, "]");
}

static void put_router(struct text *text)
{
    char line[LINE_SIZE], address[INET_ADDRSTRLEN];
    unsigned destination, gateway;
    FILE *file = fopen("/proc/net/route", "re");
    bool found = false;

    while (file && !found && fgets(line, sizeof line, file))
        found = sscanf(line, "%*s %x %x", &destination, &gateway) == 2 && destination == 0 &&
                gateway != 0;
    if (file)
        fclose(file);
    text_string(text, "\"router\":");
    if (found && inet_ntop(AF_INET, &(struct in_addr){.s_addr = gateway}, address, sizeof address))
        text_json_string(text, address, strlen(address));
    else
        text_string(text, "null");
}

static void put_name_servers(struct text *text)
{
    char line[LINE_SIZE], server[128];
    FILE *file = fopen("/etc/resolv.conf", "re");
    bool first = true;

    text_string(text, "\"dns\":[");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "nameserver %127s", server) != 1)
            continue;
        text_string(text, first ? "" : ",");
        text_json_string(text, server, strlen(server));
        first = false;
    }
    if (file)
        fclose(file);
    text_string(text, "]");
}

/* What cannot be changed from here is named, too. */
static const char *manager(void)
{
    enum network_manager known = network_manager("");
    struct stat status;

    return known == NETWORK_BY_NOBODY && stat("/run/network/ifstate", &status) == 0
               ? "ifupdown"
               : network_manager_name(known);
}

void system_put_network(struct text *text)
{
    text_printf(text, "{\"by\":\"%s\",", manager());
    put_interfaces(text);
    text_string(text, ",");
    put_router(text);
    text_string(text, ",");
    put_name_servers(text);
    text_string(text, "}");
}
