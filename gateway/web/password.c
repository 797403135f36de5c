#include "web/password.h"

#include <argon2.h>
#include <string.h>
#include <sys/random.h>

#include "core/error.h"

/* The one with the least memory of the settings of equal strength that OWASP's Password Storage
 * Cheat Sheet names. 25 ms on a server's core; a small board is three to four times slower. */
#define MEMORY_KIB 7168
#define PASSES     5
#define LANES      1

/* All letters the same, or each the next of the one before, 0 being the next of 9. */
static bool is_run(const char *password, int step)
{
    for (size_t i = 1; password[i]; i++) {
        int before = password[i - 1];

        if (before == '9' && step == 1)
            before = '0' - 1;
        else if (before == '0' && step == -1)
            before = '9' + 1;
        if (password[i] != before + step)
            return false;
    }
    return true;
}

const char *password_refusal(const char *password)
{
    size_t size = strlen(password);

    if (size < PASSWORD_SIZE_MIN)
        return "the password is too short: at least 10 characters are expected; three words are "
               "easy to keep in mind";
    if (size > PASSWORD_SIZE_MAX)
        return "the password is too long: at most 256 bytes are taken";
    if (is_run(password, 0) || is_run(password, 1) || is_run(password, -1))
        return "the password is one that anybody would try first; three words are easy to keep in "
               "mind";
    return NULL;
}

static bool fill_randomly(uint8_t *out, size_t size)
{
    return getrandom(out, size, 0) == (ssize_t)size;
}

int password_hash(const char *password, char hash[PASSWORD_HASH_SIZE])
{
    uint8_t salt[PASSWORD_SALT_SIZE];

    if (!fill_randomly(salt, sizeof salt))
        return ERR_IO;
    int error = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password, strlen(password), salt,
                                      sizeof salt, PASSWORD_KEY_SIZE, hash, PASSWORD_HASH_SIZE);
    return error == ARGON2_OK ? 0 : ERR_NOMEM;
}

bool password_fits(const char *password, const char *hash)
{
    uint8_t salt[PASSWORD_SALT_SIZE] = {0}, key[PASSWORD_KEY_SIZE];

    if (!hash) {
        (void)password_derive(password, salt, key);
        return false;
    }
    int error = argon2id_verify(hash, password, strlen(password));
    return error == ARGON2_OK;
}

int password_derive(const char *passphrase, const uint8_t salt[PASSWORD_SALT_SIZE],
                    uint8_t key[PASSWORD_KEY_SIZE])
{
    int error = argon2id_hash_raw(PASSES, MEMORY_KIB, LANES, passphrase, strlen(passphrase), salt,
                                  PASSWORD_SALT_SIZE, key, PASSWORD_KEY_SIZE);
    return error == ARGON2_OK ? 0 : ERR_NOMEM;
}
