/*
 * Passwords: what is kept of one is an Argon2id hash (RFC 9106), from which nobody gets it back. A
 * hash takes 7 MiB for a moment, and up to a tenth of a second on a small board: not on the
 * server's thread, but as work, of which there are two at a time. Any thread. The only user of
 * libargon2's header is password.c.
 */
#ifndef SLUICE_WEB_PASSWORD_H
#define SLUICE_WEB_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PASSWORD_SIZE_MIN  10 /* bytes */
#define PASSWORD_SIZE_MAX  256
#define PASSWORD_HASH_SIZE 128 /* of its text, with the terminating zero */
#define PASSWORD_SALT_SIZE 16
#define PASSWORD_KEY_SIZE  32

/* What is wrong with a password that somebody chooses, as a sentence; NULL: nothing. */
const char *password_refusal(const char *password);

/* Writes the hash with its parameters and a fresh salt ("$argon2id$v=19$m=..."). 0, ERR_NOMEM, or
 * ERR_IO (no random numbers). */
int password_hash(const char *password, char hash[PASSWORD_HASH_SIZE]);

/* Whether the password is that of the hash. NULL stands for an account that does not exist: false,
 * after as long a time. */
bool password_fits(const char *password, const char *hash);

/* The key that a passphrase and a salt give, for what is encrypted by it. 0 or ERR_NOMEM. */
int password_derive(const char *passphrase, const uint8_t salt[PASSWORD_SALT_SIZE],
                    uint8_t key[PASSWORD_KEY_SIZE]);

#endif
