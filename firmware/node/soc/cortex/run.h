/*
 * What a restart does not clear: why it came. At the beginning of the memory, behind the vectors where
 * those are in memory.
 */
#ifndef SLUICE_NODE_RUN_H
#define SLUICE_NODE_RUN_H

#include <stdint.h>

#define RUN_MAGIC 0x51C1CE5Au /* memory that was without power does not hold this */

enum run_end { RUN_ENDED, RUN_ASKED, RUN_FAULT };

struct run {
    uint32_t magic;
    uint32_t end;    /* enum run_end, of the run before */
    uint32_t passed; /* the boot loader has started a version since */
    uint32_t unused;
};

extern volatile struct run run_shared;

/* MAP_RESTART_REASON_IS_...; once, and before the program is left again. */
uint16_t run_reason(void);

/* Of the boot loader, before it starts a version. Where the one before it never came to run_reason it
 * hung, and the next is not told of the restart that had begun with that one. */
void run_passed(void);

/* Restarts the chip, having noted why. */
_Noreturn void run_restart(enum run_end end);

#endif
