#include "web/hosts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits <= 5 && text[digits] == '\0'; /* RFC 3986 permits an empty one */
}

bool hosts_parse(const char *header, char host[HOSTS_NAME_SIZE])
{
    bool bracketed = header[0] == '[';
    const char *from = header + bracketed;
    size_t size = strcspn(from, bracketed ? "]" : ":");
    const char *behind = from + size + (bracketed && from[size] == ']');

    if (size == 0 || size >= HOSTS_NAME_SIZE || (bracketed && from[size] != ']') ||
        (*behind != '\0' && (*behind != ':' || !is_port(behind + 1))))
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)from[i];

        if (!isalnum(byte) && !strchr("-._", byte) && !(bracketed && byte == ':'))
            return false;
        host[i] = (char)tolower(byte);
    }
    if (!bracketed && size > 1 && host[size - 1] == '.')
        size--;
    host[size] = '\0';
    unsigned char address[16];
    return !bracketed || inet_pton(AF_INET6, host, address) == 1;
}

static bool is_address(const char *host)
{
    unsigned char address[16];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The host name, "plant7" or "plant7.example.com", and "plant7.local" of both. */
static bool is_machine(const char *host)
{
    char name[HOSTS_NAME_SIZE] = "", local[HOSTS_NAME_SIZE + 8];

    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
        return false;
    if (strcasecmp(host, name) == 0)
        return true;
    name[strcspn(name, ".")] = '\0';
    snprintf(local, sizeof local, "%s.local", name);
    return strcasecmp(host, name) == 0 || strcasecmp(host, local) == 0;
}

bool hosts_is_ours(const char *header, const char *const *names, size_t count)
{
    char host[HOSTS_NAME_SIZE];

    if (!header || !hosts_parse(header, host))
        return false;
    if (is_address(host) || strcmp(host, "localhost") == 0 || is_machine(host))
        return true;
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(host, names[i]) == 0)
            return true;
    }
    return false;
}
