import CBPF
import Glibc
import LinuxKit

/// A map of a loaded object, with keys and values of fixed layouts.
///
/// The descriptor belongs to the object and lives as long as it; that of a pinned map lives as long as its user.
struct BPFMap<Key: BitwiseCopyable, Value: BitwiseCopyable>: Sendable {
    let name: String
    private let descriptor: CInt
    private let owner: PinnedMap?

    /// - Throws: With `EPROTO` when the object's map has values of another size: program and daemon differ.
    init(_ name: String, of object: OpaquePointer) throws(SyscallError) {
        self.name = name
        owner = nil
        descriptor = bpf_object__find_map_fd_by_name(object, name)
        guard descriptor >= 0, Int(cbpf_value_size(object, name)) == MemoryLayout<Value>.size else {
            throw SyscallError(call: "BPF_OBJ_GET", subject: "map \(name) with another layout", code: EPROTO)
        }
    }

    /// Opens the map that is pinned as `name` in a directory.
    ///
    /// - Throws: With `ENOENT` when there is none, with `EPROTO` when it has another layout.
    init(pinned name: String, in directory: String) throws(SyscallError) {
        self.name = name
        let path = "\(directory)/\(name)"
        let opened = try SyscallError.checkShim("BPF_OBJ_GET", path) {
            cbpf_open_pinned(path, UInt32(MemoryLayout<Key>.size), UInt32(MemoryLayout<Value>.size))
        }
        descriptor = opened
        owner = PinnedMap(descriptor: OwnedDescriptor(owning: opened))
    }

    func set(_ key: Key, _ value: Value) throws(SyscallError) {
        let (result, code) = withUnsafeBytes(of: key) { key in
            withUnsafeBytes(of: value) { value in
                (bpf_map_update_elem(descriptor, key.baseAddress, value.baseAddress, UInt64(BPF_ANY)), errno)
            }
        }
        guard result == 0 else { throw SyscallError(call: "BPF_MAP_UPDATE_ELEM", subject: name, code: code) }
    }

    /// Does nothing when there is no such key.
    func remove(_ key: Key) throws(SyscallError) {
        let (result, code) = withUnsafeBytes(of: key) { (bpf_map_delete_elem(descriptor, $0.baseAddress), errno) }
        guard result == 0 || code == ENOENT else {
            throw SyscallError(call: "BPF_MAP_DELETE_ELEM", subject: name, code: code)
        }
    }

    subscript(key: Key) -> Value? { values(key, count: 1).first }

    /// The values of a map with one for each possible processor.
    func perProcessor(_ key: Key) -> [Value] { values(key, count: Int(libbpf_num_possible_cpus())) }

    private func values(_ key: Key, count: Int) -> [Value] {
        // The kernel pads a processor's value to 8 bytes; ours are multiples of that where there are several.
        [Value](unsafeUninitializedCapacity: max(count, 1)) { buffer, initialized in
            let result = withUnsafeBytes(of: key) {
                bpf_map_lookup_elem(descriptor, $0.baseAddress, buffer.baseAddress)
            }
            initialized = result == 0 ? count : 0
        }
    }

    /// All keys. One that is added or removed meanwhile may be missing or there.
    func keys() -> [Key] {
        var keys: [Key] = []
        var previous: Key?
        while true {
            let next = [Key](unsafeUninitializedCapacity: 1) { buffer, initialized in
                let result =
                    if let previous {
                        withUnsafeBytes(of: previous) {
                            bpf_map_get_next_key(descriptor, $0.baseAddress, buffer.baseAddress)
                        }
                    } else {
                        bpf_map_get_next_key(descriptor, nil, buffer.baseAddress)
                    }
                initialized = result == 0 ? 1 : 0
            }
            guard let key = next.first else { return keys }
            keys.append(key)
            previous = key
        }
    }
}

/// Keeps the descriptor of a pinned map open.
private final class PinnedMap: Sendable {
    let descriptor: OwnedDescriptor

    init(descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
}
