/* The scale: MT-SICS level 0 and 1. */
#include <string.h>

#include "line.h"

static void say_weight(struct line *line, char status)
{
    if (line->state == '+' || line->state == '-') {
        line_say(line, false, "S %c", line->state);
        return;
    }
    if (line->state == 'I') {
        line_say(line, false, "S I");
        return;
    }
    line->unit.counter++;
    line_say(line, true, "S %c %7u.%02u g", status, line->unit.counter / 100,
             line->unit.counter % 100);
}

static void tick(struct line *line)
{
    if (line->repeat)
        say_weight(line, line->state == 'D' ? 'D' : 'S');
}

static void scale_stable_weight(struct line *line)
{
    /* A weight that does not settle ends in the scale's own time-out: not executable. */
    if (line->state == 'D')
        line_say(line, false, "S I");
    else
        say_weight(line, 'S');
}

static void command(struct line *line, const char *command)
{
    static const struct {
        const char *command, *answer;
    } fixed[] = {
        {"I0", "I0 A 1 \"SI\""},
        {"I1", "I1 A \"01\" \"2.30\" \"2.22\" \"\" \"\""},
        {"I2", "I2 A \"SLUICE SCALE 60000.00 g\""},
        {"I3", "I3 A \"1.10 18.6.4.1361.52\""},
        {"I4", "I4 A \"B021002593\""},
        {"@", "I4 A \"B021002593\""},
        {"T", "T S       12.34 g"},
        {"TI", "TI S       12.34 g"},
        {"TA", "TA A       12.34 g"},
        {"TAC", "TAC A"},
        {"ZI", "ZI S"},
    };
    bool repeat = strcmp(command, "SIR") == 0;

    if (strcmp(command, "S") == 0 || strcmp(command, "@") == 0 || strcmp(command, "SI") == 0)
        line->repeat = false;
    if (strcmp(command, "S") == 0) {
        scale_stable_weight(line);
    } else if (strcmp(command, "SI") == 0 || repeat) {
        say_weight(line, line->state == 'D' ? 'D' : 'S');
        line->repeat = repeat;
    } else if (strcmp(command, "Z") == 0) {
        line_say(line, false, line->state == 'S' ? "Z A" : "Z I");
    } else {
        for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
            if (strcmp(command, fixed[i].command) == 0) {
                line_say(line, false, "%s", fixed[i].answer);
                return;
            }
        }
        line_say(line, false, "ES");
    }
}

const struct device line_scale = {"scale", 9600, "weight", tick, command};
