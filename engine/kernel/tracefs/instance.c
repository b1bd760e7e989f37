#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "instance.h"

#define TRACEFS "/sys/kernel/tracing"
#define INSTANCES TRACEFS "/instances"
#define STARTED 22 /* field of /proc/PID/stat; the third one is what it does */

int tracefs_begin(struct failure *why)
{
    struct statfs found;
    if (statfs(TRACEFS, &found) < 0)
        return fail(why, "no-tracefs", 0, "");
    if (found.f_type != TRACEFS_MAGIC) {
        /* Ours alone, so that it is gone with this program. */
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tracefs", TRACEFS, "tracefs", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) < 0)
            return fail(why, "no-tracefs", 0, "");
    }
    if (access(INSTANCES, W_OK | X_OK) < 0)
        return fail(why, errno == ENOENT ? "no-tracefs" : "not-root", 0, "");
    return 0;
}

/* When a process began, in clock ticks since the machine did; 0: there is none, or none but its exit code. */
static unsigned long long start_of(long pid)
{
    char path[LONGEST_PATH], line[1024] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    char *at = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL; /* its name may hold anything */
    fclose(file);
    if (at && (at[2] == 'Z' || at[2] == 'X'))
        return 0;
    for (int field = 2; at && field < STARTED; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

void instances_sweep(void)
{
    DIR *folder = opendir(INSTANCES);
    for (struct dirent *one; folder && (one = readdir(folder));) {
        long pid;
        unsigned long long start;
        char path[LONGEST_PATH + sizeof INSTANCES];
        if (sscanf(one->d_name, "bellwire-%ld-%llu", &pid, &start) != 2 || start_of(pid) == start)
            continue;
        snprintf(path, sizeof path, INSTANCES "/%s", one->d_name);
        rmdir(path);
    }
    if (folder)
        closedir(folder);
}

static int write_to(const struct instance *instance, const char *file, const char *text, int how)
{
    char path[2 * LONGEST_PATH];
    snprintf(path, sizeof path, "%s/%s", instance->path, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC | how);
    if (fd < 0)
        return -1;
    ssize_t written = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    errno = error;
    return written < 0 ? -1 : 0;
}

int instance_write(const struct instance *instance, const char *file, const char *text)
{
    return write_to(instance, file, text, O_TRUNC);
}

int instance_add(const struct instance *instance, const char *file, const char *text)
{
    return write_to(instance, file, text, O_APPEND);
}

FILE *instance_read(const struct instance *instance, const char *file)
{
    char path[2 * LONGEST_PATH];
    snprintf(path, sizeof path, "%s/%s", instance->path, file);
    return fopen(path, "re");
}

static void open_pages(struct instance *instance)
{
    char path[2 * LONGEST_PATH];
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    for (instance->cpus = 0; instance->cpus < cpus && instance->cpus < MOST_CPUS; instance->cpus++) {
        snprintf(path, sizeof path, "%s/per_cpu/cpu%d/trace_pipe_raw", instance->path, instance->cpus);
        instance->pages[instance->cpus] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    }
}

int instance_open(struct instance *instance, const char *purpose, unsigned kilobytes, struct failure *why)
{
    char size[16], path[2 * LONGEST_PATH];
    *instance = (struct instance){.free_buffer = -1};
    snprintf(instance->path, sizeof instance->path, INSTANCES "/bellwire-%d-%llu%s", (int)getpid(), start_of(getpid()),
             purpose);
    if (mkdir(instance->path, 0700) < 0) {
        *instance->path = 0;
        return fail(why, "refused", errno, "instance");
    }
    snprintf(size, sizeof size, "%u", kilobytes);
    if (instance_write(instance, "trace_clock", "x86-tsc") < 0)
        return fail(why, "trace-clock", 0, "");
    if (instance_write(instance, "tracing_on", "0") < 0 || instance_write(instance, "buffer_size_kb", size) < 0)
        return fail(why, "refused", errno, "buffer_size_kb");
    instance_write(instance, "options/record-cmd", "0"); /* names of threads, for who prints what is traced */
    if (instance_write(instance, "options/disable_on_free", "1") == 0) {
        snprintf(path, sizeof path, "%s/free_buffer", instance->path);
        instance->free_buffer = open(path, O_WRONLY | O_CLOEXEC);
    }
    open_pages(instance);
    return 0;
}

void instance_close(struct instance *instance)
{
    for (int cpu = 0; cpu < instance->cpus; cpu++)
        if (instance->pages[cpu] >= 0)
            close(instance->pages[cpu]);
    if (instance->free_buffer >= 0)
        close(instance->free_buffer);
    if (*instance->path)
        rmdir(instance->path);
    *instance = (struct instance){.free_buffer = -1};
}

bool tracefs_read(const char *file, char *text, size_t size)
{
    char path[2 * LONGEST_PATH];
    snprintf(path, sizeof path, TRACEFS "/%s", file);
    FILE *opened = fopen(path, "re");
    size_t length = opened ? fread(text, 1, size - 1, opened) : 0;
    if (opened)
        fclose(opened);
    text[length] = 0;
    return length > 0 && length < size - 1;
}
