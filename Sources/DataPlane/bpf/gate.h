// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0
// The gate in front of every short cut: a flow that the stack has begun stays with the stack, in both directions, so
// that addresses are translated back and firewalls see whole connections.
//
// Whatever the stack sends to a peer or to a pod passes a program that adds its flow to a Bloom filter. The filter is
// asked first, for a few nanoseconds; only where it says "perhaps" is conntrack asked. It cannot forget a live flow:
// bits are never taken away, and before a half of it is given up the other has been built from conntrack itself.
#ifndef FJORD_GATE_H
#define FJORD_GATE_H

#include "packet.h"

struct nf_conn {
    unsigned long status;
} __attribute__((preserve_access_index));

// include/net/netfilter/nf_conntrack_bpf.h: this layout is the kernel's stable one of 12 bytes.
struct ct_options {
    __s32 netns_id;
    __s32 error;
    __u8 l4proto;
    __u8 dir;
    __u8 reserved[2];
};

extern struct nf_conn *bpf_skb_ct_lookup(
    struct __sk_buff *skb, struct bpf_sock_tuple *tuple, __u32 tuple__sz, struct ct_options *opts, __u32 opts__sz) __ksym;
extern void bpf_ct_release(struct nf_conn *ct) __ksym;

// Both directions of a flow have one hash.
static __always_inline __u64 flow_hash(const struct flow *f) {
    __u64 addresses = ((__u64)(f->source ^ f->destination) << 32) | (__u32)(f->source + f->destination);
    __u32 ports = ((__u32)(__u16)(f->source_port ^ f->destination_port) << 16)
        | (__u16)(f->source_port + f->destination_port);
    __u64 hash = (addresses ^ f->protocol) * 0x9e3779b97f4a7c15ull;  // the multipliers of splitmix64
    hash = (hash ^ (hash >> 29) ^ ports) * 0xbf58476d1ce4e5b9ull;
    return hash ^ (hash >> 32);
}

static __always_inline struct filter *get_filter(void) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(&stack_flows, &zero);
}

static __always_inline int filter_contains(struct filter *filter, __u32 half, __u64 hash) {
    __u32 first = hash % FILTER_BITS, second = (hash >> 40) % FILTER_BITS;
    __u64 *words = filter->words[half & 1];
    return (words[first / 64] >> (first % 64)) & (words[second / 64] >> (second % 64)) & 1;
}

static __always_inline void filter_set(struct filter *filter, __u32 half, __u64 hash) {
    if (filter_contains(filter, half, hash)) return;
    __u32 first = hash % FILTER_BITS, second = (hash >> 40) % FILTER_BITS;
    __u64 *words = filter->words[half & 1];
    __sync_fetch_and_or(&words[first / 64], 1ull << (first % 64));
    __sync_fetch_and_or(&words[second / 64], 1ull << (second % 64));
    __sync_fetch_and_add(&filter->added, 1);
}

// Remembers that the stack carries the flow.
static __always_inline void give_to_stack(struct settings *s, const struct flow *flow) {
    struct filter *filter = get_filter();
    if (!filter) return;
    __u64 hash = flow_hash(flow);
    filter_set(filter, s->filter, hash);
    if (s->filter_both) filter_set(filter, s->filter ^ 1, hash);
}

// Whether the flow is the stack's.
static __always_inline int belongs_to_stack(struct __sk_buff *skb, struct settings *s, const struct flow *flow) {
    struct filter *filter = get_filter();
    if (!filter || !filter_contains(filter, s->filter, flow_hash(flow))) return 0;
    count(GATED);
    if (flow->protocol == IPPROTO_ICMP) return 1;  // conntrack answers for TCP and UDP only
    count(LOOKUPS);
    struct bpf_sock_tuple tuple = {};
    tuple.ipv4.saddr = flow->source;
    tuple.ipv4.daddr = flow->destination;
    tuple.ipv4.sport = flow->source_port;
    tuple.ipv4.dport = flow->destination_port;
    struct ct_options options = {.netns_id = -1, .l4proto = flow->protocol};
    struct nf_conn *ct = bpf_skb_ct_lookup(skb, &tuple, sizeof(tuple.ipv4), &options, sizeof(options));
    if (!ct) return 0;
    bpf_ct_release(ct);
    return 1;
}

#endif
