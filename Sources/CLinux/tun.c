#define _GNU_SOURCE
#include "CLinux/tun.h"
#include <linux/bpf.h>  // not in a header: libpcap calls a struct of its own by the same name

int clinux_bpf_load_socket_filter(const uint64_t *instructions, uint32_t count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attributes.insns = (uint64_t)(uintptr_t)instructions;
    attributes.insn_cnt = count;
    attributes.license = (uint64_t)(uintptr_t)"Apache-2.0";
    memcpy(attributes.prog_name, "fjord_steering", sizeof "fjord_steering" - 1);
    int descriptor = syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
    return descriptor < 0 ? -errno : descriptor;
}
