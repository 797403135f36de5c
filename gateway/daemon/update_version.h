/* Which of two versions is the older one. Pure; any thread. */
#ifndef SLUICE_DAEMON_UPDATE_VERSION_H
#define SLUICE_DAEMON_UPDATE_VERSION_H

/*
 * Negative when `a` is older than `b`, positive when it is newer, 0 when neither is. As Debian
 * orders versions (deb-version(7)), but for two things: a "-" stands for something before the
 * version itself, as "~" does there (1.2.0-rc1 is older than 1.2.0), and what is behind a "+" does
 * not count.
 */
int update_version_compare(const char *a, const char *b);

#endif
