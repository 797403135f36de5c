/* Runs schema_agrees.py, which holds a schema against what the parser said. */
#ifndef TESTS_UNIT_CONFIG_AGREES_H
#define TESTS_UNIT_CONFIG_AGREES_H

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGREES_UNKNOWN 77 /* python3-jsonschema is not installed */

/* Its exit status; negative when it could not be run or was killed. */
static inline int agrees_run(const char *command, const char *first, const char *second)
{
    char script[PATH_MAX];
    const char *slash = strrchr(__FILE__, '/');
    snprintf(script, sizeof(script), "%.*s/schema_agrees.py", (int)(slash - __FILE__), __FILE__);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/usr/bin/python3", "python3", "-B", script, command, first, second, (char *)NULL);
        _exit(AGREES_UNKNOWN);
    }
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

#endif
