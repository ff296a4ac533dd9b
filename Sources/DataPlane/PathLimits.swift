import LinuxKit

/// What one packet loop learnt of the ways to its peers: the largest outer packet, where routers reported one that is
/// smaller than the interface's MTU. Forgotten after ten minutes, as the kernel does (`net.ipv4.route.mtu_expires`).
struct PathLimits: ~Copyable {
    /// Peers that are remembered; with more, the oldest is forgotten. The kernel then still cuts outer packets to size.
    static let capacity = 64
    static let lifetimeMilliseconds = 600_000

    private struct Limit {
        var endpoint: UInt32
        var bytes: Int
        var expires: Int
    }

    private let limits: UnsafeMutablePointer<Limit>
    private(set) var count = 0
    private var oldest = 0

    init() { limits = .allocate(capacity: Self.capacity) }
    deinit { limits.deallocate() }

    var isEmpty: Bool { count == 0 }

    /// Remembers that no outer packet above `bytes` reaches `endpoint` (network byte order).
    mutating func learn(_ endpoint: UInt32, bytes: Int) {
        let limit = Limit(
            endpoint: endpoint, bytes: bytes, expires: CoarseClock.milliseconds &+ Self.lifetimeMilliseconds)
        for index in 0..<count where limits[index].endpoint == endpoint {
            limits[index] = limit
            return
        }
        if count < Self.capacity {
            (limits + count).initialize(to: limit)
            count &+= 1
        } else {
            limits[oldest] = limit
            oldest = (oldest &+ 1) % Self.capacity
        }
    }

    /// The largest outer packet known to reach `endpoint`, or `nil` when no limit is known.
    mutating func limit(_ endpoint: UInt32) -> Int? {
        var index = 0
        while index < count {
            if limits[index].endpoint == endpoint {
                if CoarseClock.milliseconds < limits[index].expires { return limits[index].bytes }
                count &-= 1
                limits[index] = limits[count]
                return nil
            }
            index &+= 1
        }
        return nil
    }
}
