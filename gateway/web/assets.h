/* The page's own files, which are part of the program. */
#ifndef SLUICE_WEB_ASSETS_H
#define SLUICE_WEB_ASSETS_H

#include "web/route.h"

/* GET / and what lies below /assets/, for anybody. */
struct routes assets_routes(void);

#endif
