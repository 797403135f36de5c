/*
 * The boot table: which runs of the machine the journal has seen, and what the newest knowledge
 * says of the wall clock in each. It dates events that were stored before the clock was set.
 * Thread-safe.
 */
#ifndef SLUICE_JOURNAL_BOOTS_H
#define SLUICE_JOURNAL_BOOTS_H

#include <pthread.h>
#include <stdint.h>

#define BOOT_ID_SIZE_MAX 40 /* a UUID with its terminating zero, and some */
#define BOOTS_MAX        256

struct boot {
    int64_t offset_ns; /* wall minus monotonic clock */
    uint32_t number;   /* from 1 */
    uint8_t trust;
    char id[BOOT_ID_SIZE_MAX];
};

struct boots {
    pthread_mutex_t mutex;
    uint32_t count;
    struct boot table[BOOTS_MAX]; /* by number */
};

void boots_init(struct boots *boots);
void boots_clear(struct boots *boots);

/* The number of the boot with that id; a new one where it is not known. */
uint32_t boots_number(struct boots *boots, const char *id);

/* Enters what is now known of a boot; the oldest leaves when there are too many. */
void boots_set(struct boots *boots, const struct boot *boot);

/* Number `at` in order. Returns 1, or 0 behind the last. */
int boots_get(const struct boots *boots, uint32_t at, struct boot *boot);

/* What is known of a boot. Returns 1, or 0 when it is not in the table. */
int boots_find(const struct boots *boots, uint32_t number, struct boot *boot);

#endif
