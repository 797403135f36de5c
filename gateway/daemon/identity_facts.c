#include "daemon/identity_facts.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "tls/digest.h"

#define WORD_SIZE  128
#define HASH_BYTES 12 /* of the digest that are kept */
#define EXT4_MAGIC 0xEF53
#define PERMANENT  "0" /* addr_assign_type: neither random nor set by somebody */

/* The first line, without blanks and zeros at its end: a device tree ends texts with one. */
static bool read_word(char out[WORD_SIZE], const char *root, const char *path)
{
    char name[PATH_MAX];

    snprintf(name, sizeof name, "%s%s", root, path);
    FILE *file = fopen(name, "re");
    size_t size = file ? fread(out, 1, WORD_SIZE - 1, file) : 0;
    if (file)
        fclose(file);
    out[size] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    size = strlen(out);
    while (size && out[size - 1] == ' ')
        out[--size] = '\0';
    return size > 0;
}

static void set_fact(char fact[IDENTITY_FACT_SIZE], const char *kind, const char *word)
{
    uint8_t digest[DIGEST_SIZE];

    fact[0] = '\0';
    if (!digest_make(word, strlen(word), digest))
        return;
    int size = snprintf(fact, IDENTITY_FACT_SIZE, "%s:", kind);
    for (size_t i = 0; i < HASH_BYTES; i++)
        size += snprintf(fact + size, IDENTITY_FACT_SIZE - (size_t)size, "%02x", digest[i]);
}

/* What makers leave in place of a number. */
static bool is_filler(const char *word)
{
    static const char *const fillers[] = {
        "To be filled by O.E.M.", "Default string",       "None",
        "Not Specified",          "System Serial Number", "0123456789"};

    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        if (strcasecmp(word, fillers[i]) == 0)
            return true;
    return strspn(word, "0-.: xX") == strlen(word);
}

/* Whether an interface is part of the board, and keeps its address: adapters move. */
static bool read_address(const char *root, const char *name, char word[WORD_SIZE])
{
    char link[PATH_MAX], device[PATH_MAX];

    snprintf(link, sizeof link, "%.*s/sys/class/net/%s/device", PATH_MAX / 2, root, name);
    if (!realpath(link, device) || strstr(device, "/usb"))
        return false;
    *strrchr(link, '/') = '\0';
    return read_word(word, link, "/addr_assign_type") && strcmp(word, PERMANENT) == 0 &&
           read_word(word, link, "/address") && !is_filler(word);
}

static void add_board(struct identity_facts *facts, size_t *count, const char *kind,
                      const char *word)
{
    if (*count < IDENTITY_BOARDS_MAX)
        set_fact(facts->boards[(*count)++], kind, word);
}

static int in_order(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* In the order of their addresses, which stay when their names do not. */
static void add_interfaces(struct identity_facts *facts, size_t *count, const char *root)
{
    char folder[PATH_MAX], words[IDENTITY_BOARDS_MAX][WORD_SIZE];
    size_t found = 0;
    struct dirent *entry;

    snprintf(folder, sizeof folder, "%s/sys/class/net", root);
    DIR *list = opendir(folder);
    while (list && found < IDENTITY_BOARDS_MAX && (entry = readdir(list)))
        if (entry->d_name[0] != '.' && read_address(root, entry->d_name, words[found]))
            found++;
    if (list)
        closedir(list);
    qsort(words, found, sizeof *words, in_order);
    for (size_t i = 0; i < found; i++)
        add_board(facts, count, "net", words[i]);
}

static void look_at_board(struct identity_facts *facts, const char *root)
{
    static const struct {
        const char *kind, *path;
    } places[] = {
        /* Not through /proc, which a unit may not see. */
        {"tree", "/sys/firmware/devicetree/base/serial-number"},
        {"board", "/sys/class/dmi/id/board_serial"},
        {"product", "/sys/class/dmi/id/product_uuid"},
    };
    char word[WORD_SIZE];
    size_t count = 0;

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (read_word(word, root, places[i].path) && !is_filler(word))
            add_board(facts, &count, places[i].kind, word);
    add_interfaces(facts, &count, root);
    memcpy(facts->board, facts->boards[0], sizeof facts->board);
}

/* The number of the card or disk that a device node is on, or of the one that it is a part of. */
static void read_medium(char word[WORD_SIZE], const char *root, dev_t device)
{
    char link[64], where[PATH_MAX], path[PATH_MAX];
    static const char *const names[] = {"device/cid",       "../device/cid", "device/serial",
                                        "../device/serial", "serial",        "../serial"};

    word[0] = '\0';
    snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(device), minor(device));
    snprintf(path, sizeof path, "%.*s%s", PATH_MAX / 2, root, link);
    if (!realpath(path, where))
        return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "/%s", names[i]);
        if (read_word(word, where, path) && !is_filler(word))
            return;
    }
    word[0] = '\0';
}

/* An ext4's id is made of its UUID; others' are of no use behind a restart. */
static void look_at_medium(char fact[IDENTITY_FACT_SIZE], const char *root, const char *state_path)
{
    char serial[WORD_SIZE] = "", word[WORD_SIZE + 64];
    struct statfs filesystem;
    struct stat status;
    unsigned long long id = 0;

    fact[0] = '\0';
    if (stat(state_path, &status) || statfs(state_path, &filesystem))
        return;
    if (filesystem.f_type == EXT4_MAGIC)
        memcpy(&id, &filesystem.f_fsid, sizeof id);
    read_medium(serial, root, status.st_dev);
    if (!id && !*serial)
        return;
    snprintf(word, sizeof word, "%016llx %s", id, serial);
    set_fact(fact, id ? *serial ? "both" : "ext4" : "disk", word);
}

void identity_facts_look(struct identity_facts *facts, const char *root, const char *state_path)
{
    char word[WORD_SIZE];

    memset(facts, 0, sizeof *facts);
    if (read_word(word, root, "/etc/machine-id"))
        set_fact(facts->machine, "id", word);
    look_at_board(facts, root);
    look_at_medium(facts->medium, root, state_path);
}
