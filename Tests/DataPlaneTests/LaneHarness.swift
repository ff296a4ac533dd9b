import Addressing
import DataPlane
import Glibc
import LinuxKit

/// A lane's surroundings without privileges: a socket pair in the device's place, and UDP on loopback addresses, ours
/// (127.0.0.1) and a peer's (127.0.0.2).
final class LaneHarness {
    static let ours = IPv4Address(127, 0, 0, 1)
    static let peersAddress = IPv4Address(127, 0, 0, 2)

    let device: TUNDevice
    /// What is written here is read from the device, and the other way round.
    let kernel: OwnedDescriptor
    let senders: DatagramSocketGroup
    let receiver: DatagramSocket
    let peer: DatagramSocket
    let peerPort: UInt16
    let mailbox = TableMailbox()
    let counters = LaneCounters()

    init(sockets: Int = 1) throws {
        var ends: [CInt] = [0, 0]
        let type = CInt(SOCK_SEQPACKET.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        try SyscallError.check("socketpair", "device") { socketpair(AF_UNIX, type, 0, &ends) }
        device = TUNDevice(owning: OwnedDescriptor(owning: ends[0]))
        kernel = OwnedDescriptor(owning: ends[1])
        senders = try DatagramSocketGroup(count: sockets, address: Self.ours, bufferBytes: 1 << 20)
        receiver = try DatagramSocket(address: Self.ours, port: 0, shared: false, bufferBytes: 4 << 20)
        try receiver.enableReceiveOffload()
        peer = try DatagramSocket(address: Self.peersAddress, port: 0, shared: false, bufferBytes: 1 << 20)
        try peer.enableReceiveOffload()
        peerPort = try peer.boundPort()
    }

    /// 10.244.2.0/24 and fd00:244:2::/64 are the peer's, 10.244.1.0/24 and fd00:244:1::/64 ours.
    func publishTable(mtu: Int? = nil, otherSources: [IPv4Address] = []) {
        let prefix6 = IPv6Prefix("fd00:244:2::/64") ?? IPv6Prefix(IPv6Address(bits: 0), length: 0)
        let own6 = IPv6Prefix("fd00:244:1::/64") ?? prefix6
        mailbox.publish(
            ForwardingTable(
                routes: [
                    ForwardingRoute(
                        prefix: IPv4Prefix(IPv4Address(10, 244, 2, 0), length: 24), endpoint: Self.peersAddress,
                        port: peerPort, otherSources: otherSources, mtu: mtu),
                    // Another peer, which sends nothing.
                    ForwardingRoute(
                        prefix: IPv4Prefix(IPv4Address(10, 244, 3, 0), length: 24),
                        endpoint: IPv4Address(127, 0, 0, 3), port: peerPort),
                ],
                routes6: [
                    ForwardingRoute6(
                        prefix: prefix6, endpoint: Self.peersAddress, port: peerPort, otherSources: otherSources,
                        mtu: mtu)
                ],
                local: LocalSubnets(subnet: IPv4Prefix(IPv4Address(10, 244, 1, 0), length: 24), subnet6: own6)))
    }

    /// Puts a packet where the device reads it.
    func giveDevice(_ packet: [UInt8], _ header: VirtioNetHeader = VirtioNetHeader()) throws {
        var bytes = [UInt8](repeating: 0, count: VirtioNetHeader.length)
        bytes.withUnsafeMutableBytes { if let base = $0.baseAddress { header.store(to: base) } }
        try kernel.write(bytes + packet)
    }

    /// The packets that were written to the device, without their headers.
    func takenFromDevice() throws -> [(VirtioNetHeader, [UInt8])] {
        var packets: [(VirtioNetHeader, [UInt8])] = []
        while let bytes = try kernel.read(atMost: 70_000), !bytes.isEmpty {
            let header = bytes.withUnsafeBytes { $0.baseAddress.map { VirtioNetHeader(loadedFrom: $0) } }
            packets.append((header ?? VirtioNetHeader(), Array(bytes.dropFirst(VirtioNetHeader.length))))
        }
        return packets
    }

    /// A datagram as the peer got it.
    struct Datagram: Equatable {
        var bytes: [UInt8]
        var typeOfService: UInt8 = 0
    }

    /// What has arrived at `socket`, trains taken apart.
    static func received(_ socket: borrowing DatagramSocket) throws -> [Datagram] {
        var datagrams: [Datagram] = []
        var batch = ReceiveBatch()
        while try batch.receive(from: socket) {
            for index in 0..<batch.count {
                let message = batch[index]
                for offset in stride(from: 0, to: message.length, by: message.segmentSize) {
                    let count = min(message.segmentSize, message.length - offset)
                    let bytes = UnsafeRawBufferPointer(start: message.bytes + offset, count: count)
                    datagrams.append(Datagram(bytes: Array(bytes), typeOfService: message.typeOfService))
                }
            }
        }
        return datagrams
    }

    /// Sends datagrams to our port.
    func send(_ datagrams: [[UInt8]], from socket: borrowing DatagramSocket, typeOfService: UInt8 = 0) throws {
        var batch = TransmitBatch()
        let port = try receiver.boundPort().bigEndian
        for datagram in datagrams {
            if !batch.hasRoom(segments: 1, headerBytes: datagram.count) { try batch.send(on: socket) }
            let space = batch.takeHeader(datagram.count)
            datagram.withUnsafeBytes { bytes in
                if let base = bytes.baseAddress { space.copyMemory(from: base, byteCount: bytes.count) }
            }
            batch.append(
                head: space, datagram.count, tail: nil, 0, endpoint: Self.ours.networkOrder, port: port,
                typeOfService: typeOfService)
        }
        try batch.send(on: socket)
    }
}

extension OutboundLane {
    /// Moves all that the device has, and returns what the lane counted.
    mutating func run(_ harness: LaneHarness) throws -> LaneTally {
        while try moveBatch(
            from: harness.device, to: harness.senders, mailbox: harness.mailbox, counters: harness.counters)
        {}
        return harness.counters.current
    }
}

extension InboundLane {
    /// Moves all that was received, and returns what the lane counted.
    mutating func run(_ harness: LaneHarness) throws -> LaneTally {
        while try moveBatch(
            from: harness.receiver, to: harness.device, mailbox: harness.mailbox, counters: harness.counters)
        {}
        return harness.counters.current
    }
}
