#include "daemon/args.h"

#include <ctype.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/nearest.h"

#define FLAGS_MAX   32
#define HELP_COLUMN 26

static size_t count_flags(const struct args_command *command)
{
    size_t count = 0;

    while (command->flags && command->flags[count].name && count < FLAGS_MAX)
        count++;
    return count;
}

static void print_flag(const struct args_flag *flag)
{
    char left[64];
    char letter[4] = "   ";

    if (flag->letter)
        snprintf(letter, sizeof letter, "-%c,", flag->letter);
    snprintf(left, sizeof left, "  %s --%s%s%s", letter, flag->name, flag->value ? " " : "",
             flag->value ? flag->value : "");
    printf("%-*s", HELP_COLUMN, left);
    if (strlen(left) >= HELP_COLUMN)
        printf("\n%*s", HELP_COLUMN, "");
    for (const char *c = flag->help; *c; c++) {
        putchar(*c);
        if (*c == '\n')
            printf("%*s", HELP_COLUMN, "");
    }
    putchar('\n');
}

void args_help(const struct args_command *command)
{
    static const struct args_flag common[] = {
        {"version", 'V', NULL, "print the version", NULL, NULL},
        {"help", 'h', NULL, "print this", NULL, NULL},
    };

    printf("Usage: %s [flags]%s\n\n%s\n", command->name, command->operands, command->about);
    for (size_t i = 0; i < count_flags(command); i++)
        print_flag(&command->flags[i]);
    print_flag(&common[0]);
    print_flag(&common[1]);
    if (command->after)
        printf("\n%s", command->after);
}

/* getopt's tables, made from ours; value 1000 + i is flag i. */
static void fill_tables(const struct args_command *command, struct option *names, char *letters)
{
    size_t count = count_flags(command);

    *letters++ = '-'; /* operands come in their place, as values of the code 1 */
    for (size_t i = 0; i < count; i++) {
        const struct args_flag *flag = &command->flags[i];
        names[i] = (struct option){flag->name, flag->value ? required_argument : no_argument, NULL,
                                   1000 + (int)i};
        if (flag->letter) {
            *letters++ = flag->letter;
            if (flag->value)
                *letters++ = ':';
        }
    }
    names[count] = (struct option){"version", no_argument, NULL, 'V'};
    names[count + 1] = (struct option){"help", no_argument, NULL, 'h'};
    names[count + 2] = (struct option){NULL, 0, NULL, 0};
    strcpy(letters, "Vh");
}

static const struct args_flag *find_flag(const struct args_command *command, int code)
{
    if (code >= 1000)
        return &command->flags[code - 1000];
    for (size_t i = 0; i < count_flags(command); i++) {
        if (command->flags[i].letter == code)
            return &command->flags[i];
    }
    return NULL;
}

/* "-5" and "-.5" are values; no flag is a digit. */
static bool is_negative_number(const char *argument)
{
    return argument[0] == '-' && isdigit((unsigned char)argument[argument[1] == '.' ? 2 : 1]);
}

/* The next flag's code, 1 with an operand in optarg, or -1 at the end or behind --. */
static int next_argument(int argc, char **argv, const char *letters, const struct option *names)
{
    if (optind < argc && is_negative_number(argv[optind])) {
        optarg = argv[optind++];
        return 1;
    }
    return getopt_long(argc, argv, letters, names, NULL);
}

/* Behind getopt's own message about it: which flag may have been meant by `word`. */
static void suggest(const struct args_command *command, const char *word)
{
    char asked[NEAREST_SIZE_MAX + 1];
    struct nearest nearest;

    snprintf(asked, sizeof asked, "%.*s", (int)strcspn(word, "="), word);
    nearest_init(&nearest, asked + strspn(asked, "-"));
    for (size_t i = 0; optopt == 0 && i < count_flags(command); i++)
        nearest_offer(&nearest, command->flags[i].name);
    if (nearest.best)
        fprintf(stderr, "Did you mean --%s? ", nearest.best);
    fprintf(stderr, "Try %s --help.\n", command->name);
}

/* A flag, or what ends the command line's reading: ARGS_DONE, ARGS_WRONG; else 0. */
static int take_flag(const struct args_command *command, int code, const char *word)
{
    const struct args_flag *flag = find_flag(command, code);

    if (flag) {
        if (flag->text)
            *flag->text = optarg;
        if (flag->set)
            *flag->set = true;
        return 0;
    }
    if (code == 'V') {
        printf("sluice %s\n", SLUICE_VERSION);
        return ARGS_DONE;
    }
    if (code == 'h') {
        args_help(command);
        return ARGS_DONE;
    }
    suggest(command, word);
    return ARGS_WRONG;
}

static bool count_fits(const struct args_command *command, char **operands, int count)
{
    const char *first_astray = count > command->operands_max ? operands[command->operands_max] : "";

    if (count >= command->operands_min && count <= command->operands_max)
        return true;
    if (count < command->operands_min)
        fprintf(stderr, "%s: expected%s. Try %s --help.\n", command->name, command->operands,
                command->name);
    else if (command->astray)
        fprintf(stderr, "%s: \"%s\" is not expected here; did you mean --%s %s? Try %s --help.\n",
                command->name, first_astray, command->astray, first_astray, command->name);
    else
        fprintf(stderr, "%s: \"%s\" is not expected here. Try %s --help.\n", command->name,
                first_astray, command->name);
    return false;
}

int args_parse(int argc, char **argv, const struct args_command *command)
{
    struct option names[FLAGS_MAX + 3];
    char letters[2 * FLAGS_MAX + 4];
    int code, count = 0;

    fill_tables(command, names, letters);
    /* getopt begins its messages with this. */
    argv[0] = (char *)(uintptr_t)command->name;
    optind = 1;
    /* Operands gather in front, where everything has been read, and go to the end at last. */
    while ((code = next_argument(argc, argv, letters, names)) != -1) {
        int result = code == 1 ? 0 : take_flag(command, code, argv[optind - 1]);

        if (result != 0)
            return result;
        if (code == 1)
            argv[1 + count++] = optarg;
    }
    while (optind < argc)
        argv[1 + count++] = argv[optind++];
    memmove(&argv[argc - count], &argv[1], (size_t)count * sizeof *argv);
    return count_fits(command, &argv[argc - count], count) ? argc - count : ARGS_WRONG;
}
