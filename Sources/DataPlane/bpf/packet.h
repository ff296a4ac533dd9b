// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0
// Reading packets: which are eligible for a short cut, and the flow that each belongs to.
#ifndef FJORD_PACKET_H
#define FJORD_PACKET_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "maps.h"

#define IP_DF 0x4000
#define IP_FRAGMENT 0x3fff  // more fragments, or an offset
#define IP_OFFSET 0x1fff

// RFC 792. <linux/icmp.h> pulls in libc's headers, which know nothing of this target.
struct icmp {
    __u8 type, code;
    __sum16 checksum;
    __be16 id, sequence;  // of an echo
};

enum icmp_type {
    ICMP_ECHO_REPLY = 0, ICMP_UNREACHABLE = 3, ICMP_ECHO = 8, ICMP_TIME_EXCEEDED = 11, ICMP_PARAMETER_PROBLEM = 12
};

// The flow of a packet, in the direction of the packet.
struct flow {
    __be32 source, destination;
    __be16 source_port, destination_port;
    __u8 protocol;
    __u8 is_error;  // an ICMP error about the flow
};

// Reads the flow behind an IPv4 header that the caller has checked to be there. Returns whether the packet may take a
// short cut: unfragmented, without options, and TCP, UDP, ICMP echo or an ICMP error about one of these.
static __always_inline int read_flow(struct iphdr *ip, void *end, struct flow *flow) {
    if (ip->ihl != 5 || (ip->frag_off & bpf_htons(IP_FRAGMENT))) return 0;
    flow->source = ip->saddr;
    flow->destination = ip->daddr;
    flow->protocol = ip->protocol;
    flow->is_error = 0;
    void *next = ip + 1;
    if (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) {
        struct udphdr *ports = next;
        if ((void *)(ports + 1) > end) return 0;
        flow->source_port = ports->source;
        flow->destination_port = ports->dest;
        return 1;
    }
    if (ip->protocol != IPPROTO_ICMP) return 0;
    struct icmp *icmp = next;
    if ((void *)(icmp + 1) > end) return 0;
    if (icmp->type == ICMP_ECHO || icmp->type == ICMP_ECHO_REPLY) {
        flow->source_port = flow->destination_port = icmp->id;
        return 1;
    }
    if (icmp->type != ICMP_UNREACHABLE && icmp->type != ICMP_TIME_EXCEEDED && icmp->type != ICMP_PARAMETER_PROBLEM)
        return 0;
    // The packet that it is about went the other way.
    struct iphdr *about = (void *)(icmp + 1);
    struct udphdr *ports = (void *)(about + 1);
    if ((void *)(ports + 1) > end || about->ihl != 5 || (about->frag_off & bpf_htons(IP_FRAGMENT))) return 0;
    if (about->saddr != ip->daddr) return 0;
    flow->is_error = 1;
    flow->source = about->daddr;
    flow->destination = about->saddr;
    flow->protocol = about->protocol;
    if (about->protocol == IPPROTO_TCP || about->protocol == IPPROTO_UDP) {
        flow->source_port = ports->dest;
        flow->destination_port = ports->source;
        return 1;
    }
    struct icmp *echo = (void *)ports;
    if (about->protocol != IPPROTO_ICMP || echo->type != ICMP_ECHO) return 0;
    flow->source_port = flow->destination_port = echo->id;
    return 1;
}

// Reads the flow of a packet that the stack sends. Packets with options and first fragments have one too: their answers
// may have neither.
static __always_inline int read_stack_flow(struct iphdr *ip, void *end, struct flow *flow) {
    if (ip->ihl < 5 || (ip->frag_off & bpf_htons(IP_OFFSET))) return 0;
    struct udphdr *ports = (void *)ip + ip->ihl * 4;
    if ((void *)(ports + 1) > end) return 0;
    flow->source = ip->saddr;
    flow->destination = ip->daddr;
    flow->protocol = ip->protocol;
    flow->is_error = 0;
    if (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) {
        flow->source_port = ports->source;
        flow->destination_port = ports->dest;
        return 1;
    }
    struct icmp *icmp = (void *)ports;
    if (ip->protocol != IPPROTO_ICMP || (icmp->type != ICMP_ECHO && icmp->type != ICMP_ECHO_REPLY)) return 0;
    flow->source_port = flow->destination_port = icmp->id;
    return 1;
}

// One hop less, with the header's checksum kept right (RFC 1624).
static __always_inline void decrement_ttl(struct iphdr *ip) {
    __u32 sum = ip->check;
    sum += bpf_htons(0x0100);
    ip->check = (__u16)(sum + (sum >= 0xffff));
    ip->ttl--;
}

// Bytes of the largest packet that leaves, its IP header included: of a super-packet, those of a segment.
static __always_inline __u32 largest_packet(struct __sk_buff *skb, struct iphdr *ip, void *end, __u32 length) {
    if (!skb->gso_size) return length;
    if (ip->protocol == IPPROTO_UDP) return sizeof(*ip) + sizeof(struct udphdr) + skb->gso_size;
    struct tcphdr *tcp = (void *)(ip + 1);
    if ((void *)(tcp + 1) > end) return ~0u;
    return sizeof(*ip) + tcp->doff * 4 + skb->gso_size;
}

#endif
