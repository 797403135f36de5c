/*
 * What the machine's network is to be: for each interface that was set on the page or by `sluice
 * network`, how it gets its address, and the names and secrets of its radio. An interface that is
 * not in it stays as the system has it. Pure: no files, no threads.
 */
#ifndef SLUICE_DAEMON_NETWORK_PLAN_H
#define SLUICE_DAEMON_NETWORK_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "config/json.h"
#include "config/json_write.h"

#define NETWORK_INTERFACES_MAX 8
#define NETWORK_SERVERS_MAX    3
#define NETWORK_NAME_SIZE      16 /* IFNAMSIZ */
#define NETWORK_ADDRESS_SIZE   52 /* "2001:db8::1/64" */
#define NETWORK_HOST_SIZE      64
#define NETWORK_WHY_SIZE       256
#define NETWORK_PLAN_SIZE_MAX  (16 * 1024) /* of the text */

enum network_kind { NETWORK_ETHERNET, NETWORK_WIFI, NETWORK_MOBILE };
enum network_method { NETWORK_DHCP, NETWORK_STATIC };

struct network_interface {
    char name[NETWORK_NAME_SIZE];
    enum network_kind kind;
    enum network_method method;
    char address[NETWORK_ADDRESS_SIZE]; /* with its prefix; "" for DHCP */
    char router[NETWORK_ADDRESS_SIZE];  /* "" for none */
    char dns[NETWORK_SERVERS_MAX][NETWORK_ADDRESS_SIZE];
    char ntp[NETWORK_SERVERS_MAX][NETWORK_HOST_SIZE];
    char ssid[33];       /* Wi-Fi */
    char passphrase[65]; /* Wi-Fi; "" for an open network */
    char apn[65];        /* mobile */
    char pin[9];         /* mobile; "" for none */
};

struct network_plan {
    struct network_interface list[NETWORK_INTERFACES_MAX];
    size_t count;
};

/* "ethernet", "wifi", "mobile". */
const char *network_kind_word(enum network_kind kind);

/*
 * Takes one interface from an object. Its kind is the one that the interface has. A Wi-Fi without
 * "passphrase" keeps that of `before` (may be NULL) where the network is the same. 0, or
 * ERR_INVALID with a sentence: the key, what was found, what is allowed.
 */
int network_take(struct network_interface *interface, const char *name, enum network_kind kind,
                 const struct json *object, const struct network_interface *before,
                 char why[NETWORK_WHY_SIZE]);

/*
 * Reads a plan's text, trusting nothing in it: root reads what an unprivileged daemon has written.
 * 0, ERR_INVALID with a sentence, ERR_NOMEM.
 */
int network_read(struct network_plan *plan, const char *text, size_t size,
                 char why[NETWORK_WHY_SIZE]);

/* The plan's text, malloc'd; NULL without memory. */
char *network_write(const struct network_plan *plan, size_t *size);

/* Writes an interface's fields into an open object: with `secrets` also what network_take needs to
 * read it back, else whether there are any ("passphrase_set", "pin_set"). */
void network_write_interface(struct json_writer *writer, const struct network_interface *interface,
                             bool secrets);

/* NULL where the plan has none of that name. */
struct network_interface *network_find(struct network_plan *plan, const char *name);

/* Puts the interface in, in place of the one of its name. 0 or ERR_FULL. */
int network_put(struct network_plan *plan, const struct network_interface *interface);

/* Takes it out. False where there is none. */
bool network_drop(struct network_plan *plan, const char *name);

/* Whether an interface may have that name: what Linux and the files of both managers take. */
bool network_name_valid(const char *name);

#endif
