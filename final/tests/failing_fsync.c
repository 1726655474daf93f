/* Preloaded into a server, this makes fsync and fdatasync fail on command: once for each time that
 * a test creates the file FSYNC_FAILS_ONCE, and always while the file FSYNC_FAILS is there. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*sync_function)(int);

static int fails(void) {
    const char *once = getenv("FSYNC_FAILS_ONCE");
    const char *always = getenv("FSYNC_FAILS");
    return (once && unlink(once) == 0) || (always && access(always, F_OK) == 0);
}

static int synchronise(const char *name, int descriptor) {
    if (fails()) {
        errno = EIO;
        return -1;
    }
    return ((sync_function)dlsym(RTLD_NEXT, name))(descriptor);
}

int fsync(int descriptor) { return synchronise("fsync", descriptor); }
int fdatasync(int descriptor) { return synchronise("fdatasync", descriptor); }
