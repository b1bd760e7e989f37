/* Preloaded into a process (LD_PRELOAD), refuses it one ioctl: REFUSED holds its number and the errno, as "0xae01 19". */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    const char *refused = getenv("REFUSED");
    char *rest = NULL;
    if (refused && strtoul(refused, &rest, 0) == request) {
        errno = (int)strtol(rest, NULL, 10);
        return -1;
    }
    return (int)syscall(SYS_ioctl, fd, request, argument);
}
