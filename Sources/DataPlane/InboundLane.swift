import Addressing
package import LinuxKit

/// The way in of one queue: datagrams from the peers, checked and joined, to the TUN device. Owned by one thread.
package struct InboundLane: ~Copyable {
    private var batch = ReceiveBatch()
    private var coalescer: Coalescer
    private var table: ForwardingTable
    private var tally = LaneTally()

    /// - Parameter joinsDatagrams: Whether the device takes super-packets of UDP.
    package init(joinsDatagrams: Bool) {
        coalescer = Coalescer(joinsDatagrams: joinsDatagrams)
        table = ForwardingTable(routes: [])
    }

    /// Takes up a new table, if there is one, and what has been received, up to a batch, and hands it on.
    ///
    /// - Returns: Whether there may be more to receive.
    package mutating func moveBatch(
        from socket: borrowing DatagramSocket, to device: borrowing TUNDevice, mailbox: TableMailbox,
        counters: LaneCounters
    ) throws(SyscallError) -> Bool {
        if let new = mailbox.take() { table = new }
        guard try batch.receive(from: socket) else { return false }
        let view = table.view
        var index = 0
        while index < batch.count {
            let message = batch[index]
            if message.length == 0 { tally.drop(.malformed) }
            var offset = 0
            while offset < message.length {
                let length = min(message.segmentSize, message.length &- offset)
                try deliver(message.bytes + offset, length: length, message: message, view: view, device: device)
                offset &+= length
            }
            index &+= 1
        }
        // The next batch is received into the same memory.
        var refused: UInt64 = 0
        try coalescer.flush { (pieces) throws(SyscallError) in if try !device.write(pieces) { refused &+= 1 } }
        tally.drop(.refusedByDevice, refused)
        counters.publish(tally)
        return batch.isFull
    }

    private mutating func deliver(
        _ bytes: UnsafeMutableRawPointer, length: Int, message: ReceiveBatch.Message, view: ForwardingView,
        device: borrowing TUNDevice
    ) throws(SyscallError) {
        guard let packet = InnerPacket(bytes, length: length) else { return tally.drop(.malformed) }
        guard view.isFromItsPeer(packet, source: message.source) else { return tally.drop(.spoofed) }
        guard view.isForUs(packet) else { return tally.drop(.notForUs) }
        guard packet.hopLimit > 0 else { return tally.drop(.expired) }
        guard CongestionMark.carryIn(packet, outer: message.typeOfService) else { return tally.drop(.congestion) }
        tally.packets &+= 1
        tally.bytes &+= UInt64(length)
        var refused: UInt64 = 0
        try coalescer.add(packet) { (pieces) throws(SyscallError) in
            if try !device.write(pieces) { refused &+= 1 }
        }
        tally.drop(.refusedByDevice, refused)
    }
}
