import LinuxKit

/// One queue of the device with its sockets, and what the two lanes share with the rest of the world.
final class TunnelQueue: Sendable {
    private let device: TUNDevice
    private let granted: TUNDevice.Offloads
    /// Bound to the well-known port.
    private let receiver: DatagramSocket
    /// Bound to ports of their own, so that the peers' kernels, and what is between, spread our flows.
    private let senders: DatagramSocketGroup
    private let busyPollMicroseconds: Int
    private let outboundMail = TableMailbox()
    private let inboundMail = TableMailbox()
    private let outboundCounters = LaneCounters()
    private let inboundCounters = LaneCounters()

    init(_ configuration: TunnelConfiguration) throws(SyscallError) {
        let (address, bytes) = (configuration.underlayAddress, configuration.socketBufferBytes)
        receiver = try DatagramSocket(
            address: address, port: configuration.port, shared: configuration.queues > 1, bufferBytes: bytes)
        try receiver.enableReceiveOffload(joined: configuration.receivesJoined)
        senders = try DatagramSocketGroup(
            count: max(1, configuration.sourcePortsPerQueue), address: address, bufferBytes: bytes)
        busyPollMicroseconds = configuration.busyPollMicroseconds
        if busyPollMicroseconds > 0 { receiver.enableBusyPolling(microseconds: busyPollMicroseconds) }
        device = try TUNDevice(name: configuration.deviceName)
        granted = device.enable(.all)
    }

    /// Gives the device its steering program; see ``FlowSteering``.
    func steer(_ program: borrowing FlowSteering) throws(SyscallError) { try program.attach(to: device) }

    /// Keeps the device when the last queue is closed.
    func persist() throws(SyscallError) { try device.setPersistent(true) }

    func publish(_ table: ForwardingTable) {
        outboundMail.publish(table)
        inboundMail.publish(table)
    }

    func runOutbound(wake: CInt) throws(SyscallError) {
        var lane = OutboundLane(sockets: senders.count)
        try wait(for: device.number, wake: wake) { () throws(SyscallError) in
            try lane.moveBatch(from: device, to: senders, mailbox: outboundMail, counters: outboundCounters)
        }
    }

    func runInbound(wake: CInt) throws(SyscallError) {
        var lane = InboundLane(joinsDatagrams: granted.contains(.udp))
        try wait(for: receiver.number, wake: wake) { () throws(SyscallError) in
            try lane.moveBatch(from: receiver, to: device, mailbox: inboundMail, counters: inboundCounters)
        }
    }

    /// Calls `move` while it has more to do, and then whenever `number` can be read, until `wake` is given.
    private func wait(for number: CInt, wake: CInt, _ move: () throws(SyscallError) -> Bool) throws(SyscallError) {
        while true {
            if try move() { continue }
            if busyPollMicroseconds > 0 {
                let end = MonotonicClock.nanoseconds &+ busyPollMicroseconds &* 1000
                var moved = false
                repeat { moved = try move() } while !moved && MonotonicClock.nanoseconds < end
                if moved { continue }
            }
            guard try waitUntilReadable(number, unless: wake) else { return }
        }
    }

    var counters: TunnelCounters {
        let (out, into) = (outboundCounters.current, inboundCounters.current)
        return TunnelCounters(
            sentPackets: out.packets, sentBytes: out.bytes, receivedPackets: into.packets, receivedBytes: into.bytes,
            drops: out.occurred.merging(into.occurred, uniquingKeysWith: +))
    }
}
