#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard.h"

#define LONGEST_PATH 64
#define CAPABILITY(number) (UINT64_C(1) << (number))

static pid_t caller;

/* -> the capabilities in force, as bits; 0: the kernel does not tell. */
static uint64_t capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct halves[2] = {0};
    if (syscall(SYS_capget, &header, halves) < 0)
        return 0;
    return (uint64_t)halves[1].effective << 32 | halves[0].effective;
}

static int keep(uint64_t wanted)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    uint32_t low = (uint32_t)wanted, high = (uint32_t)(wanted >> 32);
    struct __user_cap_data_struct halves[2] = {{low, low, 0}, {high, high, 0}};
    return (int)syscall(SYS_capset, &header, halves);
}

int guard_begin(struct failure *why)
{
    caller = getppid();
    clearenv();
    umask(077);
    if (chdir("/") < 0)
        return fail(why, "refused", errno, "chdir");
    if (getuid() != geteuid() || getgid() != getegid())
        return fail(why, "setuid", 0, "");
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return 0;
}

int guard_keep_bpf(struct failure *why)
{
    uint64_t all = CAPABILITY(CAP_SYS_ADMIN), two = CAPABILITY(CAP_BPF) | CAPABILITY(CAP_PERFMON), have = capabilities();
    if ((have & two) == two)
        /* Root also looks at other users' processes. */
        return getuid() && keep(two) < 0 ? fail(why, "refused", errno, "capset") : 0;
    return have & all ? 0 : fail(why, "permission", 0, "");
}

/* Whether all four user ids of a process are the caller's, as ptrace(2) asks of them. */
static bool has_ids(pid_t pid, uid_t uid)
{
    char path[LONGEST_PATH], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    bool ours = false;
    while (file && fgets(line, sizeof line, file)) {
        unsigned ids[4];
        if (sscanf(line, "Uid: %u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4)
            ours = ids[0] == uid && ids[1] == uid && ids[2] == uid && ids[3] == uid;
    }
    if (file)
        fclose(file);
    return ours;
}

/* Its folder in /proc is root's if the process has more rights than its user (prctl(2), PR_SET_DUMPABLE). */
static bool owns_folder(pid_t pid, uid_t uid)
{
    char path[LONGEST_PATH];
    struct stat folder;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    return stat(path, &folder) == 0 && folder.st_uid == uid;
}

int guard_process(pid_t pid, struct failure *why)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return fail(why, errno == ESRCH || errno == EINVAL ? "no-process" : "refused", errno, "pidfd_open");
    bool allowed = getuid() == 0 || (has_ids(pid, getuid()) && owns_folder(pid, getuid()));
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    bool there = poll(&ended, 1, 0) == 0; /* all along: so what was looked up was this process's */
    if (allowed && there)
        return fd;
    close(fd);
    return fail(why, there ? "not-yours" : "no-process", 0, "");
}

bool guard_has_caller(void)
{
    return getppid() == caller;
}
