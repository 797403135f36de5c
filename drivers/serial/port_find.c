#include "serial/port_find.h"

#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "serial/port_board.h"

#define LINKS_MAX  8 /* links that lead to links */
#define LEVELS_MAX 6 /* from a port up to its USB device */

const struct port_roots port_roots_system = {"/dev", "/sys", "/proc", "/run/lock",
                                             &board_places_system};

/* The first line of a small file; "" where there is none. Returns whether there is one. */
__attribute__((format(printf, 3, 4))) static bool read_line(char *out, size_t size,
                                                            const char *format, ...)
{
    char path[PATH_MAX];
    va_list arguments;
    FILE *file;

    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    out[0] = '\0';
    file = fopen(path, "re");
    if (!file)
        return false;
    if (!fgets(out, (int)size, file))
        out[0] = '\0';
    fclose(file);
    out[strcspn(out, "\n")] = '\0';
    return out[0] != '\0';
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Where a link leads to; "" for what is none. */
static void read_link(const char *path, char out[PATH_MAX])
{
    ssize_t size = readlink(path, out, PATH_MAX - 1);

    out[size > 0 ? size : 0] = '\0';
}

static void describe_driver(const char *folder, struct port_info *info)
{
    char link[PATH_MAX + 16], target[PATH_MAX], number[16];

    snprintf(link, sizeof link, "%s/driver", folder);
    read_link(link, target);
    snprintf(info->driver, sizeof info->driver, "%.31s", last_part(target));
    info->latency_ms =
        read_line(number, sizeof number, "%s/latency_timer", folder) ? atoi(number) : -1;
}

/* The USB device is some folders above the port. */
static void describe_usb(char *folder, struct port_info *info)
{
    struct port_identity *identity = &info->identity;
    char maker[48], model[48];

    for (int level = 0; level < LEVELS_MAX; level++) {
        char *slash = strrchr(folder, '/');

        if (!identity->interface[0])
            read_line(identity->interface, sizeof identity->interface, "%s/bInterfaceNumber",
                      folder);
        if (read_line(identity->vendor, sizeof identity->vendor, "%s/idVendor", folder)) {
            read_line(identity->product, sizeof identity->product, "%s/idProduct", folder);
            read_line(identity->serial, sizeof identity->serial, "%s/serial", folder);
            read_line(maker, sizeof maker, "%s/manufacturer", folder);
            read_line(model, sizeof model, "%s/product", folder);
            snprintf(info->adapter, sizeof info->adapter, "%.47s%s%.47s", maker,
                     maker[0] && model[0] ? " " : "", model);
            snprintf(identity->socket, sizeof identity->socket, "%.31s", last_part(folder));
            return;
        }
        if (!slash || slash == folder)
            break;
        *slash = '\0';
    }
    *identity = (struct port_identity){0};
}

int port_describe(const struct port_roots *roots, const char *tty, struct port_info *info)
{
    char link[PATH_MAX], folder[PATH_MAX], type[8];

    *info = (struct port_info){.latency_ms = -1};
    snprintf(link, sizeof link, "%.1000s/class/tty/%.31s/device", roots->sys, tty);
    if (!realpath(link, folder))
        return ERR_NOT_FOUND;
    /* The kernel makes room for serial ports that the board does not have: their type is 0. */
    if (read_line(type, sizeof type, "%.1000s/class/tty/%.31s/type", roots->sys, tty) &&
        strcmp(type, "0") == 0)
        return ERR_NOT_FOUND;
    snprintf(info->tty, sizeof info->tty, "%.31s", tty);
    snprintf(info->path, sizeof info->path, "%.200s/%.31s", roots->dev, tty);
    describe_driver(folder, info);
    describe_usb(folder, info);
    return 0;
}

void port_each(const struct port_roots *roots,
               bool (*each)(void *context, const struct port_info *info), void *context)
{
    char path[PATH_MAX];
    struct port_info info;
    struct dirent *entry;
    bool more = true;
    DIR *folder;

    snprintf(path, sizeof path, "%.1000s/class/tty", roots->sys);
    folder = opendir(path);
    while (folder && more && (entry = readdir(folder)))
        if (entry->d_name[0] != '.' && port_describe(roots, entry->d_name, &info) == 0)
            more = each(context, &info);
    if (folder)
        closedir(folder);
}

int port_tty(const struct port_roots *roots, const char *path, char tty[32])
{
    char at[PATH_MAX], target[PATH_MAX];
    struct port_info info;

    snprintf(at, sizeof at, "%s", path);
    for (int link = 0; link < LINKS_MAX; link++) {
        if (access(at, F_OK) == 0 && port_describe(roots, last_part(at), &info) == 0) {
            snprintf(tty, 32, "%s", info.tty);
            return 0;
        }
        read_link(at, target);
        if (!target[0])
            break;
        if (target[0] != '/') {
            size_t folder = (size_t)(last_part(at) - at);

            if (folder + strlen(target) >= sizeof at)
                break;
            memcpy(at + folder, target, strlen(target) + 1);
        } else {
            memcpy(at, target, sizeof at);
        }
    }
    return ERR_NOT_FOUND;
}

/* The name of the link below /dev/serial/KIND that leads to the port. */
static bool find_link(const struct port_roots *roots, const char *kind, const char *tty,
                      char out[PORT_PATH_MAX])
{
    char path[PATH_MAX], link[PATH_MAX + 300], found[32];
    struct dirent *entry;
    DIR *folder;
    bool is_it = false;

    snprintf(path, sizeof path, "%.1000s/serial/%s", roots->dev, kind);
    folder = opendir(path);
    while (folder && !is_it && (entry = readdir(folder))) {
        snprintf(link, sizeof link, "%s/%s", path, entry->d_name);
        is_it =
            entry->d_name[0] != '.' && port_tty(roots, link, found) == 0 && strcmp(found, tty) == 0;
        if (is_it)
            snprintf(out, PORT_PATH_MAX, "%s:%.240s", kind, entry->d_name);
    }
    if (folder)
        closedir(folder);
    return is_it;
}

void port_stable_name(const struct port_roots *roots, const struct board *board,
                      const struct port_info *info, char out[PORT_PATH_MAX])
{
    const struct port_identity *identity = &info->identity;
    const struct board_port *labelled = port_board_of(roots, board, info);

    if (labelled)
        snprintf(out, PORT_PATH_MAX, "board:%s", labelled->label);
    else if (find_link(roots, "by-id", info->tty, out))
        return;
    else if (identity->serial[0] && !strchr(identity->serial, ':'))
        snprintf(out, PORT_PATH_MAX, "usb:%s:%s:%s:%s", identity->vendor, identity->product,
                 identity->serial, identity->interface);
    else if (!find_link(roots, "by-path", info->tty, out))
        snprintf(out, PORT_PATH_MAX, "%s", info->path);
}

static bool begins(const char *text, const char *beginning, const char **rest)
{
    size_t size = strlen(beginning);

    *rest = text + size;
    return strncmp(text, beginning, size) == 0;
}

/* One part of a name up to the next colon; false when it does not fit. */
static bool take_part(const char **rest, char *out, size_t size)
{
    size_t length = strcspn(*rest, ":");

    if (length >= size)
        return false;
    memcpy(out, *rest, length);
    out[length] = '\0';
    *rest += length;
    if (**rest == ':')
        (*rest)++;
    return true;
}

static bool is_hex(const char *text, size_t size)
{
    return strlen(text) == size && strspn(text, "0123456789abcdef") == size;
}

static bool parse_usb(const char *rest, struct port_identity *wanted)
{
    *wanted = (struct port_identity){0};
    return take_part(&rest, wanted->vendor, sizeof wanted->vendor) &&
           take_part(&rest, wanted->product, sizeof wanted->product) &&
           take_part(&rest, wanted->serial, sizeof wanted->serial) &&
           take_part(&rest, wanted->interface, sizeof wanted->interface) && *rest == '\0' &&
           is_hex(wanted->vendor, 4) && is_hex(wanted->product, 4) &&
           (!wanted->interface[0] || is_hex(wanted->interface, 2));
}

bool port_name_valid(const struct port_roots *roots, const char *name, char *why, size_t why_size)
{
    char sentence[PORT_BOARD_WHY_MAX];
    struct port_identity wanted;
    struct board_port port;
    struct board board;
    const char *rest;

    if (port_board_label(name)) {
        rest = port_board_label(name);
        snprintf(why, why_size, "behind the colon stands what is printed beside the port");
        if (!rest[0])
            return false;
        /* A configuration may be written on another machine than it is for. */
        if (board_find(roots->boards, &board) == ERR_NOT_FOUND ||
            port_board_find(roots, rest, &port, sentence) == 0)
            return true;
        snprintf(why, why_size, "%s", sentence);
        return false;
    }
    if (begins(name, "by-id:", &rest) || begins(name, "by-path:", &rest)) {
        snprintf(why, why_size, "behind the colon stands a name as in /dev/serial");
        return rest[0] != '\0' && !strchr(rest, '/') && rest[0] != '.';
    }
    if (begins(name, "usb:", &rest)) {
        snprintf(why, why_size,
                 "adapters are named usb:VID:PID:SERIAL or usb:VID:PID:SERIAL:IF, as "
                 "\"usb:0403:6001:A50285BI\"");
        return parse_usb(rest, &wanted);
    }
    return true;
}

/* The adapters that fit, and the path of the first. */
struct search {
    const struct port_identity *wanted;
    bool exactly; /* the very adapter; else an empty part of `wanted` fits all */
    size_t count;
    char *path;
};

static bool fits(const char *wanted, const char *found, bool exactly)
{
    return strcmp(wanted, found) == 0 || (!exactly && !wanted[0]);
}

/* An adapter without a serial number is known by where it is plugged in. */
static bool is_adapter(const struct port_identity *wanted, const struct port_identity *found,
                       bool exactly)
{
    return found->vendor[0] && fits(wanted->vendor, found->vendor, exactly) &&
           fits(wanted->product, found->product, exactly) &&
           fits(wanted->serial, found->serial, exactly) &&
           fits(wanted->interface, found->interface, exactly) &&
           (!exactly || wanted->serial[0] || strcmp(wanted->socket, found->socket) == 0);
}

static bool consider(void *context, const struct port_info *info)
{
    struct search *search = context;

    if (!is_adapter(search->wanted, &info->identity, search->exactly))
        return true;
    if (search->count++ == 0)
        snprintf(search->path, PORT_PATH_MAX, "%s", info->path);
    return true;
}

static int find_adapter(const struct port_roots *roots, const struct port_identity *wanted,
                        bool exactly, char path[PORT_PATH_MAX])
{
    struct search search = {.wanted = wanted, .exactly = exactly, .path = path};

    port_each(roots, consider, &search);
    return search.count == 1 ? 0 : search.count == 0 ? ERR_NOT_FOUND : ERR_INVALID;
}

/* What a label means is said by the board's description in the other ways to name a port. */
static int find_labelled(const struct port_roots *roots, const char *label,
                         const struct port_identity *known, char path[PORT_PATH_MAX])
{
    static const struct port_identity any;
    char why[PORT_BOARD_WHY_MAX];
    struct board_port port;
    int error = port_board_find(roots, label, &port, why);

    if (error)
        return error == ERR_NOMEM ? error : ERR_NOT_FOUND;
    if (strcmp(port.port, "usb") == 0)
        return find_adapter(roots, &any, false, path);
    /* A description that leads in a circle ends here. */
    return port_board_label(port.port) ? ERR_NOT_FOUND : port_find(roots, port.port, known, path);
}

int port_find(const struct port_roots *roots, const char *name, const struct port_identity *known,
              char path[PORT_PATH_MAX])
{
    char serial_folder[PORT_PATH_MAX], tty[32], other[PORT_PATH_MAX];
    struct port_identity wanted;
    struct port_info info;
    const char *rest;

    if (begins(name, "usb:", &rest))
        return parse_usb(rest, &wanted) ? find_adapter(roots, &wanted, false, path) : ERR_INVALID;
    if (port_board_label(name))
        return find_labelled(roots, port_board_label(name), known, path);
    if (begins(name, "by-id:", &rest) || begins(name, "by-path:", &rest))
        snprintf(path, PORT_PATH_MAX, "%.100s/serial/%.*s/%.120s", roots->dev,
                 (int)(rest - name - 1), name, rest);
    else
        snprintf(path, PORT_PATH_MAX, "%.255s", name);
    snprintf(serial_folder, sizeof serial_folder, "%.200s/serial/", roots->dev);
    /* Links of udev say themselves what they mean: the adapter, or the socket whatever is in it. */
    if (known->vendor[0] && !begins(path, serial_folder, &rest)) {
        bool same = port_tty(roots, path, tty) == 0 && port_describe(roots, tty, &info) == 0 &&
                    is_adapter(known, &info.identity, true);

        if (!same && find_adapter(roots, known, true, other) == 0)
            snprintf(path, PORT_PATH_MAX, "%s", other);
    }
    return access(path, F_OK) == 0 ? 0 : ERR_NOT_FOUND;
}
