/* What the two halves of backups share: writing (backup_write.c) and reading (backup.c). */
#ifndef SLUICE_WEB_BACKUP_INSIDE_H
#define SLUICE_WEB_BACKUP_INSIDE_H

#include "tls/digest.h"
#include "web/backup.h"

#define BACKUP_KIND   "sluice-backup"
#define TEMPLATE_KIND "sluice-template"
#define BACKUP_LABEL  "sluice-backup 1 "

#define BACKUP_LABEL_SIZE (sizeof BACKUP_LABEL - 1 + DIGEST_SIZE)

/* Fills the sentence in and returns the error. */
int backup_refuse(char why[BACKUP_WHY_SIZE], int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the sealed part belongs to: it does not open beside another configuration. */
bool backup_label(const char *config, uint8_t label[BACKUP_LABEL_SIZE]);

#endif
