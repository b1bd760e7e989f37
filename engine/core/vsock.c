/* The host's end of a socket to a guest (vsock(7); linux/vm_sockets.h has the options). */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core.h"

#define PATIENCE 1000000 /* seconds for the guest's answer, which may be given by hand */

static int set_options(int fd, uint64_t room)
{
    struct timeval patience = {.tv_sec = PATIENCE};
    if (setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, &room, sizeof room) < 0 ||
        setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &room, sizeof room) < 0)
        return -errno;
    return setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &patience, sizeof patience) < 0 ? -errno : 0;
}

int bw_vsock_connect(uint32_t cid, uint32_t port, uint64_t room)
{
    struct sockaddr_vm guest = {.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};
    int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = set_options(fd, room);
    if (!error && connect(fd, (struct sockaddr *)&guest, sizeof guest) < 0 && errno != EINPROGRESS)
        error = -errno;
    if (error)
        close(fd);
    return error ? error : fd;
}
