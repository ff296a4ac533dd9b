import CLinux
import Glibc

/// The pieces of one packet, in order, for `writev(2)`. Allocated once; the pieces themselves belong to others.
package struct ScatterList: ~Copyable {
    let vectors: UnsafeMutablePointer<iovec>
    package let capacity: Int
    package private(set) var count = 0

    /// - Parameter capacity: Most pieces, at most 1024 (`UIO_MAXIOV`).
    package init(capacity: Int) {
        precondition((1...1024).contains(capacity), "a system call takes 1 to 1024 pieces")
        self.capacity = capacity
        vectors = .allocate(capacity: capacity)
    }

    deinit { vectors.deallocate() }

    /// A copy of one piece.
    package func bytes(at index: Int) -> [UInt8] {
        [UInt8](UnsafeRawBufferPointer(start: vectors[index].iov_base, count: vectors[index].iov_len))
    }

    package mutating func removeAll() { count = 0 }

    /// - Precondition: There is room.
    @inline(__always)
    package mutating func append(_ bytes: UnsafeMutableRawPointer, _ length: Int) {
        precondition(count < capacity, "more pieces than the scatter list was made for")
        vectors[count] = iovec(iov_base: bytes, iov_len: length)
        count &+= 1
    }
}
