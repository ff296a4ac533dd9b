public import Addressing
public import LinuxKit
import Synchronization

/// How the user-space path is set up.
public struct TunnelConfiguration: Hashable, Sendable {
    /// The TUN device's name, at most 15 bytes.
    public var deviceName: String
    /// The outer address that the sockets bind.
    public var underlayAddress: IPv4Address
    /// The UDP port on which peers send to us.
    public var port: UInt16
    /// Queues of the device; each has a thread for either direction.
    public var queues: Int
    /// Asked for in each direction of each socket; packets wait here while a thread does not run.
    public var socketBufferBytes = 4 << 20
    /// Processors to pin the threads to, those of queue 0 first, around and around; empty leaves it to the scheduler.
    public var processors: [Int] = []
    /// Outer source ports that each queue spreads its flows over, so that NICs and ECMP spread them too. A flow keeps
    /// its port. Peers need not know; flanneld ignores the source port.
    public var sourcePortsPerQueue = 1
    /// How long a thread goes on looking for packets before it sleeps: less latency for a processor that is never
    /// idle. 0, the default, sleeps at once.
    public var busyPollMicroseconds = 0
    /// Leaves the device behind when the engine ends, with its addresses and routes; the next engine takes it up.
    public var isPersistent = true
    /// Has the kernel join datagrams of one flow before they are read. It joins them ahead of the eBPF path too, which
    /// cannot take them apart again.
    public var receivesJoined = true

    public init(deviceName: String, underlayAddress: IPv4Address, port: UInt16, queues: Int) {
        self.deviceName = deviceName
        self.underlayAddress = underlayAddress
        self.port = port
        self.queues = queues
    }
}

/// The user-space packet path: a TUN device on one side, UDP to the peers on the other.
///
/// On the wire each datagram is one bare inner packet, as flannel's `udp` backend sends them. The device outlives the
/// engine unless it is told otherwise; addresses, MTU and routes are its owner's business.
///
/// A flow keeps to one queue, one thread and one outer source port, and so its packets stay in order.
///
/// Needs `CAP_NET_ADMIN` and /dev/net/tun, and `CAP_BPF` for more than one queue.
public final class TunnelEngine: Sendable {
    /// IPv4 and UDP headers around each packet.
    public static let encapsulationBytes = 28

    public let configuration: TunnelConfiguration

    private let queues: [TunnelQueue]
    private let wake: WakeDescriptor
    private let threads = Mutex<[UInt]>([])
    private let failure = Mutex<SyscallError?>(nil)

    /// Makes the device, or takes up one that is there and fits, and binds the sockets; packets move only after
    /// ``start()``.
    ///
    /// - Throws: With `EADDRINUSE` when another process has the port, `ENOENT` without /dev/net/tun, `EPERM` without
    ///   the capabilities, `EBUSY` when the device belongs to another process.
    public init(_ configuration: TunnelConfiguration) throws(SyscallError) {
        self.configuration = configuration
        wake = try WakeDescriptor()
        // Sockets that share a port share it with another process's too, so that one that does not is tried first.
        _ = try DatagramSocket(
            address: configuration.underlayAddress, port: configuration.port, shared: false, bufferBytes: 0)
        try TUNDevice.makeRoom(for: configuration.deviceName)
        var queues: [TunnelQueue] = []
        for _ in 0..<max(1, configuration.queues) { queues.append(try TunnelQueue(configuration)) }
        if queues.count > 1 { try queues[0].steer(FlowSteering()) }
        if configuration.isPersistent { try queues[0].persist() }
        self.queues = queues
    }

    /// Starts the threads. To be called once.
    public func start() throws(SyscallError) {
        for (index, queue) in queues.enumerated() {
            try startThread("out-\(index)", 2 * index) { (wake) throws(SyscallError) in
                try queue.runOutbound(wake: wake)
            }
            try startThread("in-\(index)", 2 * index + 1) { (wake) throws(SyscallError) in
                try queue.runInbound(wake: wake)
            }
        }
    }

    private func startThread(
        _ name: String, _ position: Int, _ body: @escaping @Sendable (CInt) throws(SyscallError) -> Void
    ) throws(SyscallError) {
        let processors = configuration.processors
        let handle = try DedicatedThread.start(name: name, detached: false) { [self] in
            do throws(SyscallError) {
                if !processors.isEmpty { try ProcessorAffinity.pin(to: processors[position % processors.count]) }
                try body(wake.number)
            } catch {
                failure.withLock { $0 = $0 ?? error }
                wake.wake()
            }
        }
        threads.withLock { $0.append(handle) }
    }

    /// Ends the threads and waits for them. The descriptors are closed when the engine is released.
    public func stop() {
        wake.wake()
        for thread in threads.withLock({ threads in
            defer { threads = [] }
            return threads
        }) { DedicatedThread.join(thread) }
    }

    /// What ended the threads, if they did not end by ``stop()``: the device was taken away, for instance.
    public var fault: SyscallError? { failure.withLock { $0 } }

    /// Replaces the forwarding table; each loop takes it up with its next batch.
    public func publish(_ table: ForwardingTable) { for queue in queues { queue.publish(table) } }

    public func counters() -> TunnelCounters { queues.map(\.counters).reduce(TunnelCounters(), +) }
}
