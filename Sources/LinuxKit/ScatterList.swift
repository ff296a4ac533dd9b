import CLinux
import Glibc

/// The pieces of one packet, in order, for `writev(2)`. Allocated once; the pieces themselves belong to others.
package struct ScatterList: ~Copyable {
    /// Most pieces that a system call takes (`UIO_MAXIOV`).
    package static let capacity = 1024

    let vectors: UnsafeMutablePointer<iovec>
    package private(set) var count = 0

    package init() { vectors = .allocate(capacity: Self.capacity) }
    deinit { vectors.deallocate() }

    /// A copy of one piece.
    package func bytes(at index: Int) -> [UInt8] {
        [UInt8](UnsafeRawBufferPointer(start: vectors[index].iov_base, count: vectors[index].iov_len))
    }

    package mutating func removeAll() { count = 0 }

    /// - Precondition: There is room.
    package mutating func append(_ bytes: UnsafeMutableRawPointer, _ length: Int) {
        precondition(count < Self.capacity, "a scatter list takes \(Self.capacity) pieces")
        vectors[count] = iovec(iov_base: bytes, iov_len: length)
        count &+= 1
    }
}
