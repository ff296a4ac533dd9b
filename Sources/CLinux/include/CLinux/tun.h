#ifndef CLINUX_TUN_H
#define CLINUX_TUN_H
// TUN devices (linux/if_tun.h): ioctl numbers are function-like macros, ioctl itself is variadic, and the offload
// flags for UDP are newer than Debian 12's headers.
#include <net/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
    CLINUX_TUN_OFFLOAD_CHECKSUM = 0x01,
    CLINUX_TUN_OFFLOAD_TSO4 = 0x02,
    CLINUX_TUN_OFFLOAD_TSO6 = 0x04,
    CLINUX_TUN_OFFLOAD_TSO_ECN = 0x08,
    CLINUX_TUN_OFFLOAD_USO4 = 0x20,  // kernel 6.2
    CLINUX_TUN_OFFLOAD_USO6 = 0x40,  // kernel 6.2
};

/// Attaches `descriptor`, opened on /dev/net/tun, to the device `name` as one of its queues. Returns 0 or -errno.
static inline int clinux_tun_attach(int descriptor, const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;
    return ioctl(descriptor, TUNSETIFF, &request) < 0 ? -errno : 0;
}

/// Says which unfinished packets this side takes. Returns 0 or -errno.
static inline int clinux_tun_set_offloads(int descriptor, unsigned int offloads) {
    return ioctl(descriptor, TUNSETOFFLOAD, (unsigned long)offloads) < 0 ? -errno : 0;
}

/// Keeps the device when its last descriptor is closed, or no longer. Returns 0 or -errno.
static inline int clinux_tun_set_persistent(int descriptor, int persistent) {
    return ioctl(descriptor, TUNSETPERSIST, (unsigned long)persistent) < 0 ? -errno : 0;
}

/// Loads a program of type BPF_PROG_TYPE_SOCKET_FILTER. Returns its descriptor or -errno.
int clinux_bpf_load_socket_filter(const uint64_t *instructions, uint32_t count);

/// Makes a loaded program choose the device's queues. Returns 0 or -errno.
static inline int clinux_tun_set_steering(int descriptor, int program) {
    return ioctl(descriptor, TUNSETSTEERINGEBPF, &program) < 0 ? -errno : 0;
}
#endif
