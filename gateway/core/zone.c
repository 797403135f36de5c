#include "core/zone.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define DATABASE "/usr/share/zoneinfo"

/*
 * The C library takes its zone from the environment. The variable is put there once and its text is
 * replaced in place, as setenv may move the environment under a thread that looks something up.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char variable[sizeof "TZ=:" + ZONE_NAME_SIZE_MAX] = "TZ=UTC0";

static const char *database(void)
{
    const char *folder = getenv("TZDIR");

    return folder && *folder ? folder : DATABASE;
}

int zone_find(const char *name)
{
    char path[512];

    if (strcmp(name, "UTC") == 0)
        return 0;
    if (*name == '/' || *name == '\0' || strstr(name, "..") || strlen(name) >= ZONE_NAME_SIZE_MAX)
        return ERR_NOT_FOUND;
    if (access(database(), F_OK) != 0)
        return ERR_UNSUPPORTED;
    snprintf(path, sizeof path, "%.400s/%s", database(), name);
    return access(path, R_OK) == 0 ? 0 : ERR_NOT_FOUND;
}

int zone_set(const char *name)
{
    int error = zone_find(name);

    pthread_mutex_lock(&lock);
    if (getenv("TZ") != variable + sizeof "TZ=" - 1)
        putenv(variable);
    if (error || strcmp(name, "UTC") == 0)
        strcpy(variable, "TZ=UTC0");
    else
        snprintf(variable, sizeof variable, "TZ=:%s", name);
    tzset();
    pthread_mutex_unlock(&lock);
    return error;
}

int64_t zone_ahead_ns(int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    struct tm local;

    return localtime_r(&seconds, &local) ? local.tm_gmtoff * NS_PER_S : 0;
}
