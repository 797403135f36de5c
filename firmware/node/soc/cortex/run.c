#include "node/soc/cortex/run.h"

#include "map_table.h"
#include "node/soc/cortex/cortex.h"

__attribute__((section(".noinit"))) volatile struct run run_shared;

uint16_t run_reason(void)
{
    bool warm = run_shared.magic == RUN_MAGIC;
    uint32_t end = warm ? run_shared.end : RUN_ENDED;
    enum soc_cause cause = soc_cause();

    run_shared.magic = RUN_MAGIC;
    run_shared.end = RUN_ENDED;
    if (end == RUN_ASKED)
        return MAP_RESTART_REASON_IS_ASKED_FOR;
    if (end == RUN_FAULT)
        return MAP_RESTART_REASON_IS_FAULT;
    /* A chip that does not say: the memory kept its words, and nobody asked for it. */
    if (cause == SOC_CAUSE_WATCHDOG || (cause == SOC_CAUSE_UNKNOWN && warm))
        return MAP_RESTART_REASON_IS_WATCHDOG;
    return MAP_RESTART_REASON_IS_POWER;
}

void run_passed(void)
{
    if (run_shared.passed)
        run_shared.end = RUN_ENDED;
    run_shared.passed = true;
}

void run_restart(enum run_end end)
{
    run_shared.magic = RUN_MAGIC;
    run_shared.end = end;
    run_shared.passed = false;
    __asm volatile("dsb" ::: "memory");
    SCB_AIRCR = AIRCR_RESET;
    for (;;)
        ;
}
