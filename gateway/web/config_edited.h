/*
 * What somebody edited by hand in the configuration's file, past the page: what stands there and
 * is not in force, and what was kept beside it (FILE.edited) when a change went back over it. The
 * routes GET and DELETE /api/v1/config/edited.
 */
#ifndef SLUICE_WEB_CONFIG_EDITED_H
#define SLUICE_WEB_CONFIG_EDITED_H

#include "web/config_api.h"

/* `keeper` outlives the server. */
struct routes config_edited_routes(const struct config_keeper *keeper);

#endif
