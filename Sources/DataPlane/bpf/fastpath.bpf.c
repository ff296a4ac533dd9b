// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0
// The packet path that never leaves the kernel: see Sources/DataPlane/DataPlane.docc/FastPath.md for the picture.
//
//   pod_ingress      host's end of a pod's veth, from the pod: to a peer, or straight to a pod of this node
//   stack_egress     the same veth, to the pod, and the VXLAN device: notes what the stack sends
//   underlay_ingress from a peer: to a pod, or stripped and handed to the stack through the TUN
//   tun_egress       from the stack to a peer
//   vxlan_ingress    from a peer for the VXLAN device: checks who sends
//   vtep_ingress     from a peer through the VXLAN device, stripped by it
#include "encapsulation.h"

#define NEXT TC_ACT_UNSPEC  // the next program, then the stack
#define SHORT_CUT 0xf10d    // skb->tc_index on the way from a pod into the VXLAN device

// The pod at an address, or NULL. One whose interface is gone is none: its address may be another pod's by now, which
// nobody has told us of while overlayd is down. The stack knows.
static __always_inline struct endpoint *find_pod(struct __sk_buff *skb, __be32 address) {
    struct endpoint *pod = bpf_map_lookup_elem(&endpoints, &address);
    __u32 unused = 0;
    if (pod && bpf_check_mtu(skb, pod->interface, &unused, 0, 0) == -19 /* ENODEV */) return 0;
    return pod;
}

// Delivers to a pod of this node, behind an Ethernet header that is made its own.
static __always_inline int to_pod(struct ethhdr *eth, const struct endpoint *pod) {
    __builtin_memcpy(eth->h_dest, pod->pod_mac, ETH_ALEN);
    __builtin_memcpy(eth->h_source, pod->host_mac, ETH_ALEN);
    return bpf_redirect_peer(pod->interface, 0);
}

SEC("tc")
int pod_ingress(struct __sk_buff *skb) {
    void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
    struct ethhdr *eth = data;
    struct iphdr *ip = (void *)(eth + 1);
    if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP)) return NEXT;

    __u32 index = skb->ifindex;
    struct veth *veth = bpf_map_lookup_elem(&veths, &index);
    struct settings *s = get_settings();
    if (!veth || !s) return NEXT;
    if (ip->saddr != veth->address) return drop(DROP_SPOOFED_POD);
    if ((veth->flags & VETH_STEP_ASIDE) || (ip->daddr & s->network_mask) != s->network) return NEXT;

    struct flow flow;
    if (!read_flow(ip, end, &flow)) return NEXT;
    if ((ip->daddr & s->subnet_mask) == s->subnet) {
        struct endpoint *pod = find_pod(skb, ip->daddr);
        if (!pod || belongs_to_stack(skb, s, &flow)) return NEXT;
        count(SHORT_LOCAL);
        return to_pod(eth, pod);
    }
    struct route *route = find_route(s, ip->daddr);
    if (!route || (route->flags & ROUTE_USER_SPACE) || ip->ttl <= 1) return NEXT;
    __u32 length = skb->len - sizeof(*eth);
    if (length > LARGEST_DATAGRAM - OUTER_BYTES || largest_packet(skb, ip, end, length) > route->mtu) return NEXT;
    if (belongs_to_stack(skb, s, &flow)) return NEXT;

    decrement_ttl(ip);
    if (s->vtep) {
        __builtin_memcpy(eth->h_dest, route->vtep_mac, ETH_ALEN);
        __builtin_memcpy(eth->h_source, s->vtep_mac, ETH_ALEN);
        count(SHORT_OUT);
        count_sent(skb, route, length);
        skb->tc_index = SHORT_CUT;
        return bpf_redirect(s->vtep, 0);
    }
    __u8 tos = ip->tos;
    __u32 entropy = (__u32)flow_hash(&flow);
    if (bpf_skb_adjust_room(
            skb, OUTER_BYTES, BPF_ADJ_ROOM_MAC,
            BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP
                | BPF_F_ADJ_ROOM_NO_CSUM_RESET))
        return drop(DROP_ROOM);
    data = (void *)(long)skb->data;
    end = (void *)(long)skb->data_end;
    struct outer *outer = data + sizeof(*eth);
    if ((void *)(outer + 1) > end) return drop(DROP_ROOM);
    fill_outer(outer, route, length, tos, entropy);
    count(SHORT_OUT);
    count_sent(skb, route, length);
    return to_next_hop(route);
}

// Notes the flow of what the stack sends to a pod or, through the VXLAN device, to a peer. Short cuts do not come by: they
// enter the pod's own end, and those into the VXLAN device are marked.
SEC("tc")
int stack_egress(struct __sk_buff *skb) {
    void *end = (void *)(long)skb->data_end;
    struct ethhdr *eth = (void *)(long)skb->data;
    struct iphdr *ip = (void *)(eth + 1);
    struct flow flow;
    struct settings *s = get_settings();
    if (skb->tc_index != SHORT_CUT && s && (void *)(ip + 1) <= end && eth->h_proto == bpf_htons(ETH_P_IP)
        && read_stack_flow(ip, end, &flow))
        give_to_stack(s, &flow);
    return NEXT;
}

// The owner of a packet's inner source, if the outer source is one of the owner's; NULL after it has been counted.
static __always_inline struct route *sender(struct settings *s, __be32 outer_source, __be32 inner_source) {
    struct route *route = find_route(s, inner_source);
    if (!route) {
        count(DROP_UNKNOWN_PEER);
        return 0;
    }
    if (route->remote == outer_source) return route;
    struct source_key key = {.remote = route->remote, .source = outer_source};
    if (bpf_map_lookup_elem(&sources, &key)) return route;
    count(DROP_SPOOFED_OUTER);
    return 0;
}

SEC("tc")
int underlay_ingress(struct __sk_buff *skb) {
    void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
    struct ethhdr *eth = data;
    struct outer *outer = data + sizeof(*eth);
    struct settings *s = get_settings();
    if (!s || (void *)(outer + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP)) return NEXT;
    if (outer->ip.protocol != IPPROTO_UDP || outer->udp.dest != s->port || outer->ip.daddr != s->underlay
        || outer->ip.ihl != 5 || (outer->ip.frag_off & bpf_htons(IP_FRAGMENT)))
        return NEXT;
    // A checksum outside means that a socket sent it. Over a virtual wire it is unfinished, and what remains to be done
    // points into the headers that would go: the user-space path reads such datagrams.
    if (outer->udp.check) return NEXT;
    struct iphdr *ip = (void *)(outer + 1);
    if ((void *)(ip + 1) > end) {
        // Short packets may not be in one piece yet.
        if (skb->len < sizeof(*eth) + OUTER_BYTES + sizeof(*ip)) return drop(DROP_MALFORMED);
        return NEXT;
    }
    if (ip->version == 6) return NEXT;  // the user-space path reads it
    __u32 length = bpf_ntohs(outer->udp.len) - sizeof(struct udphdr);
    __u32 inner_length = bpf_ntohs(ip->tot_len);
    if (skb->gso_size && inner_length != length) return NEXT;  // several packets joined by the sender or by GRO
    if (ip->version != 4 || ip->ihl < 5 || inner_length > length || inner_length < ip->ihl * 4u
        || skb->len < sizeof(*eth) + OUTER_BYTES + inner_length)
        return drop(DROP_MALFORMED);
    struct route *route = sender(s, outer->ip.saddr, ip->saddr);
    if (!route) return TC_ACT_SHOT;
    if ((ip->daddr & s->subnet_mask) != s->subnet) return drop(DROP_NOT_OURS);
    int ecn = inner_ecn(outer->ip.tos, ip->tos);
    if (ecn < 0) return drop(DROP_CONGESTION);
    if (ecn != (ip->tos & ECN)) set_ecn(ip, ecn);

    struct flow flow;
    struct endpoint *pod = find_pod(skb, ip->daddr);
    // Answers to a peer in user space go through the stack, so what they answer does too.
    int shortly = pod && !(route->flags & ROUTE_USER_SPACE) && ip->ttl > 1 && read_flow(ip, end, &flow)
        && !belongs_to_stack(skb, s, &flow);
    if (!shortly && !s->tun) return NEXT;
    if (shortly) decrement_ttl(ip);
    count_received(skb, route, skb->len - sizeof(*eth) - OUTER_BYTES);
    // A checksum that the NIC has verified was the outer one: the receiver looks at the inner one itself.
    if (bpf_skb_adjust_room(skb, -(__s32)OUTER_BYTES, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO))
        return drop(DROP_ROOM);
    if (!shortly) {
        count(STACK_IN);
        return bpf_redirect(s->tun, BPF_F_INGRESS);
    }
    eth = (void *)(long)skb->data;
    if ((void *)(eth + 1) > (void *)(long)skb->data_end) return drop(DROP_ROOM);
    count(SHORT_IN);
    return to_pod(eth, pod);
}

// What the stack routes into the overlay's device, without an Ethernet header. What is left alone is queued for the
// user-space path.
SEC("tc")
int tun_egress(struct __sk_buff *skb) {
    void *end = (void *)(long)skb->data_end;
    struct iphdr *ip = (void *)(long)skb->data;
    struct settings *s = get_settings();
    if (!s || (void *)(ip + 1) > end || ip->version != 4 || s->vtep) return NEXT;
    struct flow flow;
    if (read_stack_flow(ip, end, &flow)) give_to_stack(s, &flow);
    struct route *route = find_route(s, ip->daddr);
    if (!route || (route->flags & ROUTE_USER_SPACE)) return NEXT;
    __u32 length = skb->len;
    if (length > LARGEST_DATAGRAM - OUTER_BYTES || largest_packet(skb, ip, end, length) > route->mtu) return NEXT;
    __u8 tos = ip->tos;
    __u32 entropy = skb->hash ?: bpf_get_hash_recalc(skb);
    if (bpf_skb_adjust_room(
            skb, OUTER_BYTES, BPF_ADJ_ROOM_MAC,
            BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP
                | BPF_F_ADJ_ROOM_NO_CSUM_RESET)
        || bpf_skb_change_head(skb, sizeof(struct ethhdr), 0))  // the neighbour's addresses need a place
        return drop(DROP_ROOM);
    void *data = (void *)(long)skb->data;
    end = (void *)(long)skb->data_end;
    struct ethhdr *eth = data;
    struct outer *outer = data + sizeof(*eth);
    if ((void *)(outer + 1) > end) return drop(DROP_ROOM);
    eth->h_proto = bpf_htons(ETH_P_IP);
    fill_outer(outer, route, length, tos, entropy);
    count(STACK_OUT);
    count_sent(skb, route, length);
    return to_next_hop(route);
}

struct vxlan {  // RFC 7348 section 5
    __be32 flags, vni;
};

// Looks at what comes for the VXLAN device, which knows nothing of who may send what, and leaves it to the device.
SEC("tc")
int vxlan_ingress(struct __sk_buff *skb) {
    void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
    struct ethhdr *eth = data;
    struct outer *outer = data + sizeof(*eth);
    struct vxlan *vxlan = (void *)(outer + 1);
    struct ethhdr *inner = (void *)(vxlan + 1);
    struct iphdr *ip = (void *)(inner + 1);
    struct settings *s = get_settings();
    if (!s || (void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP)) return NEXT;
    if (outer->ip.protocol != IPPROTO_UDP || outer->udp.dest != s->port || outer->ip.daddr != s->underlay
        || outer->ip.ihl != 5 || (outer->ip.frag_off & bpf_htons(IP_FRAGMENT)))
        return NEXT;
    if ((vxlan->vni & bpf_htonl(0xffffff00)) != s->vni || inner->h_proto != bpf_htons(ETH_P_IP)) return NEXT;
    return sender(s, outer->ip.saddr, ip->saddr) ? NEXT : TC_ACT_SHOT;
}

SEC("tc")
int vtep_ingress(struct __sk_buff *skb) {
    void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
    struct ethhdr *eth = data;
    struct iphdr *ip = (void *)(eth + 1);
    struct settings *s = get_settings();
    if (!s || (void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP)) return NEXT;
    struct route *route = find_route(s, ip->saddr);
    if (!route) return drop(DROP_UNKNOWN_PEER);
    // The frame's source is the VTEP that sent it: it must be the owner's.
    if (__builtin_memcmp(eth->h_source, route->vtep_mac, ETH_ALEN)) return drop(DROP_SPOOFED_OUTER);
    count_received(skb, route, skb->len - sizeof(*eth));
    struct flow flow;
    struct endpoint *pod = find_pod(skb, ip->daddr);
    if (!pod || ip->ttl <= 1 || !read_flow(ip, end, &flow) || belongs_to_stack(skb, s, &flow)) {
        count(STACK_IN);
        return NEXT;
    }
    decrement_ttl(ip);
    count(SHORT_IN);
    return to_pod(eth, pod);
}


char LICENSE[] SEC("license") = "GPL";
