/*
 * The setup code: who can read it stands before the machine, or has root on it, and may become the
 * owner of a gateway that has none. It is preset by a file (a label on the housing), or made at the
 * first start, kept in the state folder until there is an owner, and told once in the log.
 */
#ifndef SLUICE_WEB_SETUP_H
#define SLUICE_WEB_SETUP_H

#include <stdbool.h>

#define SETUP_CODE_SIZE     65
#define SETUP_CODE_SIZE_MIN 8 /* letters and digits of a preset one */

struct setup;

/* Takes the code of the file `preset` (NULL: none) or of the state folder, or makes one. ERR_NOMEM,
 * ERR_IO (no random numbers), ERR_TOO_LARGE (the path). */
int setup_open(struct setup **setup, const char *preset, const char *folder);
void setup_close(struct setup *setup); /* NULL is fine */

/* Tells a code that was made at this start in the log, once. */
void setup_announce(struct setup *setup);

/* The code, as people read it: "K7QM-2XHD". Any thread. */
const char *setup_code(const struct setup *setup);

/* Whether it is the code; small letters, blanks and dashes do not matter. Any thread. */
bool setup_fits(const struct setup *setup, const char *code);

/* There is an owner: what the state folder keeps of it goes. A preset file stays. */
void setup_done(struct setup *setup);

#endif
