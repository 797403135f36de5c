#include "core/choice.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/nearest.h"

const struct option_alias choice_number_types[] = {
    {"bit", "bool"},
    {"boolean", "bool"},
    {"coil", "bool"},
    {"flag", "bool"},
    {"byte", "u8"},
    {"uint8", "u8"},
    {"usint", "u8"},
    {"uchar", "u8"},
    {"int8", "i8"},
    {"sint", "i8"},
    {"sint8", "i8"},
    {"char", "i8"},
    {"uint16", "u16"},
    {"word", "u16"},
    {"uint", "u16"},
    {"ushort", "u16"},
    {"unsigned", "u16"},
    {"unsigned16", "u16"},
    {"int16", "i16"},
    {"int", "i16"},
    {"short", "i16"},
    {"sint16", "i16"},
    {"integer", "i16"},
    {"signed", "i16"},
    {"signed16", "i16"},
    {"uint32", "u32"},
    {"dword", "u32"},
    {"udint", "u32"},
    {"ulong", "u32"},
    {"unsigned32", "u32"},
    {"int32", "i32"},
    {"dint", "i32"},
    {"long", "i32"},
    {"sint32", "i32"},
    {"signed32", "i32"},
    {"uint64", "u64"},
    {"lword", "u64"},
    {"qword", "u64"},
    {"ulint", "u64"},
    {"ulonglong", "u64"},
    {"int64", "i64"},
    {"lint", "i64"},
    {"longlong", "i64"},
    {"sint64", "i64"},
    {"float", "f32"},
    {"float32", "f32"},
    {"real", "f32"},
    {"single", "f32"},
    {"real32", "f32"},
    {"ieee754", "f32"},
    {"double", "f64"},
    {"float64", "f64"},
    {"lreal", "f64"},
    {"real64", "f64"},
    {"text", "string"},
    {"str", "string"},
    {"ascii", "string"},
    /* as mbpoll has them */
    {"4:float", "f32"},
    {"3:float", "f32"},
    {"4:int", "i32"},
    {"3:int", "i32"},
    {"4:int16", "i16"},
    {"3:int16", "i16"},
    {"4:string", "string"},
    {0},
};

const struct option_choice *choice_find(const struct option *option, const char *text)
{
    for (const struct option_choice *choice = option->choices; choice->text; choice++) {
        if (strcmp(choice->text, text) == 0)
            return choice;
    }
    return NULL;
}

/* Whether two words are the same but for case, blanks, - and _. */
static bool alike(const char *a, const char *b)
{
    for (;;) {
        a += strspn(a, " -_");
        b += strspn(b, " -_");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
        a++;
        b++;
    }
}

const char *choice_meant(const struct option *option, const char *found)
{
    struct nearest nearest;

    for (const struct option_choice *choice = option->choices; choice->text; choice++) {
        if (alike(choice->text, found))
            return choice->text;
    }
    for (const struct option_alias *alias = option->aliases; alias && alias->text; alias++) {
        if (alike(alias->text, found) && choice_find(option, alias->choice))
            return alias->choice;
    }
    nearest_init(&nearest, found);
    for (const struct option_choice *choice = option->choices; choice->text; choice++)
        nearest_offer(&nearest, choice->text);
    return nearest.best;
}

void choice_list(const struct option *option, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    for (const struct option_choice *choice = option->choices; choice->text && at < size; choice++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "", choice->text);
}

void choice_refuse(const struct option *option, const char *found, char *out, size_t size)
{
    char allowed[256];
    const char *meant = choice_meant(option, found);

    choice_list(option, allowed, sizeof allowed);
    snprintf(out, size, "found \"%.40s\"; allowed: %s%s%s%s", found, allowed,
             meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}
