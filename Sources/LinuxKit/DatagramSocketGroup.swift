package import Addressing

/// UDP sockets to send from, each bound to a port of its own that the kernel chose.
///
/// `@unchecked Sendable`: the pointer is written to only while the value is made.
package struct DatagramSocketGroup: ~Copyable, @unchecked Sendable {
    private let sockets: UnsafeMutablePointer<DatagramSocket>
    package let count: Int

    /// Opens `count` sockets that learn of errors on the way; see ``DatagramSocket/init(address:port:shared:bufferBytes:)``.
    package init(count: Int, address: IPv4Address, bufferBytes: Int) throws(SyscallError) {
        precondition(count > 0, "a group has a socket at least")
        sockets = .allocate(capacity: count)
        var opened = 0
        do throws(SyscallError) {
            for index in 0..<count {
                let socket = try DatagramSocket(address: address, port: 0, shared: false, bufferBytes: bufferBytes)
                try socket.enableErrorReports()
                (sockets + index).initialize(to: socket)
                opened += 1
            }
        } catch {
            sockets.deinitialize(count: opened)
            sockets.deallocate()
            throw error
        }
        self.count = count
    }

    deinit {
        sockets.deinitialize(count: count)
        sockets.deallocate()
    }

    /// - Precondition: `index` is below ``count``.
    package subscript(index: Int) -> DatagramSocket {
        @inline(__always) _read { yield sockets[index] }
    }
}
