/* The talker: NMEA 0183, a burst of four sentences. */
#include <stdio.h>
#include <time.h>

#include "line.h"

static void say_sentence(struct line *line, bool has_counter, const char *body)
{
    unsigned sum = 0;

    for (const char *c = body; *c; c++)
        sum ^= (unsigned char)*c;
    line_say(line, has_counter, "$%s*%02X", body, sum);
}

static void tick(struct line *line)
{
    time_t seconds = (time_t)(wire_unix_ms() / 1000);
    int hundredths = (int)(wire_unix_ms() % 1000 / 10);
    uint32_t counter = ++line->unit.counter;
    char body[96], clock[16], date[16];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(clock, sizeof clock, "%H%M%S", &utc);
    /* RMC wants two digits of the year. */
    snprintf(date, sizeof date, "%02u%02u%02u", (unsigned)utc.tm_mday % 100,
             (unsigned)utc.tm_mon % 12 + 1, (unsigned)utc.tm_year % 100);
    snprintf(body, sizeof body, "GPRMC,%s.%02d,A,4717.%03u,N,00834.%03u,E,%u.%u,084.4,%s,003.1,W",
             clock, hundredths, counter % 1000, (counter * 7) % 1000, counter % 30, counter % 10,
             date);
    say_sentence(line, false, body);
    snprintf(body, sizeof body,
             "GPGGA,%s.%02d,4717.%03u,N,00834.%03u,E,1,08,0.9,4%02u.4,M,46.9,M,,", clock,
             hundredths, counter % 1000, (counter * 7) % 1000, counter % 100);
    say_sentence(line, false, body);
    snprintf(body, sizeof body, "WIMWV,%u.0,R,%u.%u,M,A", counter * 5 % 360, 3 + counter % 9,
             counter % 10);
    say_sentence(line, false, body);
    snprintf(body, sizeof body, "PSLCN,%u", counter);
    say_sentence(line, true, body);
}

const struct device line_nmea = {"nmea", 4800, "counter", tick, NULL};
