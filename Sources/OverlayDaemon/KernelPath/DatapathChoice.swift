/// Which path packets take: flanneld has only the second.
package enum DatapathChoice: String, CaseIterable, Sendable {
    /// `ebpf` where the kernel has what it needs, else `tun`.
    case auto
    case ebpf
    case tun
}

/// Which path packets take in fact.
package enum PacketPath: String, Sendable {
    case ebpf
    case tun
    /// The kernel's own, without a program of ours.
    case kernel
}
