#include "modbus/scan_judge.h"

#define NOISY_UNITS 3 /* that are garbled: so many do not share a number by chance */

static unsigned asked(const struct scan_tally *tally)
{
    return tally->answers + tally->exceptions + tally->silent + tally->garbled + tally->doubled;
}

unsigned scan_questions(const struct scan_tally *tally)
{
    unsigned wanted = 1;

    if (tally->answers || tally->exceptions)
        wanted = SCAN_ASKED_PRESENT;
    if (tally->garbled || tally->doubled)
        wanted = SCAN_ASKED_GARBLED;
    return asked(tally) < wanted ? wanted - asked(tally) : 0;
}

enum scan_verdict scan_judge(const struct scan_tally *tally, const struct scan_quality *quality)
{
    unsigned sound = tally->answers + tally->exceptions, odd = tally->garbled + tally->doubled;
    bool noisy = quality->garbled >= NOISY_UNITS && quality->garbled > quality->answering;

    if (sound == 0 && odd == 0)
        return SCAN_ABSENT;
    if (odd == 0)
        return SCAN_PRESENT;
    if (quality->numbered)
        return sound > 0 ? SCAN_NOISY : odd > 1 ? SCAN_UNCLEAR : SCAN_ABSENT;
    if (sound > 0)
        return noisy || (odd == 1 && tally->doubled == 0) ? SCAN_NOISY : SCAN_SHARED;
    if (noisy || odd < 2)
        return SCAN_ABSENT;
    return quality->answering > 0 || tally->doubled > 1 ? SCAN_SHARED : SCAN_UNCLEAR;
}

static const struct {
    const char *word, *advice, *numbered;
} verdicts[] = {
    [SCAN_ABSENT] = {"absent", "", ""},
    [SCAN_PRESENT] = {"present", "", ""},
    [SCAN_NOISY] = {"noisy",
                    "answers, but some answers were damaged: look at termination, shielding and "
                    "the length of the line",
                    "answers, but some answers did not belong to the question, or were not whole: "
                    "ask it more slowly, and look for newer firmware of the device or gateway"},
    [SCAN_SHARED] = {"shared",
                     "two devices seem to have this unit, and answer at the same time: take one "
                     "off the line and give it another with sluice assign",
                     ""},
    [SCAN_UNCLEAR] = {"unclear",
                      "something answers that cannot be read: two devices with this unit, or one "
                      "at another baud or parity",
                      "answers come, but none that belongs to the question: it may speak RTU "
                      "frames (--frames rtu), or be no Modbus server"},
};

const char *scan_word(enum scan_verdict verdict)
{
    return verdicts[verdict].word;
}

const char *scan_advice(enum scan_verdict verdict, bool numbered)
{
    return numbered ? verdicts[verdict].numbered : verdicts[verdict].advice;
}
