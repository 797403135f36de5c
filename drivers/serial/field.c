#include "serial/field.h"

#include <string.h>

struct span field_trim(struct span span)
{
    while (span.size > 0 && span.text[0] == ' ') {
        span.text++;
        span.size--;
    }
    while (span.size > 0 && span.text[span.size - 1] == ' ')
        span.size--;
    return span;
}

bool field_column(struct span line, const char *delimiter, int64_t index, struct span *column)
{
    size_t delimiter_size = strlen(delimiter);
    bool blanks = strcmp(delimiter, " ") == 0;

    for (;;) {
        const char *found;

        if (blanks)
            line = field_trim(line);
        found = memmem(line.text, line.size, delimiter, delimiter_size);
        column->text = line.text;
        column->size = found ? (size_t)(found - line.text) : line.size;
        if (index-- == 0)
            return true;
        if (!found)
            return false;
        line.size -= column->size + delimiter_size;
        line.text = found + delimiter_size;
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != 0 && strchr("._-:*&", c));
}

static size_t skip_digits_back(struct span line, size_t at)
{
    while (at > 0 && is_digit(line.text[at - 1]))
        at--;
    return at;
}

/* Whether a name may begin at `at`; in meters' codes also behind the "1-0:" of the medium and
 * channel. */
static bool begins_at(struct span line, size_t at, bool is_code)
{
    size_t medium, channel;

    if (at == 0 || !is_name(line.text[at - 1]))
        return true;
    if (!is_code || line.text[at - 1] != ':')
        return false;
    channel = skip_digits_back(line, at - 1);
    if (channel == at - 1 || channel == 0 || line.text[channel - 1] != '-')
        return false;
    medium = skip_digits_back(line, channel - 1);
    return medium < channel - 1 && (medium == 0 || !is_name(line.text[medium - 1]));
}

/* "(value*unit)" from the bracket on. */
static bool bracketed(struct span rest, struct span *value, struct span *unit)
{
    const char *close = memchr(rest.text, ')', rest.size), *star;

    if (!close)
        return false;
    *value = (struct span){rest.text + 1, (size_t)(close - rest.text) - 1};
    star = memchr(value->text, '*', value->size);
    if (star) {
        *unit = (struct span){star + 1, (size_t)(close - star) - 1};
        value->size = (size_t)(star - value->text);
    }
    return true;
}

/* What stands behind "=" or ":". */
static void delimited(struct span rest, const char *delimiter, struct span *value)
{
    size_t delimiter_size = strlen(delimiter);
    const char *found = memmem(rest.text + 1, rest.size - 1, delimiter, delimiter_size);

    *value = (struct span){rest.text + 1, found ? (size_t)(found - rest.text) - 1 : rest.size - 1};
    for (size_t i = 0; i < value->size; i++) {
        if ((unsigned char)value->text[i] < ' ')
            value->size = i;
    }
}

bool field_by_key(struct span line, const char *key, const char *delimiter, struct span *value,
                  struct span *unit)
{
    static const char every_value[] = "*255";
    size_t key_size = strlen(key), from = 0;
    const char *found;

    *unit = (struct span){line.text, 0};
    while ((found = memmem(line.text + from, line.size - from, key, key_size))) {
        size_t at = (size_t)(found - line.text);
        struct span rest = {found + key_size, line.size - at - key_size};

        from = at + 1;
        if (rest.size > sizeof(every_value) - 1 &&
            memcmp(rest.text, every_value, sizeof(every_value) - 1) == 0)
            rest = (struct span){rest.text + sizeof(every_value) - 1,
                                 rest.size - (sizeof(every_value) - 1)};
        if (rest.size > 0 && rest.text[0] == '(' && begins_at(line, at, true))
            return bracketed(rest, value, unit);
        rest = field_trim((struct span){found + key_size, line.size - at - key_size});
        if (rest.size > 0 && (rest.text[0] == '=' || rest.text[0] == ':') &&
            begins_at(line, at, false)) {
            delimited(rest, delimiter, value);
            return true;
        }
    }
    return false;
}
