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
/// On the wire each datagram is one bare inner packet, as flannel's `udp` backend sends them. The device is made with
/// the engine and stays when it goes, so that another engine, of this process or the next, takes it over as it is;
/// addresses, MTU, routes and its end are its owner's business.
///
/// Needs `CAP_NET_ADMIN` and /dev/net/tun.
public final class TunnelEngine: Sendable {
    public let configuration: TunnelConfiguration

    private let queues: [TunnelQueue]
    private let wake: WakeDescriptor
    private let threads = Mutex<[UInt]>([])
    private let failure = Mutex<SyscallError?>(nil)

    /// Makes the device and binds the sockets; packets move only after ``start()``.
    ///
    /// - Throws: With `EADDRINUSE` when another process has the port, `ENOENT` without /dev/net/tun, `EPERM` without
    ///   the capability, `EBUSY` when the device belongs to another process.
    public init(_ configuration: TunnelConfiguration) throws(SyscallError) {
        self.configuration = configuration
        wake = try WakeDescriptor()
        var queues: [TunnelQueue] = []
        for _ in 0..<max(1, configuration.queues) { queues.append(try TunnelQueue(configuration)) }
        self.queues = queues
    }

    /// Starts the threads. To be called once.
    public func start() throws(SyscallError) {
        for (index, queue) in queues.enumerated() {
            try startThread("out-\(index)") { (wake) throws(SyscallError) in try queue.runOutbound(wake: wake) }
            try startThread("in-\(index)") { (wake) throws(SyscallError) in try queue.runInbound(wake: wake) }
        }
    }

    private func startThread(
        _ name: String, _ body: @escaping @Sendable (CInt) throws(SyscallError) -> Void
    ) throws(SyscallError) {
        let handle = try DedicatedThread.start(name: name, detached: false) { [self] in
            do throws(SyscallError) {
                try body(wake.number)
            } catch {
                failure.withLock { $0 = $0 ?? error }
                wake.wake()
            }
        }
        threads.withLock { $0.append(handle) }
    }

    /// Ends the threads and waits for them. The device stays.
    public func stop() {
        wake.wake()
        for thread in threads.withLock({ threads in
            defer { threads = [] }; return threads
        }) { DedicatedThread.join(thread) }
    }

    /// What ended the threads, if they did not end by ``stop()``: the device was taken away, for instance.
    public var fault: SyscallError? { failure.withLock { $0 } }

    /// Replaces the forwarding table; each loop takes it up with its next batch.
    public func publish(_ table: ForwardingTable) { for queue in queues { queue.publish(table) } }

    public func counters() -> TunnelCounters { queues.map(\.counters).reduce(TunnelCounters(), +) }
}

/// One queue of the device with its sockets.
private final class TunnelQueue: Sendable {
    private let device: TUNDevice
    /// Bound to the well-known port.
    private let receiver: DatagramSocket
    /// Bound to a port of its own, so that the peers' kernels spread our queues over theirs.
    private let sender: DatagramSocket
    private let outboundMail = TableMailbox()
    private let inboundMail = TableMailbox()
    private let outboundCounters = LaneCounters()
    private let inboundCounters = LaneCounters()

    init(_ configuration: TunnelConfiguration) throws(SyscallError) {
        let (address, bytes) = (configuration.underlayAddress, configuration.socketBufferBytes)
        receiver = try DatagramSocket(
            address: address, port: configuration.port, shared: configuration.queues > 1, bufferBytes: bytes)
        if configuration.receivesJoined { try receiver.enableReceiveOffload() }
        sender = try DatagramSocket(address: address, port: 0, shared: false, bufferBytes: bytes)
        device = try TUNDevice(name: configuration.deviceName, multiQueue: configuration.queues > 1)
        _ = device.enable([.checksum, .tcp4, .tcpCongestion, .udp4])
        try device.setPersistent(true)
    }

    func publish(_ table: ForwardingTable) {
        outboundMail.publish(table)
        inboundMail.publish(table)
    }

    func runOutbound(wake: CInt) throws(SyscallError) {
        var lane = OutboundLane()
        try lane.run(from: device, to: sender, wake: wake, mailbox: outboundMail, counters: outboundCounters)
    }

    func runInbound(wake: CInt) throws(SyscallError) {
        var lane = InboundLane()
        try lane.run(from: receiver, to: device, wake: wake, mailbox: inboundMail, counters: inboundCounters)
    }

    var counters: TunnelCounters {
        let (out, into) = (outboundCounters.current, inboundCounters.current)
        let drops: [DropReason: UInt64] = [
            .noRoute: out.noRoute, .malformed: out.malformed &+ into.malformed, .spoofed: into.spoofed,
            .refusedByUnderlay: out.refused, .refusedByDevice: into.refused, .congestion: into.congestion,
        ]
        return TunnelCounters(
            sentPackets: out.packets, sentBytes: out.bytes, receivedPackets: into.packets, receivedBytes: into.bytes,
            drops: drops.filter { $0.value > 0 })
    }
}
