#include "core/clock.h"

#include "core/error.h"
#include "core/zone.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define S_PER_DAY  INT64_C(86400)
#define NS_PER_DAY (S_PER_DAY * NS_PER_S)
#define YEAR_FIRST 1970
#define YEAR_LAST  2261 /* the last that 63 bits of nanoseconds hold whole */

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now); /* cannot fail for these two */
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t system_wall(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono(void *context)
{
    (void)context;
    return read_clock(CLOCK_MONOTONIC);
}

/* What systemd-timesyncd leaves once it has followed a server, and touches each time that it does,
 * for those who may not ask the kernel: a unit's ProtectClock= forbids even that. */
#define TIMESYNC_FOLDER  "/run/systemd/timesync"
#define TIMESYNC_SIGN    TIMESYNC_FOLDER "/synchronized"
#define SIGN_LIFETIME_NS (2 * 3600 * NS_PER_S) /* a few times its longest interval, 34 min 8 s */

bool clock_sign_holds(const char *path, int64_t wall_ns)
{
    struct stat sign;

    if (stat(path, &sign))
        return false;
    int64_t age_ns = wall_ns - ((int64_t)sign.st_mtim.tv_sec * NS_PER_S + sign.st_mtim.tv_nsec);
    return age_ns >= -NS_PER_S && age_ns <= SIGN_LIFETIME_NS;
}

static enum clock_trust system_trust(void *context)
{
    int64_t wall_ns = system_wall(context);

    if (wall_ns < CLOCK_RELEASED_NS)
        return CLOCK_UNSET;
    struct timex state = {.modes = 0};
    bool synchronised = adjtimex(&state) >= 0 ? !(state.status & STA_UNSYNC)
                                              : clock_sign_holds(TIMESYNC_SIGN, wall_ns);
    return synchronised ? CLOCK_SYNCHRONISED : CLOCK_FREE_RUNNING;
}

bool clock_is_watched(void)
{
    struct timex state = {.modes = 0};

    return adjtimex(&state) >= 0 || access(TIMESYNC_FOLDER, F_OK) == 0;
}

const char *clock_trust_name(enum clock_trust trust)
{
    static const char *const names[] = {"unset", "free-running", "synchronised"};

    return names[trust];
}

const struct clock clock_system = {system_wall, system_mono, system_trust, NULL};

/*
 * The civil calendar is computed here, as gmtime's time_t ends in 2038 on 32-bit systems. Years are
 * counted from March, so that the leap day is their last: then month m (0 is March) begins at day
 * (153 * m + 2) / 5.
 */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    *month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

void clock_format(int64_t wall_ns, char out[32])
{
    int64_t days = wall_ns / NS_PER_DAY, rest_ns = wall_ns % NS_PER_DAY;
    if (rest_ns < 0) {
        days--;
        rest_ns += NS_PER_DAY;
    }
    unsigned ms = (unsigned)(rest_ns / NS_PER_MS);
    int year, month, day;
    date_from_days(days, &year, &month, &day);
    snprintf(out, 32, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)year % 10000,
             (unsigned)month % 100, (unsigned)day % 100, ms / 3600000 % 24, ms / 60000 % 60,
             ms / 1000 % 60, ms % 1000);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads exactly `digits` digits and moves *at behind them; -1 where there are fewer. */
static int read_digits(const char **at, int digits)
{
    int number = 0;
    for (int i = 0; i < digits; i++) {
        if (!is_digit(**at))
            return -1;
        number = number * 10 + (*(*at)++ - '0');
    }
    return number;
}

/* Reads a number without a sign; false for none and for one that a double-digit factor could
 * overflow. */
static bool read_number(const char **at, int64_t *number)
{
    if (!is_digit(**at))
        return false;
    *number = 0;
    while (is_digit(**at)) {
        if (*number > INT64_MAX / 1000)
            return false;
        *number = *number * 10 + (*(*at)++ - '0');
    }
    return true;
}

static bool take(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool read_date(const char **at, int64_t *ns)
{
    int year = read_digits(at, 4);
    int month = take(at, '-') ? read_digits(at, 2) : -1;
    int day = take(at, '-') ? read_digits(at, 2) : -1;
    if (year < YEAR_FIRST || year > YEAR_LAST || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return false;
    *ns = days_from_date(year, month, day) * NS_PER_DAY;
    return true;
}

static bool read_fraction(const char **at, int64_t *ns)
{
    if (!is_digit(**at))
        return false;
    for (int64_t unit = NS_PER_S / 10; is_digit(**at); (*at)++, unit /= 10)
        *ns += unit * (**at - '0');
    return true;
}

static bool read_time_of_day(const char **at, int64_t *ns)
{
    int hour = read_digits(at, 2);
    int minute = take(at, ':') ? read_digits(at, 2) : -1;
    int second = 0;
    if (take(at, ':'))
        second = read_digits(at, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    *ns += (hour * 3600 + minute * 60 + second) * NS_PER_S;
    return !take(at, '.') || read_fraction(at, ns);
}

static bool read_zone(const char **at, int64_t *ns)
{
    if (take(at, 'Z') || **at == '\0')
        return true;
    int sign = take(at, '+') ? 1 : take(at, '-') ? -1 : 0;
    int hour = read_digits(at, 2);
    take(at, ':');
    int minute = read_digits(at, 2);
    if (sign == 0 || hour < 0 || hour > 14 || minute < 0 || minute > 59)
        return false;
    *ns -= sign * (hour * 3600 + minute * 60) * NS_PER_S;
    return true;
}

static bool parse_date_and_time(const char *text, int64_t *wall_ns)
{
    int64_t ns;
    if (!read_date(&text, &ns))
        return false;
    if (*text != '\0') {
        if (!take(&text, 'T') && !take(&text, ' '))
            return false;
        if (!read_time_of_day(&text, &ns) || !read_zone(&text, &ns) || *text != '\0')
            return false;
    }
    *wall_ns = ns;
    return true;
}

static bool parse_ago(const char *text, int64_t now_ns, int64_t *wall_ns)
{
    static const struct {
        const char *suffix;
        int64_t ns;
    } units[] = {{"ms", NS_PER_MS},      {"s", NS_PER_S},   {"m", 60 * NS_PER_S},
                 {"h", 3600 * NS_PER_S}, {"d", NS_PER_DAY}, {"w", 7 * NS_PER_DAY}};
    int64_t count;
    if (!take(&text, '-') || !read_number(&text, &count))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        int64_t ago;
        if (strcmp(text, units[i].suffix) == 0)
            return !__builtin_mul_overflow(count, units[i].ns, &ago) &&
                   !__builtin_sub_overflow(now_ns, ago, wall_ns);
    }
    return false;
}

static bool parse_ms(const char *text, int64_t *wall_ns)
{
    int64_t ms;
    return read_number(&text, &ms) && *text == '\0' &&
           !__builtin_mul_overflow(ms, NS_PER_MS, wall_ns);
}

/* A local time of day, of today or, where that is still to come, of yesterday. */
static bool parse_time_of_day(const char *text, int64_t now_ns, int64_t *wall_ns)
{
    int64_t of_day = 0, local_now = now_ns + zone_ahead_ns(now_ns);
    int64_t midnight = local_now - (local_now % NS_PER_DAY + NS_PER_DAY) % NS_PER_DAY;
    if (!read_time_of_day(&text, &of_day) || *text != '\0')
        return false;
    for (int days = 0; days <= 2; days++) {
        int64_t local = midnight + of_day - days * NS_PER_DAY;
        /* The zone's offset is asked for at a moment that is off by that offset at most: asked
         * again there it is right. */
        *wall_ns = local - zone_ahead_ns(local - zone_ahead_ns(local));
        if (*wall_ns <= now_ns)
            break;
    }
    return true;
}

int clock_parse(const char *text, int64_t now_ns, int64_t *wall_ns)
{
    int64_t ns = 0;
    if (strcmp(text, "now") == 0)
        ns = now_ns;
    else if (!parse_ago(text, now_ns, &ns) && !parse_ms(text, &ns) &&
             !parse_date_and_time(text, &ns) && !parse_time_of_day(text, now_ns, &ns))
        return ERR_INVALID;
    *wall_ns = ns;
    return 0;
}
