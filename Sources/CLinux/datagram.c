#define _GNU_SOURCE
#include "CLinux/datagram.h"
#include <errno.h>

_Static_assert(sizeof(struct clinux_message) == sizeof(struct mmsghdr), "the layouts are the same");

int clinux_send_messages(int descriptor, struct clinux_message *messages, unsigned int count, int flags) {
    int sent = sendmmsg(descriptor, (struct mmsghdr *)messages, count, flags);
    return sent < 0 ? -errno : sent;
}

int clinux_receive_messages(int descriptor, struct clinux_message *messages, unsigned int count, int flags) {
    int received = recvmmsg(descriptor, (struct mmsghdr *)messages, count, flags, 0);
    return received < 0 ? -errno : received;
}
