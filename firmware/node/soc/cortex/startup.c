/* From reset to main: no interrupt comes before. */
#include <string.h>

#include "node/soc/cortex/cortex.h"
#include "node/soc/cortex/run.h"

extern uint32_t layout_data_load[], layout_data[], layout_data_end[], layout_bss[],
    layout_bss_end[], layout_vectors[], layout_vectors_end[], layout_vectors_ram[];

int main(void);

static size_t span(const uint32_t *from, const uint32_t *to)
{
    return (size_t)((uintptr_t)to - (uintptr_t)from);
}

/* Interrupts go through this program's table. Armv6-M cannot move it: there the boot loader's table
 * leads to a copy in memory. */
static void place_vectors(void)
{
#if defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__)
    SCB_VTOR = (uint32_t)(uintptr_t)layout_vectors;
#else
    memcpy(layout_vectors_ram, layout_vectors, span(layout_vectors, layout_vectors_end));
#endif
}

void cortex_reset(void)
{
    memcpy(layout_data, layout_data_load, span(layout_data, layout_data_end));
    memset(layout_bss, 0, span(layout_bss, layout_bss_end));
    place_vectors();
    main();
    run_restart(RUN_FAULT);
}

/* A fault cannot be mended here: begin anew, and tell. */
void cortex_fault(void)
{
    run_restart(RUN_FAULT);
}
