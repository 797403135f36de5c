#include "daemon/network_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *name, *sign, *folder, *prefix, *ending;
} managers[] = {
    [NETWORK_BY_NOBODY] = {"none", NULL, "", "", ""},
    [NETWORK_BY_NETWORKD] = {"systemd-networkd", "/run/systemd/netif/state", "/run/systemd/network",
                             "40-sluice-", ".network"},
    [NETWORK_BY_NETWORK_MANAGER] = {"NetworkManager", "/run/NetworkManager/devices",
                                    "/run/NetworkManager/system-connections", "sluice-",
                                    ".nmconnection"},
};

enum network_manager network_manager(const char *root)
{
    struct stat status;

    /* Both may run: then NetworkManager was installed for a reason. */
    for (size_t i = sizeof managers / sizeof *managers - 1; i > 0; i--) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%.2000s%s", root, managers[i].sign);
        if (stat(path, &status) == 0)
            return (enum network_manager)i;
    }
    return NETWORK_BY_NOBODY;
}

const char *network_manager_name(enum network_manager manager)
{
    return managers[manager].name;
}

bool network_manages(enum network_manager manager, enum network_kind kind)
{
    return manager == NETWORK_BY_NETWORK_MANAGER ||
           (manager == NETWORK_BY_NETWORKD && kind == NETWORK_ETHERNET);
}

const char *network_folder(enum network_manager manager)
{
    return managers[manager].folder;
}

const char *network_file_prefix(enum network_manager manager)
{
    return managers[manager].prefix;
}

const char *network_file_ending(enum network_manager manager)
{
    return managers[manager].ending;
}

/* --- systemd-networkd --- */

static void write_networkd(FILE *out, const struct network_interface *interface)
{
    fprintf(out,
            "# Made by Sluice: change it on its page, or with \"sluice network\".\n"
            "[Match]\nName=%s\n\n[Network]\nLinkLocalAddressing=ipv6\nMulticastDNS=yes\n",
            interface->name);
    if (interface->method == NETWORK_DHCP)
        fputs("DHCP=yes\n", out);
    else
        fprintf(out, "Address=%s\n", interface->address);
    if (*interface->router)
        fprintf(out, "Gateway=%s\n", interface->router);
    for (size_t i = 0; i < NETWORK_SERVERS_MAX && *interface->dns[i]; i++)
        fprintf(out, "DNS=%s\n", interface->dns[i]);
    for (size_t i = 0; i < NETWORK_SERVERS_MAX && *interface->ntp[i]; i++)
        fprintf(out, "NTP=%s\n", interface->ntp[i]);
    /* So that the page is reached by a cable when no address was given, or a wrong one. Whether
     * somebody else has it is not looked for: networkd 252 aborts over that when it is told to set
     * the interface up anew. */
    fputs("\n[Address]\nAddress=169.254.77.77/16\nScope=link\nDuplicateAddressDetection=none\n"
          "\n[DHCPv4]\nClientIdentifier=mac\n",
          out);
}

/* --- NetworkManager --- */

/* As a key file has texts: nothing in one ends its line or begins another. */
static void put_escaped(FILE *out, const char *text)
{
    for (const char *at = text; *at; at++)
        if (*at == ' ' && at == text)
            fputs("\\s", out);
        else if (*at == '\\')
            fputs("\\\\", out);
        else
            fputc(*at, out);
    fputc('\n', out);
}

static bool is_ipv6(const char *address)
{
    return strchr(address, ':') != NULL;
}

static bool has_servers(const struct network_interface *interface, bool ipv6)
{
    for (size_t i = 0; i < NETWORK_SERVERS_MAX && *interface->dns[i]; i++)
        if (is_ipv6(interface->dns[i]) == ipv6)
            return true;
    return false;
}

static void put_servers(FILE *out, const struct network_interface *interface, bool ipv6)
{
    fputs("dns=", out);
    for (size_t i = 0; i < NETWORK_SERVERS_MAX && *interface->dns[i]; i++)
        if (is_ipv6(interface->dns[i]) == ipv6)
            fprintf(out, "%s;", interface->dns[i]);
    fputc('\n', out);
}

/* NetworkManager takes no name server where the method gives no address that it could be asked
 * from, and then it takes nothing of the file. So beside an IPv4 address of one's own, one of IPv6
 * comes from the network where its name servers are wanted; and none of IPv4 is wanted without an
 * IPv4 address. */
static void put_addresses(FILE *out, const struct network_interface *interface, bool ipv6)
{
    bool servers = has_servers(interface, ipv6);

    fprintf(out, "\n[%s]\n", ipv6 ? "ipv6" : "ipv4");
    if (interface->method == NETWORK_STATIC && is_ipv6(interface->address) == ipv6) {
        fprintf(out, "method=manual\naddress1=%s%s%s\n", interface->address,
                *interface->router ? "," : "", interface->router);
    } else if (interface->method == NETWORK_DHCP || (ipv6 && servers)) {
        fputs("method=auto\n", out);
    } else {
        fprintf(out, "method=%s\n", ipv6 ? "link-local" : "disabled");
        servers = false;
    }
    if (servers)
        put_servers(out, interface, ipv6);
}

static void put_radio(FILE *out, const struct network_interface *interface)
{
    if (interface->kind == NETWORK_WIFI) {
        /* By its bytes: a network may have any of them in its name. */
        fputs("\n[wifi]\nmode=infrastructure\nssid=", out);
        for (const char *at = interface->ssid; *at; at++)
            fprintf(out, "%d;", (unsigned char)*at);
        fputc('\n', out);
        if (*interface->passphrase) {
            fputs("\n[wifi-security]\nkey-mgmt=wpa-psk\npsk=", out);
            put_escaped(out, interface->passphrase);
        }
    } else if (interface->kind == NETWORK_MOBILE) {
        fprintf(out, "\n[gsm]\napn=%s\n", interface->apn);
        if (*interface->pin)
            fprintf(out, "pin=%s\n", interface->pin);
    }
}

static void write_network_manager(FILE *out, const struct network_interface *interface)
{
    static const char *const types[] = {"ethernet", "wifi", "gsm"};

    fprintf(out,
            "# Made by Sluice: change it on its page, or with \"sluice network\".\n"
            "[connection]\nid=sluice-%s\ntype=%s\nautoconnect-priority=100\n",
            interface->name, types[interface->kind]);
    /* A modem is known to NetworkManager by another name than its interface. */
    if (interface->kind != NETWORK_MOBILE)
        fprintf(out, "interface-name=%s\n", interface->name);
    put_radio(out, interface);
    put_addresses(out, interface, false);
    put_addresses(out, interface, true);
}

char *network_file_text(enum network_manager manager, const struct network_interface *interface,
                        size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);

    if (!out)
        return NULL;
    if (manager == NETWORK_BY_NETWORKD)
        write_networkd(out, interface);
    else
        write_network_manager(out, interface);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
