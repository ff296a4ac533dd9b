import CBPF
import Glibc
import LinuxKit

/// A place in the kernel that a program is attached to.
struct ProgramPlace: Hashable, Sendable {
    enum Direction: Sendable { case ingress, egress }

    var interface: Int32
    var direction: Direction
    var program: FastPathProgram
}

/// The programs of Sources/DataPlane/bpf/fastpath.bpf.c.
package enum FastPathProgram: String, CaseIterable, Sendable {
    case podIngress = "pod_ingress"
    case stackEgress = "stack_egress"
    case underlayIngress = "underlay_ingress"
    case tunEgress = "tun_egress"
    case vxlanIngress = "vxlan_ingress"
    case vtepIngress = "vtep_ingress"
}

/// Why the kernel did not take the programs.
package struct FastPathError: Error, CustomStringConvertible, Sendable {
    package let description: String
}

/// The loaded programs and their maps. Both stay in the kernel for as long as a program is attached or a map pinned.
final class FastPathPrograms: Sendable {
    private static let handle: UInt32 = 1

    let settings: BPFMap<UInt32, SettingsValue>
    let routes: BPFMap<UInt32, RouteValue>
    let exceptions: BPFMap<PrefixKey, RouteValue>
    let sources: BPFMap<SourceKey, UInt32>
    let endpoints: BPFMap<UInt32, EndpointValue>
    let veths: BPFMap<UInt32, VethValue>
    let traffic: BPFMap<UInt32, TrafficValue>
    let events: BPFMap<UInt32, UInt64>
    let filter: FlowFilter
    private let descriptors: [FastPathProgram: CInt]
    private let object: BPFObject

    /// Loads the programs.
    ///
    /// - Parameter pins: A directory on a bpffs. Maps that are pinned there already are used as they are.
    /// - Throws: What the verifier, or libbpf before it, had to say.
    init(pins: String) throws(FastPathError) {
        let object = try BPFObject(pins: pins)
        do throws(SyscallError) {
            settings = try BPFMap("settings", of: object.pointer)
            routes = try BPFMap("routes", of: object.pointer)
            exceptions = try BPFMap("exceptions", of: object.pointer)
            sources = try BPFMap("sources", of: object.pointer)
            endpoints = try BPFMap("endpoints", of: object.pointer)
            veths = try BPFMap("veths", of: object.pointer)
            traffic = try BPFMap("traffic", of: object.pointer)
            events = try BPFMap("events", of: object.pointer)
            filter = try FlowFilter(of: object.pointer)
        } catch {
            throw FastPathError(description: "\(error)")
        }
        var descriptors: [FastPathProgram: CInt] = [:]
        for program in FastPathProgram.allCases {
            guard let found = bpf_object__find_program_by_name(object.pointer, program.rawValue) else {
                throw FastPathError(description: "the object has no program \(program.rawValue)")
            }
            descriptors[program] = bpf_program__fd(found)
        }
        self.descriptors = descriptors
        self.object = object
    }

    /// Puts a program in its place, in one step where an older one of ours is there.
    func attach(_ place: ProgramPlace) throws(SyscallError) {
        let result = cbpf_attach(
            place.interface, place.direction == .ingress ? 1 : 0, descriptor(place.program), Self.handle,
            FastPath.priority)
        guard result == 0 else {
            throw SyscallError(
                call: "RTM_NEWTFILTER", subject: "\(place.program.rawValue) on index \(place.interface)", code: -result)
        }
    }

    /// Takes away what ``attach(_:)`` put there, this time or an earlier one.
    static func detach(interface: Int32, _ direction: ProgramPlace.Direction) throws(SyscallError) {
        let result = cbpf_detach(interface, direction == .ingress ? 1 : 0, handle, FastPath.priority)
        guard result == 0 else {
            throw SyscallError(call: "RTM_DELTFILTER", subject: "index \(interface)", code: -result)
        }
    }

    /// Runs a program over a frame, as if it had come. Returns its result and the frame after it.
    ///
    /// - Parameter segment: Of a super-packet, the payload bytes of its segments.
    func run(_ program: FastPathProgram, over frame: [UInt8], segment: Int = 0) throws(SyscallError) -> (
        result: CInt, frame: [UInt8]
    ) {
        var context = __sk_buff()
        context.gso_size = UInt32(segment)
        var output = [UInt8](repeating: 0, count: frame.count + 256)
        var size = UInt32(output.count)
        let result = cbpf_run(
            descriptor(program), frame, UInt32(frame.count), &context, UInt32(MemoryLayout<__sk_buff>.size), &output,
            &size)
        guard result >= -1 else {
            throw SyscallError(call: "BPF_PROG_TEST_RUN", subject: program.rawValue, code: -result)
        }
        return (result, Array(output.prefix(Int(size))))
    }

    private func descriptor(_ program: FastPathProgram) -> CInt {
        guard let descriptor = descriptors[program] else { preconditionFailure("every program was found") }
        return descriptor
    }
}

/// The one owner of a loaded object.
///
/// `@unchecked Sendable`: the pointer is only read after it is made, and freed once, with the last reference.
private final class BPFObject: @unchecked Sendable {
    let pointer: OpaquePointer

    init(pins: String) throws(FastPathError) {
        let bytes = fastpathObject.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        var opened: OpaquePointer?
        var log = [CChar](repeating: 0, count: 1 << 14)
        let result = cbpf_load(bytes, bytes.count, pins, &opened, &log, log.count)
        guard result == 0, let opened else {
            let text = String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw FastPathError(
                description: "the kernel does not take the programs: \(String(cString: strerror(-result))); \(text)")
        }
        pointer = opened
    }

    deinit { bpf_object__close(pointer) }
}
