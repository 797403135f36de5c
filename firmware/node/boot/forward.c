/*
 * A Cortex-M0 looks for its vectors at the beginning of the flash, which is the boot loader's for
 * ever. So the table there leads on to one at the beginning of the memory, where whoever runs puts
 * its own. Others are told where the table is, and need none of this.
 */
#include "node/soc/cortex/cortex.h"

#ifdef __ARM_ARCH_6M__

#define EXCEPTIONS 48 /* 16, and the interrupts of Armv6-M: B1.5.2, B3.4 */

/* What the processor has saved by then may be used: B1.5.6. IPSR is the number of the exception. */
__attribute__((naked)) static void forward(void)
{
    __asm volatile(".syntax unified\n"
                   "mrs r0, ipsr\n"
                   "lsls r0, r0, #2\n"
                   "ldr r1, =layout_vectors_ram\n"
                   "ldr r1, [r1, r0]\n"
                   "bx r1\n"
                   ".ltorg\n"); /* near enough for the word above */
}

__attribute__((section(".forward"), used)) static cortex_handler *const table[EXCEPTIONS] = {
    (cortex_handler *)layout_stack_top, cortex_reset, [2 ... EXCEPTIONS - 1] = forward};

#endif
