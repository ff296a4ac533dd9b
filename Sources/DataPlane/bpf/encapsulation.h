// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0
// The bare encapsulation: an IPv4 and a UDP header around an IP packet, as flannel's `udp` backend sends it.
#ifndef FJORD_ENCAPSULATION_H
#define FJORD_ENCAPSULATION_H

#include "gate.h"

struct outer {
    struct iphdr ip;
    struct udphdr udp;
};

#define OUTER_BYTES ((__u32)sizeof(struct outer))
#define LARGEST_DATAGRAM 65535

enum ecn { NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3, ECN = 3 };

static __always_inline __sum16 header_checksum(const struct iphdr *ip) {
    const __u16 *words = (const __u16 *)ip;
    __u32 sum = 0;
#pragma unroll
    for (int i = 0; i < 10; i++) sum += words[i];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (__sum16)~sum;
}

// Fills the outer headers of a packet of `length` bytes. The source port spreads flows over queues and paths; DSCP and
// ECN are those of the inner packet (RFC 6040 section 4.1, normal mode).
static __always_inline void fill_outer(
    struct outer *outer, const struct route *route, __u32 length, __u8 tos, __u32 entropy) {
    outer->ip = (struct iphdr){
        .version = 4, .ihl = 5, .tos = tos, .tot_len = bpf_htons(length + OUTER_BYTES), .frag_off = bpf_htons(IP_DF),
        .ttl = 64, .protocol = IPPROTO_UDP, .saddr = route->local, .daddr = route->remote,
    };
    outer->ip.check = header_checksum(&outer->ip);
    outer->udp = (struct udphdr){
        .source = bpf_htons(0xc000 | (entropy & 0x3fff)),  // the dynamic ports, RFC 6335 section 6
        .dest = route->port,
        .len = bpf_htons(length + (__u32)sizeof(struct udphdr)),
    };
}

// What decapsulation makes of the inner header's ECN field (RFC 6040 section 4.2, figure 4): -1 to drop the packet.
static __always_inline int inner_ecn(__u8 outer, __u8 inner) {
    outer &= ECN;
    inner &= ECN;
    if (outer == CE) return inner == NOT_ECT ? -1 : CE;
    if (outer == ECT_1 && inner == ECT_0) return ECT_1;
    return inner;
}

static __always_inline void set_ecn(struct iphdr *ip, __u8 ecn) {
    __u16 before = *(__u16 *)ip;
    ip->tos = (ip->tos & ~ECN) | ecn;
    __u32 sum = (__u16)~ip->check + (__u16)~before + *(__u16 *)ip;  // RFC 1624, equation 3
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    ip->check = ~sum;
}

static __always_inline void count_sent(struct __sk_buff *skb, const struct route *route, __u32 length) {
    __u32 peer = route->peer;
    struct traffic *t = bpf_map_lookup_elem(&traffic, &peer);
    if (!t) return;
    t->sent_packets += skb->gso_segs ?: 1;
    t->sent_bytes += length;
}

static __always_inline void count_received(struct __sk_buff *skb, const struct route *route, __u32 length) {
    __u32 peer = route->peer;
    struct traffic *t = bpf_map_lookup_elem(&traffic, &peer);
    if (!t) return;
    t->received_packets += skb->gso_segs ?: 1;
    t->received_bytes += length;
}

// Sends what was encapsulated to the next hop.
static __always_inline int to_next_hop(const struct route *route) {
    struct bpf_redir_neigh hop = {.nh_family = 2 /* AF_INET */, .ipv4_nh = route->gateway};
    return bpf_redirect_neigh(route->interface, &hop, sizeof(hop), 0);
}

#endif
