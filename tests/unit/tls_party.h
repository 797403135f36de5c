/*
 * Certificates made on the spot and a TLS server that we did not write (openssl s_server), for
 * tests. Needs the openssl command.
 */
#ifndef TESTS_TLS_PARTY_H
#define TESTS_TLS_PARTY_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TLS_PARTY_ARGUMENTS_MAX 24

/* In the folder: ca, other-ca and self; good, expired, future, elsewhere, stranger (by other-ca),
 * revoked (and crl.pem), weak, for-clients, client; each NAME.pem and NAME.key. */
static const char tls_party_script[] =
    "set -e; cd \"$0\"; touch index.txt\n"
    "cat > ca.cnf <<'EOF'\n"
    "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\ndatabase=index.txt\ndefault_md=sha256\npolicy=p\n"
    "unique_subject=no\nrand_serial=yes\ndefault_crl_days=30\n[p]\ncommonName=supplied\n"
    "EOF\n"
    "authority() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
    "-keyout $1.key -out $1.pem -subj \"/CN=$2\"; }\n"
    /* name, CA, key options, common name, begin, end, extensions */
    "issue() { printf \"$7\\n\" > ext; openssl req -newkey $3 -nodes -keyout $1.key -out $1.csr "
    "-subj \"/CN=$4\"; openssl ca -batch -config ca.cnf -cert $2.pem -keyfile $2.key -in $1.csr "
    "-out $1.pem -startdate $5 -enddate $6 -extfile ext -notext; }\n"
    "ec='ec -pkeyopt ec_paramgen_curve:P-256'\n"
    "here='subjectAltName=DNS:localhost,IP:127.0.0.1'\n"
    "from=20200101000000Z; to=20490101000000Z\n"
    "authority ca 'Test CA'; authority other-ca 'Other CA'; authority self localhost\n"
    "issue good ca \"$ec\" localhost $from $to \"$here\"\n"
    "issue expired ca \"$ec\" localhost $from 20210203000000Z \"$here\"\n"
    "issue future ca \"$ec\" localhost 20480102000000Z $to \"$here\"\n"
    "issue elsewhere ca \"$ec\" elsewhere.example $from $to "
    "'subjectAltName=DNS:elsewhere.example'\n"
    "issue stranger other-ca \"$ec\" localhost $from $to \"$here\"\n"
    "issue revoked ca \"$ec\" localhost $from $to \"$here\"\n"
    "issue weak ca rsa:1024 localhost $from $to \"$here\"\n"
    "issue for-clients ca \"$ec\" localhost $from $to \"$here\\nextendedKeyUsage=clientAuth\"\n"
    "issue client ca \"$ec\" plant7 $from $to 'extendedKeyUsage=clientAuth'\n"
    "openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -revoke revoked.pem\n"
    "openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -gencrl -out crl.pem\n";

struct tls_party {
    pid_t pid;
    int in, out;
    uint16_t port;
};

static char tls_party_folder[64];

/* Makes the folder and the certificates; 0 or -1. */
static inline int tls_party_prepare(void)
{
    int status;
    pid_t pid;

    strcpy(tls_party_folder, "/tmp/sluice-tls-XXXXXX");
    if (!mkdtemp(tls_party_folder))
        return -1;
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 1);
        dup2(null, 2);
        execl("/bin/sh", "sh", "-c", tls_party_script, tls_party_folder, (char *)NULL);
        _exit(127);
    }
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static inline void tls_party_tidy(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        execl("/bin/rm", "rm", "-r", tls_party_folder, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

/* The path of a file in the folder; the last four answers stay valid. */
static inline const char *tls_party_file(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    if (!name)
        return NULL;
    snprintf(path, sizeof(paths[0]), "%s/%s", tls_party_folder, name);
    return path;
}

/* Reads what the server prints until it holds `text`; false when it does not come within ten
 * seconds. */
static inline bool tls_party_wait(struct tls_party *party, const char *text, char *line,
                                  size_t size)
{
    size_t used = 0;

    for (int waits = 0; waits < 100;) {
        struct pollfd fd = {.fd = party->out, .events = POLLIN};
        ssize_t got;

        if (poll(&fd, 1, 100) == 0) {
            waits++;
            continue;
        }
        got = read(party->out, line + used, 1);
        if (got <= 0)
            return false;
        if (line[used] != '\n' && used + 1 < size - 1) {
            used++;
            continue;
        }
        line[used] = '\0';
        used = 0;
        if (strstr(line, text))
            return true;
    }
    return false;
}

/* Starts a server that sends every line back reversed, with the certificate NAME and further
 * arguments (ended by NULL). Returns whether it listens. */
static inline bool tls_party_start(struct tls_party *party, const char *certificate,
                                   const char *const *further)
{
    const char *arguments[TLS_PARTY_ARGUMENTS_MAX] = {"openssl",     "s_server", "-accept",
                                                      "127.0.0.1:0", "-rev",     "-cert"};
    char cert[128], key[128], line[256];
    int in[2], out[2], count = 6;

    snprintf(cert, sizeof(cert), "%s/%s.pem", tls_party_folder, certificate);
    snprintf(key, sizeof(key), "%s/%s.key", tls_party_folder, certificate);
    arguments[count++] = cert;
    arguments[count++] = "-key";
    arguments[count++] = key;
    for (; further && *further && count < TLS_PARTY_ARGUMENTS_MAX - 1; further++)
        arguments[count++] = *further;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return false;
    party->pid = fork();
    if (party->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        execvp("openssl", (char *const *)arguments);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    party->in = in[1];
    party->out = out[0];
    if (!tls_party_wait(party, "ACCEPT ", line, sizeof(line)))
        return false;
    party->port = (uint16_t)atoi(strrchr(line, ':') + 1);
    return party->port != 0;
}

static inline void tls_party_stop(struct tls_party *party)
{
    kill(party->pid, SIGKILL);
    waitpid(party->pid, NULL, 0);
    close(party->in);
    close(party->out);
}

#endif
