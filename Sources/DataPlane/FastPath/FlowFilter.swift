import Addressing
import CBPF
import Glibc
import LinuxKit

/// The Bloom filter of the flows that the stack carries (`struct filter` in maps.h), mapped into this process.
///
/// `@unchecked Sendable`: the pointer is only read after it is made; what it points to is shared with the programs,
/// which set bits atomically. Only the half that no program asks is ever cleared.
final class FlowFilter: @unchecked Sendable {
    /// Flows at which about one in five hundred others is asked about in vain: two bits of a million each.
    static let limit: UInt64 = 24_000

    private static let halfBytes = 1 << 17
    private static let mapBytes = 2 * halfBytes + MemoryLayout<UInt64>.size
    private let memory: UnsafeMutableRawPointer

    init(of object: OpaquePointer) throws(SyscallError) {
        let descriptor = bpf_object__find_map_fd_by_name(object, "stack_flows")
        guard descriptor >= 0, Int(cbpf_value_size(object, "stack_flows")) == Self.mapBytes else {
            throw SyscallError(call: "BPF_OBJ_GET", subject: "map stack_flows with another layout", code: EPROTO)
        }
        let mapped = mmap(nil, Self.mapBytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let mapped, mapped != MAP_FAILED else {
            throw SyscallError(call: "mmap", subject: "map stack_flows", code: errno)
        }
        memory = mapped
    }

    /// Flows added since ``resetAdded()``.
    var added: UInt64 { memory.load(fromByteOffset: 2 * Self.halfBytes, as: UInt64.self) }

    func resetAdded() { memory.storeBytes(of: 0, toByteOffset: 2 * Self.halfBytes, as: UInt64.self) }

    /// Empties the half 0 or 1.
    func clear(half: UInt32) { memset(memory + Int(half & 1) * Self.halfBytes, 0, Self.halfBytes) }

    deinit { munmap(memory, Self.mapBytes) }
}

extension FastPathPrograms {
    /// Notes that the stack carries a flow: runs the program that notes what the stack delivers, over a packet of the
    /// flow, so that the filter's hash is stated once.
    func giveToStack(_ flow: FlowTuple) throws(SyscallError) {
        _ = try run(.stackEgress, over: Self.frame(of: flow))
    }

    /// A short Ethernet frame that carries the flow's tuple.
    private static func frame(of flow: FlowTuple) -> [UInt8] {
        func octets<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
            withUnsafeBytes(of: value.bigEndian) { Array($0) }
        }
        let ethernet = [UInt8](repeating: 0, count: 12) + [0x08, 0x00]
        let ip: [UInt8] =
            [0x45, 0, 0, 48, 0, 0, 0, 0, 64, flow.transport, 0, 0] + octets(flow.source.bits)
            + octets(flow.destination.bits)
        // An echo request: type, code, checksum, identifier.
        let transport =
            flow.transport == UInt8(IPPROTO_ICMP)
            ? [8, 0, 0, 0] + octets(flow.sourcePort) : octets(flow.sourcePort) + octets(flow.destinationPort)
        return ethernet + ip + transport + [UInt8](repeating: 0, count: 28 - transport.count)
    }
}
