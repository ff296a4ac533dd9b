import CLinux
import Glibc

/// A descriptor that wakes whoever waits on it, from any thread (eventfd(2)).
package struct WakeDescriptor: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    package init() throws(SyscallError) {
        descriptor = OwnedDescriptor(
            owning: try SyscallError.check("eventfd", "") { eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)) })
    }

    /// The descriptor's number, to wait on.
    package var number: CInt { descriptor.number }

    /// Ends the current wait of everyone, and all later ones.
    package borrowing func wake() { _ = eventfd_write(descriptor.number, 1) }
}

/// Blocks until `number` can be read. Returns `false` when `wake` was given before or meanwhile.
package func waitUntilReadable(_ number: CInt, unless wake: CInt) throws(SyscallError) -> Bool {
    var waiting = (
        pollfd(fd: number, events: Int16(POLLIN), revents: 0), pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
    )
    try SyscallError.check("poll", "") {
        withUnsafeMutablePointer(to: &waiting) {
            $0.withMemoryRebound(to: pollfd.self, capacity: 2) { poll($0, 2, -1) }
        }
    }
    return waiting.1.revents == 0
}
