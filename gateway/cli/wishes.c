/* sluice wishes: root's part of what the daemon may not do itself. Started by sluice-wish.path. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "core/error.h"
#include "daemon/machine.h"
#include "daemon/wish.h"
#include "web/program.h"

static int restart(void)
{
    static const char *const arguments[] = {"systemctl", "--no-block", "reboot", NULL};
    struct program program;
    int error = program_start_other(&program, arguments);

    if (error)
        return error;
    return program_wait(&program) == 0 ? 0 : ERR_REFUSED;
}

static int carry_out(void *context, const char *what, int64_t number)
{
    bool dry = *(bool *)context;
    int error = dry ? 0 : strcmp(what, WISH_CLOCK) == 0 ? machine_set_clock(number) : restart();

    printf("%s %lld: %s\n", what, (long long)number,
           error ? error_text(error)
           : dry ? "would be done"
                 : "done");
    return error;
}

int command_wishes(int argc, char **argv)
{
    bool dry = false;
    const struct args_flag flags[] = {
        {"dry", 0, NULL, "tell what would be done, and take it as done", NULL, &dry},
        {0},
    };
    const struct args_command command = {
        .name = "sluice wishes",
        .operands = " FOLDER",
        .operands_min = 1,
        .operands_max = 1,
        .about =
            "Carries out what the daemon asks root for, by files in FOLDER: setting the clock,\n"
            "restarting the machine. The unit sluice-wish.path of the system starts it.\n",
        .after = "Exit status: 1 something could not be done; 5 the folder cannot be read.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    int done = wish_carry_out(argv[first], carry_out, &dry);
    if (done < 0)
        fprintf(stderr, "sluice wishes: %s: %s\n", argv[first], error_text(done));
    return done < 0 ? EXIT_CODE_SYSTEM : done > 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}
