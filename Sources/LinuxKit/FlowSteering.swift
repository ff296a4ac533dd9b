import CLinux
import Glibc

/// The eBPF program that chooses the queue of a TUN device for a packet by a hash over the packet's flow, so that a
/// flow keeps to one queue for good (`TUNSETSTEERINGEBPF`, kernel 4.16).
///
/// The kernel's own way, when there is no program, moves a flow to the queue on which the other direction was last
/// written, and back when the flow was silent for three seconds (`tun_automq_select_queue` in drivers/net/tun.c): packets
/// of one flow are then in two queues at a time, and overtake each other.
///
/// Fragments go by addresses and protocol alone. The program is loaded once and belongs to the device when it has been
/// attached. Needs `CAP_BPF`, or `CAP_SYS_ADMIN` before kernel 5.8.
package struct FlowSteering: ~Copyable {
    private let program: OwnedDescriptor

    package init() throws(SyscallError) {
        let instructions = Self.instructions
        let number = try SyscallError.checkShim("bpf BPF_PROG_LOAD", "queue selection") {
            clinux_bpf_load_socket_filter(instructions, UInt32(instructions.count))
        }
        program = OwnedDescriptor(owning: number)
    }

    /// Makes the device choose its queues by the program.
    package borrowing func attach(to device: borrowing TUNDevice) throws(SyscallError) {
        try SyscallError.checkShim("ioctl TUNSETSTEERINGEBPF", "TUN device") {
            clinux_tun_set_steering(device.number, program.number)
        }
    }

    // Registers: r0 what was loaded, r6 the packet, r7 fragment bits and header length, r8 protocol, r9 the hash.
    // The loads (`BPF_LD | BPF_ABS`) convert to host byte order, and end the program with queue 0 beyond the packet.
    private static let instructions: [UInt64] = assemble([
        .op(0xBF, 6, 1),  // r6 = packet
        .op(0x30, 0, 0, imm: 0),  // r0 = first byte
        .op(0x77, 0, 0, imm: 4),  // r0 >>= 4
        .op(0xB7, 7, 0, imm: 0),
        .op(0xB7, 9, 0, imm: 0),
        .jump(0x15, 0, imm: 6, to: "ipv6"),
        .jump(0x15, 0, imm: 4, to: "ipv4"),
        .op(0xB7, 0, 0, imm: 0),
        .op(0x95, 0, 0),  // neither: queue 0
        .label("ipv4"),
        .op(0x28, 0, 0, imm: 6),  // r0 = flags and fragment offset
        .op(0x57, 0, 0, imm: 0x3FFF),
        .op(0xBF, 7, 0),
        .op(0x30, 0, 0, imm: 9),
        .op(0xBF, 8, 0),  // r8 = protocol
        .mix(12), .mix(16),
        .jump(0x55, 7, imm: 0, to: "done"),  // a fragment
        .op(0x30, 0, 0, imm: 0),
        .op(0x57, 0, 0, imm: 0x0F),
        .op(0x67, 0, 0, imm: 2),
        .op(0xBF, 7, 0),  // r7 = header length
        .jump(0x05, 0, imm: 0, to: "ports"),
        .label("ipv6"),
        .op(0x30, 0, 0, imm: 6),
        .op(0xBF, 8, 0),
        .mix(8), .mix(12), .mix(16), .mix(20), .mix(24), .mix(28), .mix(32), .mix(36),
        .op(0xB7, 7, 0, imm: 40),
        .label("ports"),
        .jump(0x15, 8, imm: 6, to: "load"),
        .jump(0x55, 8, imm: 17, to: "done"),
        .label("load"),
        .op(0x40, 0, 7, imm: 0),  // r0 = word at r7: both ports
        .op(0xAF, 9, 0),
        .op(0x24, 9, 0, imm: Int32(bitPattern: 0x9E37_79B1)),
        .label("done"),
        .op(0xAF, 9, 8),
        .op(0x24, 9, 0, imm: Int32(bitPattern: 0x85EB_CA6B)),
        .op(0x74, 9, 0, imm: 16),
        .op(0xBF, 0, 9),
        .op(0x95, 0, 0),  // the kernel takes the remainder by the number of queues
    ])

    /// One line of the program (Documentation/bpf/standardization/instruction-set.rst).
    private enum Line {
        case op(_ code: UInt8, _ destination: UInt8, _ source: UInt8, imm: Int32 = 0)
        case jump(_ code: UInt8, _ destination: UInt8, imm: Int32, to: String)
        case label(String)
        /// r9 = (r9 ^ word at an offset) * a constant, 32 bits.
        case mix(Int32)

        var length: Int {
            switch self {
            case .op, .jump: 1
            case .label: 0
            case .mix: 3
            }
        }
    }

    private static func assemble(_ lines: [Line]) -> [UInt64] {
        var places: [String: Int] = [:]
        var place = 0
        for line in lines {
            if case .label(let name) = line { places[name] = place }
            place += line.length
        }
        var code: [UInt64] = []
        for line in lines {
            switch line {
            case .op(let code8, let destination, let source, let imm):
                code.append(encode(code8, destination, source, 0, imm))
            case .jump(let code8, let destination, let imm, let target):
                guard let place = places[target] else { preconditionFailure("no label \(target)") }
                code.append(encode(code8, destination, 0, Int16(place - code.count - 1), imm))
            case .label:
                break
            case .mix(let offset):
                code.append(encode(0x20, 0, 0, 0, offset))
                code.append(encode(0xAF, 9, 0, 0, 0))
                code.append(encode(0x24, 9, 0, 0, Int32(bitPattern: 0x9E37_79B1)))
            }
        }
        return code
    }

    /// `struct bpf_insn` on a little-endian machine.
    private static func encode(
        _ code: UInt8, _ destination: UInt8, _ source: UInt8, _ offset: Int16, _ imm: Int32
    ) -> UInt64 {
        UInt64(code) | UInt64(destination | source << 4) << 8 | UInt64(UInt16(bitPattern: offset)) << 16
            | UInt64(UInt32(bitPattern: imm)) << 32
    }
}
