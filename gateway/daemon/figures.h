/* What the daemon tells Prometheus of buses, devices, points, uplinks and itself (web/metrics.h).
 */
#ifndef SLUICE_DAEMON_FIGURES_H
#define SLUICE_DAEMON_FIGURES_H

#include "daemon/running.h"

/* As metrics_source.write. Takes the lock of what runs. */
void figures_write(struct running *running, struct text *text, bool points);

#endif
