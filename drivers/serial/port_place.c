#include "serial/port_place.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "core/words.h"
#include "serial/port_board.h"
#include "serial/port_holder.h"

/* Who has the port is looked for once, not at every attempt. */
static void explain_busy(struct port_place *place, const struct port_roots *roots)
{
    char holder[PORT_HOLDER_MAX];

    if (place->held)
        return;
    place->held = true;
    if (!port_holder(roots, place->path, holder))
        snprintf(holder, sizeof holder, "another program");
    snprintf(place->why, sizeof place->why, "%s has it: end that program, or give it another port",
             holder);
}

/* `found`: which port is meant was clear, it is the port itself that failed. */
static void explain(struct port_place *place, const struct port_roots *roots, const char *name,
                    int error, bool found)
{
    const char *advice = error_text(error), *label = port_board_label(name);
    struct board_port port;

    if (error == ERR_NOT_FOUND && label && port_board_find(roots, label, &port, place->why) != 0)
        return;
    if (error == ERR_BUSY) {
        explain_busy(place, roots);
        return;
    }
    if (error == ERR_NOT_FOUND)
        advice =
            "it is not there: plug the adapter in, or correct \"port\"; \"sluice ports\" lists "
            "what is there";
    else if (error == ERR_DENIED)
        advice = "permission denied: the gateway's user must be in the group of the port (dialout)";
    else if (error == ERR_UNSUPPORTED)
        advice = "it is no serial port: \"sluice ports\" lists those that there are";
    else if (error == ERR_INVALID && found)
        advice =
            "it does not take this baud, parity or stop bits: correct \"line\", or take another "
            "adapter";
    else if (error == ERR_INVALID)
        advice = "several adapters fit that name: take one that \"sluice ports\" prints";
    snprintf(place->why, sizeof place->why, "%s", advice);
}

/* Adapters of FTDI gather bytes for 16 ms unless told otherwise. */
static void quicken(const struct port_roots *roots, const struct port_info *info, int fd)
{
    char path[PORT_PATH_MAX];
    FILE *file;

    port_low_latency(fd);
    if (info->latency_ms <= 1)
        return;
    snprintf(path, sizeof path, "%.150s/class/tty/%s/device/latency_timer", roots->sys, info->tty);
    file = fopen(path, "we");
    if (!file)
        return;
    fputs("1\n", file);
    fclose(file);
}

static void learn(struct port_place *place, const char *name, const struct port_info *info)
{
    const char *before = place->identity.serial, *serial = info->identity.serial;

    if (place->identity.vendor[0] && strcmp(before, serial) != 0)
        log_warn("serial", "port %s is another adapter now: serial number %s, before %s", name,
                 serial[0] ? serial : "unknown", before[0] ? before : "unknown");
    place->identity = info->identity;
}

/* The port is open: it is told what it is for. */
static int equip(struct port_place *place, const struct port_roots *roots, const char *name,
                 const struct port_rs485 *rs485, int fd)
{
    struct port_info info = {.latency_ms = -1};
    char tty[32];

    place->why[0] = '\0';
    place->rs485 = port_board_rs485(roots, name, rs485);
    if (port_rs485_set(fd, &place->rs485) != 0) {
        port_board_advice(roots, name, place->why);
        return ERR_UNSUPPORTED;
    }
    if (strcmp(place->path, name) != 0)
        log_info("serial", "port %s is %s", name, place->path);
    if (port_tty(roots, place->path, tty) == 0)
        port_describe(roots, tty, &info);
    quicken(roots, &info, fd);
    learn(place, name, &info);
    return 0;
}

int port_place_open(struct port_place *place, const struct port_roots *roots, const char *name,
                    const struct port_settings *settings, const struct port_rs485 *rs485, int *fd)
{
    char holder[PORT_HOLDER_MAX], found[PORT_PATH_MAX] = "";
    int error = port_find(roots, name, &place->identity, found);
    bool is_found = error == 0;

    if (strcmp(found, place->path) != 0)
        place->held = false;
    snprintf(place->path, sizeof place->path, "%s", found);
    if (!error && port_holder_by_file(roots, place->path, holder))
        error = ERR_BUSY;
    if (!error)
        error = port_open(place->path, settings, fd);
    if (error != ERR_BUSY)
        place->held = false;
    if (error) {
        explain(place, roots, name, error, is_found);
        return error;
    }
    error = equip(place, roots, name, rs485, *fd);
    if (error) {
        port_close(*fd);
        *fd = -1;
    }
    return error;
}

size_t port_place_news(struct port_place *place, const char *name, char out[PORT_PLACE_TEXT_MAX])
{
    const struct port_identity *identity = &place->identity;
    char usb[20];
    struct text text;

    if (!identity->vendor[0] || memcmp(identity, &place->told, sizeof *identity) == 0)
        return 0;
    place->told = *identity;
    snprintf(usb, sizeof usb, "%s:%s", identity->vendor, identity->product);
    text_init(&text, out, PORT_PLACE_TEXT_MAX);
    text_string(&text, "port=1");
    words_put(&text, "name", name);
    words_put(&text, "usb", usb);
    words_put(&text, "serial", identity->serial);
    words_put(&text, "interface", identity->interface);
    words_put(&text, "socket", identity->socket);
    return text.cut ? 0 : text.size;
}

bool port_place_take(struct port_place *place, const char *name, const char *text, size_t size)
{
    char words[PORT_PLACE_TEXT_MAX], about[PORT_PATH_MAX], usb[20];
    struct port_identity identity = {0};
    char *colon;

    if (size >= sizeof words)
        return false;
    memcpy(words, text, size);
    words[size] = '\0';
    words_take(words, "name", about, sizeof about);
    words_take(words, "usb", usb, sizeof usb);
    colon = strchr(usb, ':');
    if (strncmp(words, "port=1 ", 7) != 0 || strcmp(about, name) != 0 || !colon)
        return false;
    snprintf(identity.vendor, sizeof identity.vendor, "%.*s", (int)(colon - usb), usb);
    snprintf(identity.product, sizeof identity.product, "%.7s", colon + 1);
    words_take(words, "serial", identity.serial, sizeof identity.serial);
    words_take(words, "interface", identity.interface, sizeof identity.interface);
    words_take(words, "socket", identity.socket, sizeof identity.socket);
    place->identity = place->told = identity;
    return true;
}
