#define _GNU_SOURCE
#include "CLinux/datagram.h"
#include <errno.h>
#include <linux/errqueue.h>

_Static_assert(sizeof(struct clinux_message) == sizeof(struct mmsghdr), "the layouts are the same");

int clinux_send_messages(int descriptor, struct clinux_message *messages, unsigned int count, int flags) {
    int sent = sendmmsg(descriptor, (struct mmsghdr *)messages, count, flags);
    return sent < 0 ? -errno : sent;
}

int clinux_receive_messages(int descriptor, struct clinux_message *messages, unsigned int count, int flags) {
    int received = recvmmsg(descriptor, (struct mmsghdr *)messages, count, flags, 0);
    return received < 0 ? -errno : received;
}

int clinux_take_datagram_error(int descriptor, struct clinux_datagram_error *error) {
    char control[256];
    struct sockaddr_in destination;
    struct msghdr message = {
        .msg_name = &destination, .msg_namelen = sizeof destination,
        .msg_control = control, .msg_controllen = sizeof control,
    };
    if (recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return errno == EAGAIN ? 0 : -errno;
    error->destination = destination.sin_addr.s_addr;
    error->code = error->info = 0;
    for (struct cmsghdr *entry = CMSG_FIRSTHDR(&message); entry; entry = CMSG_NXTHDR(&message, entry)) {
        if (entry->cmsg_level != IPPROTO_IP || entry->cmsg_type != IP_RECVERR) continue;
        struct sock_extended_err found;
        memcpy(&found, CMSG_DATA(entry), sizeof found);
        error->code = found.ee_errno;
        error->info = found.ee_info;
    }
    return 1;
}
