#include "daemon/update_version.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define OTHERS 256 /* what is no letter is behind all letters */

static bool is_digit(char c)
{
    return isdigit((unsigned char)c) != 0;
}

static bool ends(const char *at)
{
    return *at == '\0' || *at == '+';
}

static int order(const char *at)
{
    if (ends(at) || is_digit(*at))
        return 0;
    if (*at == '-' || *at == '~')
        return -1;
    return isalpha((unsigned char)*at) ? *at : *at + OTHERS;
}

static int compare_words(const char **a, const char **b)
{
    while (order(*a) || order(*b)) {
        int differs = order(*a) - order(*b);

        if (differs)
            return differs;
        ++*a;
        ++*b;
    }
    return 0;
}

static int compare_numbers(const char **a, const char **b)
{
    int differs = 0;

    *a += strspn(*a, "0");
    *b += strspn(*b, "0");
    while (is_digit(**a) && is_digit(**b)) {
        if (!differs)
            differs = **a - **b;
        ++*a;
        ++*b;
    }
    if (is_digit(**a) != is_digit(**b))
        return is_digit(**a) ? 1 : -1;
    return differs;
}

int update_version_compare(const char *a, const char *b)
{
    int differs = 0;

    while (!differs && (!ends(a) || !ends(b))) {
        differs = compare_words(&a, &b);
        if (!differs)
            differs = compare_numbers(&a, &b);
    }
    return differs;
}
