import Glibc
import LinuxKit
import Synchronization

/// A TCP relay on loopback that holds every piece back for a while, and can be cut: a long wire, and a broken one.
/// Threads of its own, two a connection, which end with their connection; meant for a handful of them.
final class DelayRelay: Sendable {
    let port: Int
    private let listener: Int32
    private let target: UInt16
    private let delay: Duration
    private struct State {
        var isCut = false
        var isOver = false
        var open: Set<Int32> = []
    }
    private let state = Mutex(State())

    /// - Parameter delay: How long each piece is held back, in each direction.
    init(to target: Int, delay: Duration) throws {
        self.target = UInt16(target)
        self.delay = delay
        port = try freePort()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        guard Self.withAddress(UInt16(port), { bind(listener, $0, $1) }) == 0, listen(listener, 16) == 0 else {
            throw DeadlinePassed(description: "the relay cannot listen")
        }
        try DedicatedThread.start(name: "relay", detached: true) { [weak self, listener] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let self else {
                    if client >= 0 { close(client) }
                    return
                }
                self.serve(client)
            }
        }
    }

    /// Ends all connections and refuses new ones.
    func cut() {
        state.withLock { state in
            state.isCut = true
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    func mend() { state.withLock { $0.isCut = false } }

    deinit {
        state.withLock { for descriptor in $0.open { shutdown(descriptor, Int32(SHUT_RDWR)) } }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let isUsable = state.withLock { state in
            guard !state.isCut, Self.withAddress(target, { connect(server, $0, $1) }) == 0 else { return false }
            state.open.formUnion([client, server])
            return true
        }
        guard isUsable else {
            close(client)
            close(server)
            return
        }
        let pair = Pair(client, server, delay) { [weak self] in
            self?.state.withLock { $0.open.subtract([client, server]) }
        }
        for (from, to) in [(client, server), (server, client)] {
            try? DedicatedThread.start(name: "relay-copy", detached: true) { pair.copy(from, to) }
        }
    }

    private static func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Two sockets, closed when both directions have ended.
    private final class Pair: Sendable {
        private let client: Int32
        private let server: Int32
        private let delay: Duration
        private let ended: @Sendable () -> Void

        init(_ client: Int32, _ server: Int32, _ delay: Duration, ended: @escaping @Sendable () -> Void) {
            self.client = client
            self.server = server
            self.delay = delay
            self.ended = ended
        }

        func copy(_ from: Int32, _ to: Int32) {
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = recv(from, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                usleep(UInt32(delay / .microseconds(1)))
                var sent = 0
                while sent < count {
                    let piece = buffer.withUnsafeBytes { bytes in
                        send(to, bytes.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
                    }
                    guard piece > 0 else { break }
                    sent += piece
                }
                if sent < count { break }
            }
            shutdown(from, Int32(SHUT_RDWR))
            shutdown(to, Int32(SHUT_RDWR))
        }

        deinit {
            ended()
            close(client)
            close(server)
        }
    }
}
