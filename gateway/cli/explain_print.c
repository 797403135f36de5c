#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/explain.h"
#include "core/text.h"
#include "modbus/options.h"

#define VALUE_WIDTH 22
#define REG_5_MAX   9998 /* the address of 49999 */

/* The register as the person numbers it. */
static int64_t reg_of(const struct explain_page *page, unsigned at)
{
    int64_t address = page->address + (int64_t)at, table = page->function == 4 ? 3 : 4;

    if (page->zero_based)
        return address;
    return address > REG_5_MAX ? table * 100000 + 1 + address : table * 10000 + 1 + address;
}

static uint16_t word_of(const struct explain_page *page, unsigned at)
{
    const uint8_t *data = page->samples->data + 2 * (size_t)at;
    const size_t last = (size_t)(page->samples->samples - 1) * 2 * page->samples->count;

    return (uint16_t)(data[last] << 8 | data[last + 1]);
}

static char printable(unsigned byte)
{
    return byte >= ' ' && byte <= '~' ? (char)byte : '.';
}

/* The newest reading, as the driver would publish it. */
static void value_text(const struct explain_page *page, unsigned at, unsigned kind, char *out,
                       size_t size)
{
    struct value value = guess_value(page->samples, at, kind, page->samples->samples - 1);
    struct text text;

    text_init(&text, out, size);
    if (value.type == VALUE_U64)
        text_u64(&text, value.u);
    else if (value.type == VALUE_I64)
        text_i64(&text, value.i);
    else if (value.type == VALUE_F64)
        text_f64(&text, value.f, value.decimals);
    else
        text_string(&text, "no number");
}

/* Numbers that are no measurement of anything are too long to be looked at. */
static void shorten(char *text, double number)
{
    if (strlen(text) > VALUE_WIDTH - 9)
        snprintf(text, VALUE_WIDTH - 8, "%.5g", number);
}

static void print_cell(const struct explain_page *page, unsigned at, unsigned kind)
{
    static const char marks[] = {'=', '+', '~', '!'};
    struct guess guess;
    char text[512], cell[64];

    if (!guess_make(page->samples, at, kind, &guess))
        return;
    double newest = guess.values[page->samples->samples - 1];

    value_text(page, at, kind, text, sizeof text);
    if (guess_kinds[kind].registers > 1 && !isnan(newest))
        shorten(text, newest);
    snprintf(cell, sizeof cell, "[%u]%c%.40s%c", guess_number(at, kind),
             guess.plausible ? '*' : ' ', text,
             page->samples->samples > 1 && !isnan(newest) ? marks[guess.motion] : ' ');
    fprintf(page->out, "  %-*s", VALUE_WIDTH, cell);
}

/* Whether a row of four orders has anything to say: a sign that matters, a likely number. */
static bool says_something(const struct explain_page *page, unsigned at, unsigned kind)
{
    bool wide = guess_kinds[kind].registers == 4;
    struct guess guess;

    for (unsigned i = 0; i < 4; i++) {
        if (!guess_make(page->samples, at, kind + i, &guess))
            return false;
        if (page->all || guess.plausible || (!wide && guess_kinds[kind].name[0] != 'i'))
            return true;
    }
    return false;
}

static void print_bits(const struct explain_page *page, unsigned at)
{
    uint16_t word = word_of(page, at);
    const char *separator = "  bits ";
    unsigned number;

    for (int bit = 15; bit >= 0; bit--) {
        if (!(word >> bit & 1))
            continue;
        fprintf(page->out, "%s%d", separator, bit);
        separator = " ";
    }
    if (guess_bcd(word, &number) && word > 9)
        fprintf(page->out, "  BCD %u", number);
}

static void print_register(const struct explain_page *page, unsigned at)
{
    uint16_t word = word_of(page, at);
    char date[80];

    fprintf(page->out, "\n%-6" PRId64 " 0x%04X  \"%c%c\"", reg_of(page, at), word,
            printable(word >> 8), printable(word & 0xFF));
    print_bits(page, at);
    if (guess_may_be_blank(page->samples, at))
        fprintf(page->out, "  may mean: not available");
    if (guess_date(page->samples, at, date, sizeof date))
        fprintf(page->out, "  %s", date);
    fprintf(page->out, "\n  16  u16");
    print_cell(page, at, 0);
    fprintf(page->out, "  i16");
    print_cell(page, at, 1);
    fputc('\n', page->out);
    for (unsigned kind = 2; kind < GUESS_KINDS; kind += 4) {
        if (!says_something(page, at, kind))
            continue;
        fprintf(page->out, "  %s %s", guess_kinds[kind].registers == 2 ? "32" : "64",
                guess_kinds[kind].name);
        for (unsigned i = 0; i < 4; i++)
            print_cell(page, at, kind + i);
        fputc('\n', page->out);
    }
}

void explain_print(const struct explain_page *page)
{
    unsigned missing = 0;

    fprintf(page->out,
            "[N] is for --pick N, * is plausible%s.\n"
            "32 bits in the orders ABCD, CDAB, BADC, DCBA; 64 bits in ABCDEFGH, GHEFCDAB, BADCFEHG, "
            "HGFEDCBA.\n",
            page->samples->samples > 1 ? "; from read to read it = stays, + counts, ~ moves, ! jumps"
                                       : "");
    for (unsigned at = 0; at < page->samples->count; at++) {
        if (page->samples->there[at])
            print_register(page, at);
        else
            missing++;
    }
    if (missing)
        fprintf(page->out, "\n%u register%s of these the device does not have.\n", missing,
                missing == 1 ? "" : "s");
}

static void put_values(struct text *text, const struct guess *guess, unsigned samples, bool json)
{
    bool single = guess_kinds[guess->kind].type == MODBUS_F32 && guess->scale == 1;

    for (unsigned i = 0; i < samples; i++) {
        text_string(text, i == 0 ? "" : json ? "," : " ");
        text_f64(text, guess->values[i],
                 single                            ? DECIMALS_SHORTEST_F32
                 : fabs(guess->values[i]) < 1e9 ? 6
                                                   : DECIMALS_SHORTEST);
    }
}

static void scale_text(double scale, char *out, size_t size)
{
    struct text text;

    text_init(&text, out, size);
    text_f64(&text, scale, DECIMALS_SHORTEST);
}

void explain_print_guesses(const struct explain_page *page, const struct guess *guesses,
                           size_t count)
{
    fprintf(page->out, "%6s  %-8s %-5s %-9s %-7s %-7s %s\n", "pick", "register", "type", "order",
            "scale", "", "values");
    for (size_t i = 0; i < count; i++) {
        const struct guess_kind *kind = &guess_kinds[guesses[i].kind];
        char values[1024], scale[32];
        struct text text;

        text_init(&text, values, sizeof values);
        put_values(&text, &guesses[i], page->samples->samples, false);
        scale_text(guesses[i].scale, scale, sizeof scale);
        fprintf(page->out, "%6u  %-8" PRId64 " %-5s %-9s %-7s %-7s %s\n",
                guess_number(guesses[i].at, guesses[i].kind), reg_of(page, guesses[i].at),
                kind->name, kind->registers > 1 ? kind->letters : "", scale,
                page->samples->samples > 1 ? guess_motion_name(guesses[i].motion) : "", values);
    }
}

static void put_guess_json(const struct explain_page *page, const struct guess *guess,
                           struct text *text)
{
    const struct guess_kind *kind = &guess_kinds[guess->kind];

    text_printf(text, "{\"pick\":%u,\"reg\":%" PRId64 ",\"type\":\"%s\",\"order\":\"%s\",\"scale\":",
                guess_number(guess->at, guess->kind), reg_of(page, guess->at), kind->name,
                kind->letters);
    text_f64(text, guess->scale, DECIMALS_SHORTEST);
    text_string(text, ",\"values\":[");
    put_values(text, guess, page->samples->samples, true);
    text_printf(text, "],\"motion\":\"%s\",\"plausible\":%s}", guess_motion_name(guess->motion),
                guess->plausible ? "true" : "false");
}

void explain_print_guesses_json(const struct explain_page *page, const struct guess *guesses,
                                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char line[2048];
        struct text text;

        text_init(&text, line, sizeof line);
        put_guess_json(page, &guesses[i], &text);
        fprintf(page->out, "%s\n", line);
    }
}

void explain_print_json(const struct explain_page *page)
{
    struct guess guess;

    for (unsigned at = 0; at < page->samples->count; at++) {
        for (unsigned kind = 0; kind < GUESS_KINDS; kind++) {
            if (guess_make(page->samples, at, kind, &guess))
                explain_print_guesses_json(page, &guess, 1);
        }
    }
}
