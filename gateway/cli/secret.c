#include "cli/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Without the line's end. False at the end of the input, and for a line that is too long. */
static bool read_line(char *out, size_t size)
{
    if (!fgets(out, (int)size, stdin))
        return false;
    size_t end = strcspn(out, "\n");
    bool whole = out[end] == '\n' || feof(stdin);
    out[end] = '\0';
    return whole;
}

static bool read_hidden(const char *prompt, char *out, size_t size)
{
    struct termios shown, hidden;
    bool is_terminal = tcgetattr(STDIN_FILENO, &shown) == 0;

    fputs(prompt, stderr);
    if (is_terminal) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    bool read = read_line(out, size);
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    return read;
}

bool secret_ask(const char *account, char *out, size_t size)
{
    char prompt[128], again[512];

    if (!isatty(STDIN_FILENO)) {
        if (read_line(out, size))
            return true;
        fprintf(stderr, "%s: a password is expected as the first line of standard input\n",
                program_invocation_name);
        return false;
    }
    snprintf(prompt, sizeof prompt, "new password of %.60s: ", account);
    bool same = read_hidden(prompt, out, size) && read_hidden("once more: ", again, sizeof again) &&
                strcmp(out, again) == 0;
    explicit_bzero(again, sizeof again);
    if (!same)
        fprintf(stderr, "%s: the two are not the same, or too long; nothing was changed\n",
                program_invocation_name);
    return same;
}
