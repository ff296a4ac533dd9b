import Addressing
import Glibc

/// Asks whether something listens on a TCP port.
enum TCPProbe {
    /// Tries to connect from the calling thread's network namespace; waits `milliseconds` at most.
    static func isListening(_ address: IPv4Address, _ port: UInt16, milliseconds: Int32 = 200) -> Bool {
        let number = socket(
            AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { return false }
        defer { close(number) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = address.networkOrder
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return true }
        guard errno == EINPROGRESS else { return false }
        var polled = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        guard poll(&polled, 1, milliseconds) == 1 else { return false }
        var code: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size)
        return code == 0
    }
}
