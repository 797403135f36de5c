/*
 * Command lines as tables: the flags of a command are rows, and its --help is made from the same
 * rows.
 */
#ifndef SLUICE_DAEMON_ARGS_H
#define SLUICE_DAEMON_ARGS_H

#include <stdbool.h>

struct args_flag {
    const char *name;  /* long form without dashes; NULL ends the table */
    char letter;       /* short form; 0: none */
    const char *value; /* what its value is called in the help; NULL: it takes none */
    const char *help;
    const char **text; /* gets the value */
    bool *set;         /* gets true; may be NULL */
};

struct args_command {
    const char *name;     /* "sluice check" */
    const char *operands; /* " FILE", "" for none: for the usage line */
    int operands_min, operands_max;
    const char *about; /* paragraphs between the usage line and the flags */
    const char *after; /* paragraphs behind the flags: exit status, examples; may be NULL */
    const struct args_flag *flags;
    const char *astray; /* the flag that an operand too many may have been meant for; or NULL */
};

/*
 * Reads flags into their targets. They may stand between and behind operands; a negative number is
 * an operand, and so is all that stands behind "--". Operands go to the end of argv in their order.
 * --help prints the help and --version the version. Returns the index in argv of the first operand;
 * or ARGS_DONE after help or version was printed, or ARGS_WRONG after what is wrong was told on
 * standard error.
 */
#define ARGS_DONE  (-1)
#define ARGS_WRONG (-2)
int args_parse(int argc, char **argv, const struct args_command *command);

/* Prints the help of a command to standard output. */
void args_help(const struct args_command *command);

#endif
