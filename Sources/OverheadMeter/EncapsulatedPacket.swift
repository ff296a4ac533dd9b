package import Addressing

/// A captured frame that carries an IPv4 packet in UDP, as the overlay sends them.
package struct EncapsulatedPacket: Hashable, Sendable {
    package var outerSource: IPv4Address
    package var outerDestination: IPv4Address
    package var sourcePort: UInt16
    package var destinationPort: UInt16
    package var innerSource: IPv4Address
    package var innerDestination: IPv4Address
    /// The inner packet's protocol number: 1 ICMP, 6 TCP, 17 UDP.
    package var innerProtocol: UInt8
    /// The inner packet's whole length.
    package var innerBytes: Int

    /// Reads an Ethernet frame (or the bare outer packet with `linkHeaderBytes` 0).
    ///
    /// - Returns: `nil` unless it is unfragmented IPv4 and UDP to `port`, with one whole IPv4 packet as payload, or
    ///   several of one size, as segmentation offload shows them.
    package init?(frame: [UInt8], linkHeaderBytes: Int, port: UInt16) {
        func half(_ at: Int) -> UInt16 { UInt16(frame[at]) << 8 | UInt16(frame[at + 1]) }
        func address(_ at: Int) -> IPv4Address { IPv4Address(frame[at], frame[at + 1], frame[at + 2], frame[at + 3]) }
        let outer = linkHeaderBytes
        if outer == 14 {
            guard frame.count > 14, half(12) == 0x0800 else { return nil }
        }
        guard frame.count >= outer + 20, frame[outer] >> 4 == 4, frame[outer + 9] == 17, half(outer + 6) & 0x3FFF == 0
        else { return nil }
        let udp = outer + Int(frame[outer] & 0xF) * 4
        guard udp >= outer + 20, frame.count >= udp + 8 + 20, half(udp + 2) == port else { return nil }
        let inner = udp + 8
        let innerHeader = Int(frame[inner] & 0xF) * 4
        let innerLength = Int(half(inner + 2))
        let payload = Int(half(udp + 4)) - 8
        guard frame[inner] >> 4 == 4, innerHeader >= 20, innerLength >= innerHeader, innerLength <= payload else {
            return nil
        }
        outerSource = address(outer + 12)
        outerDestination = address(outer + 16)
        sourcePort = half(udp)
        destinationPort = port
        innerSource = address(inner + 12)
        innerDestination = address(inner + 16)
        innerProtocol = frame[inner + 9]
        innerBytes = innerLength
    }
}

extension EncapsulatedPacket: CustomStringConvertible {
    /// `10.240.0.11:41000 > 10.240.0.12:8285 UDP | 10.244.1.2 > 10.244.2.3 ICMP 84 bytes`
    package var description: String {
        let name = [1: "ICMP", 6: "TCP", 17: "UDP"][innerProtocol] ?? "protocol \(innerProtocol)"
        return "\(outerSource):\(sourcePort) > \(outerDestination):\(destinationPort) UDP | "
            + "\(innerSource) > \(innerDestination) \(name) \(innerBytes) bytes"
    }
}
