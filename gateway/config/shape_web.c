/* How the page is reached over the network. */
#include "config/config.h"
#include "config/shape.h"

#define ADDRESS_PATTERN "^[0-9a-fA-F.:]{2,45}$"
#define NAME_PATTERN    "^[a-zA-Z0-9_]([a-zA-Z0-9._-]{0,251}[a-zA-Z0-9_])?$"

static const struct option web_rows[] = {
    {.key = "enabled",
     .type = OPTION_BOOL,
     .offset = offsetof(struct config_web, enabled),
     .fallback = "true",
     .example = "true",
     .help = "whether there is a page; the command line reaches the gateway without it, too"},
    {.key = "listen",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct config_web, listen),
     .pattern = ADDRESS_PATTERN,
     .example = "[\"192.168.1.5\"]",
     .help = "addresses of this machine under which the page is reached; without it all of them"},
    {.key = "https",
     .type = OPTION_INT,
     .offset = offsetof(struct config_web, https),
     .minimum = 1,
     .maximum = 65535,
     .example = "8443",
     .help = "port of the page; without it 443, or 8443 where that cannot be had"},
    {.key = "http",
     .type = OPTION_INT,
     .offset = offsetof(struct config_web, http),
     .minimum = 1,
     .maximum = 65535,
     .example = "8080",
     .help = "port on which plain HTTP is sent to HTTPS; without it 80, or 8080 where that cannot "
             "be had"},
    {.key = "redirect",
     .type = OPTION_BOOL,
     .offset = offsetof(struct config_web, redirect),
     .fallback = "true",
     .example = "false",
     .help = "whether plain HTTP is answered at all, by nothing but the way to HTTPS"},
    {.key = "names",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct config_web, names),
     .pattern = NAME_PATTERN,
     .example = "[\"plant7.example.com\"]",
     .help = "names under which the page is reached, besides this machine's host name and its "
             "addresses: requests for others are refused"},
    {.key = "cert",
     .type = OPTION_FILE,
     .offset = offsetof(struct config_web, cert),
     .example = "\"page.crt\"",
     .help = "certificate of the page with its chain, PEM; without it the gateway makes one"},
    {.key = "key",
     .type = OPTION_SECRET,
     .offset = offsetof(struct config_web, key),
     .example = "\"page.key\"",
     .help = "its private key, PEM"},
    {0},
};

const struct shape shape_web = {"the web page", "how the page is reached", web_rows, NULL};
