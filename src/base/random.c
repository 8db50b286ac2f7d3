#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

void bp_random(void *out, size_t len)
{
    unsigned char *p = out;

    while (len > 0) {
        ssize_t got = getrandom(p, len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            /* Not through base/print.h: nobody gave us the streams. */
            (void)dprintf(STDERR_FILENO, "backproof: no random bytes: %m\n");
            abort();
        }
        p += got;
        len -= (size_t)got;
    }
}
