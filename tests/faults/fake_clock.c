#include "faults/fake_clock.h"

static int64_t fake_wall(void *context)
{
    return atomic_load(&((struct fake_clock *)context)->wall_ns);
}

static int64_t fake_mono(void *context)
{
    return atomic_load(&((struct fake_clock *)context)->mono_ns);
}

static enum clock_trust fake_trust(void *context)
{
    return (enum clock_trust)atomic_load(&((struct fake_clock *)context)->trust);
}

void fake_clock_init(struct fake_clock *fake)
{
    fake->clock = (struct clock){
        .wall_ns = fake_wall, .mono_ns = fake_mono, .trust = fake_trust, .context = fake};
    atomic_init(&fake->wall_ns, INT64_C(1795448300) * NS_PER_S);
    atomic_init(&fake->mono_ns, 100 * NS_PER_S);
    atomic_init(&fake->trust, CLOCK_SYNCHRONISED);
}

void fake_clock_advance(struct fake_clock *fake, int64_t ns)
{
    atomic_fetch_add(&fake->wall_ns, ns);
    atomic_fetch_add(&fake->mono_ns, ns);
}

void fake_clock_step(struct fake_clock *fake, int64_t ns)
{
    atomic_fetch_add(&fake->wall_ns, ns);
}
