/* What there is to choose from: device profiles, serial ports, the options of each driver. Answers
 * are what the program sluice prints. Routes: /api/v1/profiles, ports, options. */
#ifndef SLUICE_WEB_CHOICES_H
#define SLUICE_WEB_CHOICES_H

#include "web/route.h"

struct routes choices_routes(void);

#endif
