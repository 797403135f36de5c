/* A backup or a template, brought back: POST /api/v1/restore. */
#ifndef SLUICE_WEB_RESTORE_H
#define SLUICE_WEB_RESTORE_H

#include "web/export_api.h"

/* Takes what the request brings, and answers it. */
void restore_answer(const struct export_given *given, const struct route_request *request,
                    struct http_reply *reply);

#endif
