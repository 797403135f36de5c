/*
 * What a restart does not clear: why it came, and a word that the boot loader and the program leave
 * each other. At the beginning of the memory, behind the vectors where those are in memory.
 */
#ifndef SLUICE_NODE_RUN_H
#define SLUICE_NODE_RUN_H

#include <stdint.h>

#define RUN_MAGIC 0x51C1CE5Au /* memory that was without power does not hold this */

enum run_end { RUN_ENDED, RUN_ASKED, RUN_FAULT };

struct run {
    uint32_t magic;
    uint32_t end;     /* enum run_end, of the run before */
    uint32_t message; /* between boot loader and program */
    uint32_t unused;
};

extern volatile struct run run_shared;

/* MAP_RESTART_REASON_IS_...; once, and before the program is left again. */
uint16_t run_reason(void);

/* Restarts the chip, having noted why. */
_Noreturn void run_restart(enum run_end end);

#endif
