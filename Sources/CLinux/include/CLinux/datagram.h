#ifndef CLINUX_DATAGRAM_H
#define CLINUX_DATAGRAM_H
// Control messages of UDP sockets (cmsg(3) macros), and the segmentation options of udp(7), as Swift needs them.
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    CLINUX_UDP_SEGMENT = 103,
    CLINUX_UDP_GRO = 104,
    CLINUX_SOL_UDP = 17,
    // Room for the two control messages used in either direction.
    CLINUX_DATAGRAM_CONTROL_BYTES = 64,
};

/// One entry of sendmmsg(2) and recvmmsg(2): `struct mmsghdr`, which Glibc's module map leaves out.
struct clinux_message {
    struct msghdr header;
    unsigned int length;
};

/// Writes UDP_SEGMENT (when `segment` is not 0) and IP_TOS (when `tos` is not 0). Returns the bytes used.
static inline size_t clinux_put_datagram_control(void *buffer, uint16_t segment, uint8_t tos) {
    struct msghdr message = {.msg_control = buffer, .msg_controllen = CLINUX_DATAGRAM_CONTROL_BYTES};
    size_t used = 0;
    struct cmsghdr *entry = CMSG_FIRSTHDR(&message);
    if (segment) {
        entry->cmsg_level = CLINUX_SOL_UDP;
        entry->cmsg_type = CLINUX_UDP_SEGMENT;
        entry->cmsg_len = CMSG_LEN(sizeof segment);
        memcpy(CMSG_DATA(entry), &segment, sizeof segment);
        used += CMSG_SPACE(sizeof segment);
        entry = (struct cmsghdr *)((char *)buffer + used);
    }
    if (tos) {
        int value = tos;
        entry->cmsg_level = IPPROTO_IP;
        entry->cmsg_type = IP_TOS;
        entry->cmsg_len = CMSG_LEN(sizeof value);
        memcpy(CMSG_DATA(entry), &value, sizeof value);
        used += CMSG_SPACE(sizeof value);
    }
    return used;
}

/// Reads UDP_GRO and IP_TOS; what is absent reads 0.
static inline void clinux_get_datagram_control(struct msghdr *message, int *segment, uint8_t *tos) {
    *segment = 0;
    *tos = 0;
    for (struct cmsghdr *entry = CMSG_FIRSTHDR(message); entry; entry = CMSG_NXTHDR(message, entry)) {
        if (entry->cmsg_level == CLINUX_SOL_UDP && entry->cmsg_type == CLINUX_UDP_GRO)
            memcpy(segment, CMSG_DATA(entry), sizeof *segment);
        else if (entry->cmsg_level == IPPROTO_IP && entry->cmsg_type == IP_TOS)
            *tos = *(uint8_t *)CMSG_DATA(entry);
    }
}

/// What met a datagram on its way (`struct sock_extended_err`).
struct clinux_datagram_error {
    uint32_t destination;  // network byte order
    uint32_t code;         // errno
    uint32_t info;         // the MTU, with EMSGSIZE
};

/// Takes one entry from the error queue of an IPv4 socket with IP_RECVERR. Returns 1, 0 when there is none, or -errno.
int clinux_take_datagram_error(int descriptor, struct clinux_datagram_error *error);

/// sendmmsg(2). Returns messages sent, or -errno.
int clinux_send_messages(int descriptor, struct clinux_message *messages, unsigned int count, int flags);

/// recvmmsg(2) without a timeout. Returns messages received, or -errno.
int clinux_receive_messages(int descriptor, struct clinux_message *messages, unsigned int count, int flags);
#endif
