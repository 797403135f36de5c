/* What the numbers of points stand for ("auto" for 1), as the running configuration has it. */
#ifndef SLUICE_WEB_LEGEND_H
#define SLUICE_WEB_LEGEND_H

#include "core/event.h"
#include "core/site.h"

struct legend;

/* ERR_NOMEM. legend_close(NULL) is fine. */
int legend_open(struct legend **legend);
void legend_close(struct legend *legend);

/* Adds the texts of a point, which are copied. Without memory some are missing. */
void legend_add(struct legend *legend, uint32_t stream, const struct site_enum *enums,
                size_t count);

/* Sorts what was added: before the first look-up. */
void legend_finish(struct legend *legend);

/* The text for a value of a stream; NULL: it has none. */
const char *legend_text(const struct legend *legend, uint32_t stream, const struct value *value);

#endif
