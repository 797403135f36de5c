#include "daemon/network_plan.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

static const char *const kinds[] = {"ethernet", "wifi", "mobile"};
static const char *const methods[] = {"dhcp", "static"};

const char *network_kind_word(enum network_kind kind)
{
    return kinds[kind];
}

static int refuse(char why[NETWORK_WHY_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int refuse(char why[NETWORK_WHY_SIZE], const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(why, NETWORK_WHY_SIZE, format, list);
    va_end(list);
    return ERR_INVALID;
}

bool network_name_valid(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

    return size > 0 && size < NETWORK_NAME_SIZE && !name[size] && *name != '.' && *name != '-';
}

/* --- addresses --- */

struct address {
    int family;
    uint8_t bytes[16];
    unsigned prefix;
};

/* "192.168.7.20/24", or without the prefix where `prefixed` is false. */
static bool read_address(const char *text, bool prefixed, struct address *address)
{
    char plain[NETWORK_ADDRESS_SIZE];
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t)(slash - text) : strlen(text);
    unsigned long prefix = 0;

    if ((slash != NULL) != prefixed || size >= sizeof plain)
        return false;
    memcpy(plain, text, size);
    plain[size] = '\0';
    if (slash) {
        char *end;
        if (!isdigit((unsigned char)slash[1]))
            return false;
        prefix = strtoul(slash + 1, &end, 10);
        if (*end)
            return false;
    }
    *address = (struct address){.family = strchr(plain, ':') ? AF_INET6 : AF_INET};
    address->prefix = (unsigned)prefix;
    return inet_pton(address->family, plain, address->bytes) == 1 &&
           (!prefixed || (prefix > 0 && prefix <= (address->family == AF_INET ? 32 : 128)));
}

static bool same_subnet(const struct address *one, const struct address *two, unsigned prefix)
{
    for (unsigned bit = 0; bit < prefix; bit++)
        if ((one->bytes[bit / 8] ^ two->bytes[bit / 8]) & (0x80 >> bit % 8))
            return false;
    return true;
}

/* The first and the last address of a subnet are no host's. */
static bool is_host(const struct address *address)
{
    unsigned ones = 0, bits = 32 - address->prefix;

    if (address->family != AF_INET || bits < 2)
        return true;
    for (unsigned bit = address->prefix; bit < 32; bit++)
        ones += (address->bytes[bit / 8] >> (7 - bit % 8)) & 1;
    return ones > 0 && ones < bits && address->bytes[0] != 0 && address->bytes[0] < 224;
}

/* --- texts --- */

/* The text of a key, bounded; absent is "". */
static int take_text(const struct json *object, const char *key, char *out, size_t room,
                     char why[NETWORK_WHY_SIZE])
{
    const struct json *value = json_find(object, key);
    char found[64];

    out[0] = '\0';
    if (!value || value->type == JSON_NULL)
        return 0;
    if (value->type != JSON_STRING) {
        json_describe(value, found, sizeof found);
        return refuse(why, "%s: found %s; expected is a text", key, found);
    }
    if (value->size >= room)
        return refuse(why, "%s: at most %zu characters are allowed", key, room - 1);
    memcpy(out, value->text, value->size + 1);
    return 0;
}

static bool is_plain(const char *text, unsigned char first, unsigned char last)
{
    for (; *text; text++)
        if ((unsigned char)*text < first || (unsigned char)*text > last)
            return false;
    return true;
}

static int take_address(struct network_interface *interface, const struct json *object,
                        char why[NETWORK_WHY_SIZE])
{
    struct address address, router;

    if (take_text(object, "address", interface->address, sizeof interface->address, why) ||
        take_text(object, "router", interface->router, sizeof interface->router, why))
        return ERR_INVALID;
    if (interface->method == NETWORK_DHCP)
        return *interface->address || *interface->router
                   ? refuse(why, "address and router come from the network with \"dhcp\"; for an "
                                 "address of its own the method is \"static\"")
                   : 0;
    if (!*interface->address)
        return refuse(why, "address: with the method \"static\" one is needed, as 192.168.7.20/24");
    if (!read_address(interface->address, true, &address))
        return refuse(why,
                      "address: found \"%s\"; expected is an address with its prefix, as "
                      "192.168.7.20/24 (/24 is 255.255.255.0)",
                      interface->address);
    if (!is_host(&address))
        return refuse(why, "address: %s is the address of a whole network, not of a machine in it",
                      interface->address);
    if (!*interface->router)
        return 0;
    if (!read_address(interface->router, false, &router) || router.family != address.family)
        return refuse(why, "router: found \"%s\"; expected is its address, as 192.168.7.1",
                      interface->router);
    if (!same_subnet(&address, &router, address.prefix))
        return refuse(why, "router: %s is not in the network of %s, so that it cannot be reached",
                      interface->router, interface->address);
    if (memcmp(address.bytes, router.bytes, sizeof address.bytes) == 0)
        return refuse(why, "router: it is the interface's own address");
    return 0;
}

static bool is_host_name(const char *text)
{
    struct address address;

    return read_address(text, false, &address) ||
           (isalnum((unsigned char)*text) &&
            text[strspn(
                text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")] == '\0');
}

static bool is_address(const char *text)
{
    struct address address;

    return read_address(text, false, &address);
}

/* A list of at most NETWORK_SERVERS_MAX texts, each `room` bytes apart from the next in `out`. */
static int take_servers(const struct json *object, const char *key, char *out, size_t room,
                        bool (*fits)(const char *text), const char *expected,
                        char why[NETWORK_WHY_SIZE])
{
    const struct json *list = json_find(object, key);
    size_t count = 0;

    if (!list || list->type == JSON_NULL)
        return 0;
    if (list->type != JSON_LIST || list->count > NETWORK_SERVERS_MAX)
        return refuse(why, "%s: expected is a list of at most %d: %s", key, NETWORK_SERVERS_MAX,
                      expected);
    for (const struct json *item = list->first; item; item = item->next) {
        if (item->type != JSON_STRING || item->size >= room || !fits(item->text)) {
            char found[64];
            json_describe(item, found, sizeof found);
            return refuse(why, "%s: found %s; expected is %s", key, found, expected);
        }
        memcpy(out + room * count++, item->text, item->size + 1);
    }
    return 0;
}

static int take_wifi(struct network_interface *interface, const struct json *object,
                     const struct network_interface *before, char why[NETWORK_WHY_SIZE])
{
    const struct json *given = json_find(object, "passphrase");
    size_t size;

    if (take_text(object, "ssid", interface->ssid, sizeof interface->ssid, why) ||
        take_text(object, "passphrase", interface->passphrase, sizeof interface->passphrase, why))
        return ERR_INVALID;
    if (!*interface->ssid)
        return refuse(why, "ssid: a Wi-Fi needs the name of its network");
    if (!given && before && strcmp(before->ssid, interface->ssid) == 0)
        memcpy(interface->passphrase, before->passphrase, sizeof interface->passphrase);
    size = strlen(interface->passphrase);
    if (size && (size < 8 || size > 63 || !is_plain(interface->passphrase, ' ', '~')))
        return refuse(why, "passphrase: a Wi-Fi has one of 8 to 63 characters, without accents");
    return 0;
}

static int take_mobile(struct network_interface *interface, const struct json *object,
                       const struct network_interface *before, char why[NETWORK_WHY_SIZE])
{
    if (take_text(object, "apn", interface->apn, sizeof interface->apn, why) ||
        take_text(object, "pin", interface->pin, sizeof interface->pin, why))
        return ERR_INVALID;
    if (!*interface->apn || !is_host_name(interface->apn))
        return refuse(why, "apn: expected is the access point's name, as internet.example.com; the "
                           "operator of the card knows it");
    if (!json_find(object, "pin") && before)
        memcpy(interface->pin, before->pin, sizeof interface->pin);
    if (*interface->pin && (strlen(interface->pin) < 4 || !is_plain(interface->pin, '0', '9')))
        return refuse(why, "pin: expected are 4 to 8 digits, or none");
    return 0;
}

static int check_keys(const struct json *object, char why[NETWORK_WHY_SIZE])
{
    static const char *const known[] = {"name", "kind", "method",     "address", "router", "dns",
                                        "ntp",  "ssid", "passphrase", "apn",     "pin"};

    for (const struct json *item = object->first; item; item = item->next) {
        size_t at = 0;
        while (at < sizeof known / sizeof *known && strcmp(known[at], item->key) != 0)
            at++;
        if (at == sizeof known / sizeof *known)
            return refuse(why,
                          "%.40s: there is no such key; there are method, address, router, "
                          "dns, ntp, ssid, passphrase, apn, pin",
                          item->key);
    }
    return 0;
}

int network_take(struct network_interface *interface, const char *name, enum network_kind kind,
                 const struct json *object, const struct network_interface *before,
                 char why[NETWORK_WHY_SIZE])
{
    char method[16];

    memset(interface, 0, sizeof *interface);
    interface->kind = kind;
    if (!network_name_valid(name))
        return refuse(why, "\"%.40s\" is no name that an interface may have", name);
    snprintf(interface->name, sizeof interface->name, "%s", name);
    if (check_keys(object, why) || take_text(object, "method", method, sizeof method, why))
        return ERR_INVALID;
    if (strcmp(method, methods[NETWORK_STATIC]) == 0)
        interface->method = NETWORK_STATIC;
    else if (*method && strcmp(method, methods[NETWORK_DHCP]) != 0)
        return refuse(why, "method: found \"%s\"; allowed are dhcp and static", method);
    if (take_address(interface, object, why) ||
        take_servers(object, "dns", *interface->dns, sizeof *interface->dns, is_address,
                     "the address of a name server", why) ||
        take_servers(object, "ntp", *interface->ntp, sizeof *interface->ntp, is_host_name,
                     "the name or address of a time server", why))
        return ERR_INVALID;
    if (kind == NETWORK_WIFI)
        return take_wifi(interface, object, before, why);
    if (kind == NETWORK_MOBILE)
        return take_mobile(interface, object, before, why);
    return 0;
}

/* --- the text of a plan --- */

static int read_interface(struct network_plan *plan, const struct json *item,
                          char why[NETWORK_WHY_SIZE])
{
    struct network_interface interface;
    char name[NETWORK_NAME_SIZE], word[16];
    unsigned kind = 0;

    if (item->type != JSON_OBJECT || take_text(item, "name", name, sizeof name, why) ||
        take_text(item, "kind", word, sizeof word, why))
        return ERR_INVALID;
    while (kind < sizeof kinds / sizeof *kinds && strcmp(kinds[kind], word) != 0)
        kind++;
    if (kind == sizeof kinds / sizeof *kinds)
        return refuse(why, "kind: found \"%s\"", word);
    int error = network_take(&interface, name, (enum network_kind)kind, item, NULL, why);
    if (!error && network_put(plan, &interface))
        error = refuse(why, "there are more than %d interfaces", NETWORK_INTERFACES_MAX);
    explicit_bzero(&interface, sizeof interface);
    return error;
}

int network_read(struct network_plan *plan, const char *text, size_t size,
                 char why[NETWORK_WHY_SIZE])
{
    struct arena *arena;
    struct json *root = NULL;
    int error = 0;

    memset(plan, 0, sizeof *plan);
    if (arena_open(&arena))
        return ERR_NOMEM;
    if (json_read(&root, arena, text, size, NULL, NULL) || !root || root->type != JSON_OBJECT)
        error = refuse(why, "it is no object of JSON");
    const struct json *list = error ? NULL : json_find(root, "interfaces");
    if (!error && (!list || list->type != JSON_LIST))
        error = refuse(why, "it has no list \"interfaces\"");
    for (const struct json *item = error ? NULL : list->first; item && !error; item = item->next)
        error = read_interface(plan, item, why);
    arena_close(arena);
    return error;
}

static void write_servers(struct json_writer *writer, const char *key, const char *list,
                          size_t room)
{
    json_write_open(writer, key, '[');
    for (size_t i = 0; i < NETWORK_SERVERS_MAX && list[room * i]; i++)
        json_write_text(writer, NULL, list + room * i);
    json_write_close(writer, ']');
}

static void write_radio(struct json_writer *writer, const struct network_interface *interface,
                        bool secrets)
{
    bool wifi = interface->kind == NETWORK_WIFI;
    const char *secret = wifi ? interface->passphrase : interface->pin;

    json_write_text(writer, wifi ? "ssid" : "apn", wifi ? interface->ssid : interface->apn);
    if (secrets)
        json_write_text(writer, wifi ? "passphrase" : "pin", secret);
    else
        json_write_bool(writer, wifi ? "passphrase_set" : "pin_set", *secret != '\0');
}

void network_write_interface(struct json_writer *writer, const struct network_interface *interface,
                             bool secrets)
{
    json_write_text(writer, "name", interface->name);
    json_write_text(writer, "kind", kinds[interface->kind]);
    json_write_text(writer, "method", methods[interface->method]);
    if (interface->method == NETWORK_STATIC) {
        json_write_text(writer, "address", interface->address);
        if (*interface->router)
            json_write_text(writer, "router", interface->router);
    }
    write_servers(writer, "dns", *interface->dns, sizeof *interface->dns);
    write_servers(writer, "ntp", *interface->ntp, sizeof *interface->ntp);
    if (interface->kind != NETWORK_ETHERNET)
        write_radio(writer, interface, secrets);
}

char *network_write(const struct network_plan *plan, size_t *size)
{
    char *text = NULL;
    struct json_writer writer = {.out = open_memstream(&text, size)};

    if (!writer.out)
        return NULL;
    json_write_open(&writer, NULL, '{');
    json_write_integer(&writer, "schema", 1);
    json_write_open(&writer, "interfaces", '[');
    for (size_t i = 0; i < plan->count; i++) {
        json_write_open(&writer, NULL, '{');
        network_write_interface(&writer, &plan->list[i], true);
        json_write_close(&writer, '}');
    }
    json_write_close(&writer, ']');
    json_write_close(&writer, '}');
    fputc('\n', writer.out);
    if (fclose(writer.out) == 0)
        return text;
    free(text);
    return NULL;
}

struct network_interface *network_find(struct network_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->list[i].name, name) == 0)
            return &plan->list[i];
    return NULL;
}

int network_put(struct network_plan *plan, const struct network_interface *interface)
{
    struct network_interface *place = network_find(plan, interface->name);

    if (!place && plan->count == NETWORK_INTERFACES_MAX)
        return ERR_FULL;
    if (!place)
        place = &plan->list[plan->count++];
    *place = *interface;
    return 0;
}

bool network_drop(struct network_plan *plan, const char *name)
{
    struct network_interface *place = network_find(plan, name);

    if (!place)
        return false;
    *place = plan->list[--plan->count];
    return true;
}
