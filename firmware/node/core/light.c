#include "node/core/light.h"

void light_open(struct light *light, const struct light_pattern *pattern, uint32_t now_us)
{
    *light = (struct light){.pattern = pattern, .since_us = now_us};
}

static uint32_t step_us(const struct light *light)
{
    const struct light_pattern *pattern = light->pattern;

    if (light->step % 2 == 0)
        return pattern->on_ms * 1000U;
    return (light->step + 1U < 2U * pattern->count ? pattern->off_ms : pattern->pause_ms) * 1000U;
}

bool light_is_on(struct light *light, uint32_t now_us)
{
    if (now_us - light->since_us >= step_us(light)) {
        light->since_us = now_us;
        light->step = light->step + 1U < 2U * light->pattern->count ? light->step + 1 : 0;
    }
    return light->step % 2 == 0;
}
