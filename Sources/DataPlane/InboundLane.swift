import Addressing
import LinuxKit

/// The way in of one queue: datagrams from the peers, checked and joined, to the TUN device. Owned by one thread.
struct InboundLane: ~Copyable {
    private var batch = ReceiveBatch()
    private var coalescer = Coalescer()
    private var table: ForwardingTable
    private var tally = LaneTally()

    init() { table = ForwardingTable(routes: []) }

    /// Moves packets until `wake` is given.
    mutating func run(
        from socket: borrowing DatagramSocket, to device: borrowing TUNDevice, wake: CInt, mailbox: TableMailbox,
        counters: LaneCounters
    ) throws(SyscallError) {
        while true {
            if let new = mailbox.take() { table = new }
            if try batch.receive(from: socket) {
                try moveBatch(to: device)
                counters.publish(tally)
            } else {
                guard try waitUntilReadable(socket.number, unless: wake) else { return }
            }
        }
    }

    private mutating func moveBatch(to device: borrowing TUNDevice) throws(SyscallError) {
        let view = table.view
        var index = 0
        while index < batch.count {
            let message = batch[index]
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
        tally.refused &+= refused
    }

    private mutating func deliver(
        _ packet: UnsafeMutableRawPointer, length: Int, message: ReceiveBatch.Message, view: ForwardingView,
        device: borrowing TUNDevice
    ) throws(SyscallError) {
        guard isWholeIPv4(packet, length: length) else {
            tally.malformed &+= 1
            return
        }
        guard isFromItsPeer(packet, source: message.source, view: view) else {
            tally.spoofed &+= 1
            return
        }
        if message.typeOfService & CongestionMark.mask == CongestionMark.experienced,
            !CongestionMark.carryIn(packet)
        {
            tally.congestion &+= 1
            return
        }
        tally.packets &+= 1
        tally.bytes &+= UInt64(length)
        var refused: UInt64 = 0
        try coalescer.add(packet, length: length) { (pieces) throws(SyscallError) in
            if try !device.write(pieces) { refused &+= 1 }
        }
        tally.refused &+= refused
    }

    /// Whether the inner source belongs to the peer that sent it: an address of its prefix, or its own outer address.
    @inline(__always)
    private func isFromItsPeer(_ packet: UnsafeRawPointer, source: UInt32, view: ForwardingView) -> Bool {
        let inner = packet.bigEndian32(IPv4Header.sourceOffset)
        if let entry = view.lookup(inner), entry.endpoint == source { return true }
        return inner.bigEndian == source && view.isPeer(source)
    }
}

/// Explicit congestion notification across the tunnel (RFC 6040 section 4.2).
enum CongestionMark {
    static let mask: UInt8 = 0x03
    static let experienced: UInt8 = 0x03

    /// Marks the inner packet as the outer one was. Returns `false` when it must be dropped instead, because its sender
    /// does not understand the mark.
    @inline(__always)
    static func carryIn(_ packet: UnsafeMutableRawPointer) -> Bool {
        let old = packet.load(fromByteOffset: IPv4Header.typeOfServiceOffset, as: UInt8.self)
        guard old & mask != 0 else { return false }
        guard old & mask != experienced else { return true }
        packet.storeBytes(of: old | experienced, toByteOffset: IPv4Header.typeOfServiceOffset, as: UInt8.self)
        // RFC 1624 equation 3, with the words that hold version, header length and TOS.
        let version = UInt16(packet.load(as: UInt8.self)) << 8
        let checksum = UnsafeRawPointer(packet).bigEndian16(IPv4Header.checksumOffset)
        var sum = UInt32(~checksum) &+ UInt32(~(version | UInt16(old))) &+ UInt32(version | UInt16(old | experienced))
        sum = (sum & 0xFFFF) &+ (sum >> 16)
        sum = (sum & 0xFFFF) &+ (sum >> 16)
        packet.storeBigEndian(~UInt16(truncatingIfNeeded: sum), IPv4Header.checksumOffset)
        return true
    }
}
