/* A light that flashes in a pattern, so that who stands before the board sees what it is at. */
#ifndef SLUICE_NODE_LIGHT_H
#define SLUICE_NODE_LIGHT_H

#include <stdbool.h>
#include <stdint.h>

struct light_pattern {
    uint8_t count; /* flashes in a row; at least one */
    uint16_t on_ms, off_ms;
    uint16_t pause_ms; /* behind the last one of a row, instead of off_ms */
};

struct light {
    const struct light_pattern *pattern;
    uint32_t since_us;
    uint8_t step; /* the even ones are lit */
};

/* Begins with the first flash. `pattern` outlives it. */
void light_open(struct light *light, const struct light_pattern *pattern, uint32_t now_us);

/* Whether it is lit now. Asked too late, it goes on with the next step: none is left out. */
bool light_is_on(struct light *light, uint32_t now_us);

#endif
