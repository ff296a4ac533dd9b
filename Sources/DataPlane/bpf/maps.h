// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0
// What the programs know: written by overlayd and `overlayd cni`, read by every program, pinned so that both outlive
// their writer. Layouts are mirrored in Sources/DataPlane/FastPath/MapLayouts.swift.
#ifndef FJORD_MAPS_H
#define FJORD_MAPS_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum limits {
    ROUTES = 1 << 18,    // remote prefixes of the ordinary length; memory is taken as they come
    EXCEPTIONS = 1 << 16,  // remote prefixes of other lengths
    ENDPOINTS = 1 << 14,  // pods on this node
    SOURCES = 1 << 16,   // further outer addresses that peers may send from
    PEERS = 1 << 12,     // peers with counters of their own; the rest share number 0
};

// One value, so that a program sees all of it with one inlined lookup.
struct settings {
    __be32 network;        // of the overlay
    __be32 network_mask;
    __be32 subnet;         // of this node's pods
    __be32 subnet_mask;
    __be32 prefix_mask;    // of remote prefixes of the ordinary length
    __be32 underlay;       // our outer address
    __u32 tun;             // interface index of the overlay's device; 0 for none
    __u32 vtep;            // interface index of the VXLAN device; 0 for the bare encapsulation
    __be16 port;           // UDP port of the encapsulation
    __u8 vtep_mac[6];      // our own
    __be32 vni;            // as in a VXLAN header: the identifier in the first three bytes
    __u32 has_exceptions;
    __u32 filter;          // which half of the flow filter is asked: 0 or 1
    __u32 filter_both;     // the other half is being built: additions go to both
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct settings);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} settings SEC(".maps");

enum route_flags {
    ROUTE_USER_SPACE = 1,  // the peer takes only finished packets: the user-space path sends to it
};

// Where a remote prefix is.
struct route {
    __be32 remote;         // the peer's outer address
    __be32 local;          // our outer address towards it
    __be32 gateway;        // the next hop: `remote` itself on a shared link
    __u32 interface;       // index of the interface that leads to it
    __u16 mtu;             // of inner packets
    __be16 port;
    __u8 vtep_mac[6];      // the peer's
    __u16 flags;
    __u32 peer;            // index of its counters
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ROUTES);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __be32);
    __type(value, struct route);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} routes SEC(".maps");

struct lpm_key {
    __u32 length;
    __be32 address;
};

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, EXCEPTIONS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct lpm_key);
    __type(value, struct route);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} exceptions SEC(".maps");

// An outer address that the peer at `remote` may send from, besides its own: behind NAT, with several interfaces.
struct source_key {
    __be32 remote;
    __be32 source;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SOURCES);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct source_key);
    __type(value, __u32);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} sources SEC(".maps");

// Where a pod of this node is: the host's end of its veth pair, and both MAC addresses.
struct endpoint {
    __u32 interface;
    __u8 pod_mac[6];
    __u8 host_mac[6];
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ENDPOINTS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __be32);
    __type(value, struct endpoint);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} endpoints SEC(".maps");

enum veth_flags {
    VETH_STEP_ASIDE = 1,  // something must see this pod's packets: only the source check applies
};

// Which address may send through a veth.
struct veth {
    __be32 address;
    __u32 flags;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ENDPOINTS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u32);
    __type(value, struct veth);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} veths SEC(".maps");

// Flows that the stack has carried, as two halves of a Bloom filter. Bits are only ever added; overlayd builds the
// other half from conntrack and switches over when one has filled up.
#define FILTER_WORDS (1 << 14)
#define FILTER_BITS (FILTER_WORDS * 64)

struct filter {
    __u64 words[2][FILTER_WORDS];
    __u64 added;           // flows since the half in use was built
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, __u32);
    __type(value, struct filter);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} stack_flows SEC(".maps");

struct traffic {
    __u64 sent_packets, sent_bytes, received_packets, received_bytes;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, PEERS);
    __type(key, __u32);
    __type(value, struct traffic);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} traffic SEC(".maps");

// Why a packet was dropped, or what else became of it.
enum event {
    DROP_SPOOFED_POD,      // a pod sent with an address that is not its own
    DROP_SPOOFED_OUTER,    // the outer source is none of the owner's of the inner source
    DROP_UNKNOWN_PEER,     // nobody owns the inner source
    DROP_MALFORMED,        // truncated, or lengths that contradict each other
    DROP_NOT_OURS,         // an inner destination outside this node's subnet
    DROP_CONGESTION,       // congestion marked on the way of a flow that cannot hear of it (RFC 6040)
    DROP_ROOM,             // no memory for the outer header
    SHORT_OUT,             // packets that took each way
    SHORT_LOCAL,
    SHORT_IN,
    STACK_OUT,
    STACK_IN,
    GATED,                 // belongs to a flow that the stack carries
    LOOKUPS,               // conntrack was asked
    EVENTS
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, EVENTS);
    __type(key, __u32);
    __type(value, __u64);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} events SEC(".maps");

static __always_inline void count(__u32 event) {
    __u64 *value = bpf_map_lookup_elem(&events, &event);
    if (value) (*value)++;
}

static __always_inline int drop(__u32 event) {
    count(event);
    return 2;  // TC_ACT_SHOT
}

static __always_inline struct settings *get_settings(void) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(&settings, &zero);
}

// The route to a remote address, or NULL.
static __always_inline struct route *find_route(struct settings *s, __be32 address) {
    __be32 prefix = address & s->prefix_mask;
    struct route *route = bpf_map_lookup_elem(&routes, &prefix);
    if (route || !s->has_exceptions) return route;
    struct lpm_key key = {.length = 32, .address = address};
    return bpf_map_lookup_elem(&exceptions, &key);
}

#endif
