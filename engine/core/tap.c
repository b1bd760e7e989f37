/* A tap device in a network of its own: what goes into it comes out at a packet socket, and nobody else hears of it.
 *
 * Guarantees: the device has no name outside of that network (network_namespaces(7)), which is there as long as one of the
 * two files is open and not a moment longer, however this process ends. Nothing of the host's own networks is touched.
 *
 * A thread of its own makes both, as the network that it enters is then its alone, and ends. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi.h"
#include "core.h"

#define NAME "bellwire0"
#define RECEIVE_BUFFER (16 << 20) /* bytes: frames that are not read yet */

struct making {
    int tap, frames, error;
};

static int begin_device(int tap)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = NAME};
    if (ioctl(tap, TUNSETIFF, &request) < 0)
        return -errno;
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0)
        return -errno;
    request.ifr_flags = IFF_UP;
    int error = ioctl(any, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
    close(any);
    return error;
}

/* Bound last: from then on each frame of our kind is counted (packet(7), PACKET_STATISTICS). */
static int begin_socket(int frames)
{
    int size = RECEIVE_BUFFER;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(BW_FRAME_TYPE),
                                  .sll_ifindex = (int)if_nametoindex(NAME)};
    setsockopt(frames, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    return bind(frames, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

static int make(struct making *made)
{
    int error;
    if (unshare(CLONE_NEWNET) < 0 || (made->tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC)) < 0)
        return -errno;
    if ((error = begin_device(made->tap)) < 0)
        return error;
    if ((made->frames = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        return -errno;
    return begin_socket(made->frames);
}

static void *run(void *argument)
{
    struct making *made = argument;
    made->error = make(made);
    return NULL;
}

int bw_tap_new(int *tap, int *frames)
{
    struct making made = {-1, -1, 0};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, &made);
    if (error)
        return -error;
    pthread_join(thread, NULL);
    if (made.error < 0) {
        if (made.tap >= 0)
            close(made.tap);
        if (made.frames >= 0)
            close(made.frames);
        return made.error;
    }
    *tap = made.tap;
    *frames = made.frames;
    return 0;
}
