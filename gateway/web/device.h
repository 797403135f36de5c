/*
 * Browsers from which somebody has logged in before. Each has a mark in a cookie that only this
 * gateway can have made, for this account and its present password (an HMAC keyed by the password's
 * hash), so none is kept here. It lets nobody in: see attempts.h. Any thread.
 */
#ifndef SLUICE_WEB_DEVICE_H
#define SLUICE_WEB_DEVICE_H

#include <stdbool.h>

#include "web/key.h"

#define DEVICE_NUMBER_SIZE 17 /* 64 random bits in hexadecimal, with the terminating zero */
#define DEVICE_MARK_SIZE   (DEVICE_NUMBER_SIZE + KEY_TEXT_SIZE)

/* Makes a mark. False where there are no random numbers. */
bool device_mark(const char *password_hash, char mark[DEVICE_MARK_SIZE]);

/* Whether a mark is one; then its number tells this browser from others. */
bool device_fits(const char *password_hash, const char *mark, char number[DEVICE_NUMBER_SIZE]);

#endif
