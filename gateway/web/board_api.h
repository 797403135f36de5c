/* The board that the gateway runs on: its description and its wiring drawing. Routes:
 * GET /api/v1/board, GET /api/v1/board/drawing. */
#ifndef SLUICE_WEB_BOARD_API_H
#define SLUICE_WEB_BOARD_API_H

#include "config/board.h"
#include "web/route.h"

/* `places` outlives the server. */
struct routes board_routes(const struct board_places *places);

#endif
