/// Which path packets take: flanneld has only the second.
package enum DatapathChoice: String, CaseIterable, Sendable {
    /// `ebpf` where the kernel has what it needs, else `tun`.
    case auto
    case ebpf
    case tun
}
