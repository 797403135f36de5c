/*
 * Profiles that somebody makes on the page: of a device whose registers were found by hand. Those
 * that are there are read by choices.h. Route: PUT /api/v1/profiles/NAME.
 */
#ifndef SLUICE_WEB_PROFILES_API_H
#define SLUICE_WEB_PROFILES_API_H

#include "config/config.h"
#include "journal/journal.h"
#include "web/route.h"

struct profiles_given {
    const struct config_parts *parts;
    struct journal *journal; /* for the audit trail */
};

/* `given` and what it names outlive the API. */
struct routes profiles_routes(struct profiles_given *given);

#endif
