/*
 * A backup: the configuration, the files beside it, the profiles of its own that it uses, and the
 * accounts, as one JSON document
 * (docs/backup.md). What is secret in it is sealed under a passphrase, or left out.
 */
#ifndef SLUICE_WEB_BACKUP_H
#define SLUICE_WEB_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "config/json.h"
#include "config/json_write.h"

#define BACKUP_SCHEMA         1
#define BACKUP_BYTES_MAX      (8 * 1024 * 1024) /* of all files and profiles together */
#define BACKUP_PROFILES_MAX   256
#define BACKUP_WHY_SIZE       256
#define BACKUP_PASSPHRASE_MIN 10

struct backup_place {
    const char *config_path;
    const char *first; /* the text that stands for a configuration that is not there */
    const char *accounts_path;
    const struct config_parts *parts; /* where profiles are */
};

/* The configuration's text, malloc'd: `place->first` where there is no file. 0, or an error. */
int backup_config(const struct backup_place *place, char **text);

/* Writes the fields into an open object; `passphrase` NULL leaves the secrets out. 0, or an error
 * with a sentence. */
int backup_write(struct json_writer *writer, const struct backup_place *place,
                 const char *gateway_id, const char *passphrase, int64_t now_ms,
                 char why[BACKUP_WHY_SIZE]);

/*
 * The fields of a template as a document: its text (`template`, as export_template makes it), the
 * files that the configuration names and that are no secrets, and the profiles of the gateway's
 * own. The same way.
 */
int backup_write_template(struct json_writer *writer, const struct backup_place *place,
                          const char *template, int64_t now_ms, char why[BACKUP_WHY_SIZE]);

struct backup_file {
    const char *name;
    bool secret;  /* it was sealed */
    bool profile; /* the profile of that name, and no file beside the configuration */
    char *data;
    size_t size;
};

struct backup {
    struct arena *arena; /* of the sealed part */
    const char *config;  /* its text */
    struct backup_file *files; /* and profiles */
    size_t count, profile_count;
    struct backup_file accounts; /* data NULL: there are none in it */
    bool secrets_left_out;
    const struct json *displays; /* what displays showed (displays.h); NULL: nothing of that */
};

/* Takes a document apart; the tree outlives the backup. 0; ERR_INVALID, ERR_VERSION, ERR_DENIED
 * (the passphrase is another, or the document was changed), ERR_NOMEM: with a sentence. Close it in
 * any case. */
int backup_read(struct backup *backup, const struct json *document, const char *passphrase,
                char why[BACKUP_WHY_SIZE]);

/* The same of a template's document, which has no secrets. */
int backup_read_template(struct backup *backup, const struct json *document,
                         char why[BACKUP_WHY_SIZE]);
void backup_close(struct backup *backup);

#endif
