import DataPlane
import DataPlaneTesting

/// The first bytes choose two trains of packets, the rest changes bytes of them and their order. What the coalescer gives
/// out must stand for the packets that went in.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 8 else { return 0 }
    var generator = SeededGenerator(seed: UInt64(data[0]))
    var packets: [[UInt8]] = []
    for train in 0..<2 {
        let factory = PacketFactory(
            isIPv6: data[1] >> UInt8(train) & 1 == 1, isTCP: data[1] >> UInt8(2 + train) & 1 == 1,
            payload: Int(data[2 + train]) * 8 + 1, options: Int(data[4] & 7) * 4,
            dontFragment: data[1] & 0x10 == 0, ports: (UInt16(train), 80))
        packets += PlainReference.segments(of: factory.make(&generator), size: Int(data[5]) + 20)
    }
    var place = 6
    while place + 4 <= count {
        let index = Int(data[place]) % packets.count
        let offset = Int(data[place + 1]) % packets[index].count
        switch data[place + 2] & 3 {
        case 0: packets[index][offset] ^= data[place + 3]
        case 1:
            packets[index][offset] ^= data[place + 3]
            if UnderTest.isPacket(packets[index]) { PacketFactory.fixAnyChecksums(&packets[index]) }
        case 2: packets.swapAt(index, Int(data[place + 3]) % packets.count)
        default: packets.append(packets[index])
        }
        place += 4
        if packets.count > 300 { break }
    }
    let valid = packets.filter(UnderTest.isPacket)
    let given = UnderTest.coalesced(valid).flatMap { PlainReference.packets(from: $0.0, $0.1) }
    let order = { (left: [UInt8], right: [UInt8]) in left.lexicographicallyPrecedes(right) }
    precondition(given.map(comparable).sorted(by: order) == valid.map(comparable).sorted(by: order))
    return 0
}

/// The packet with what may legitimately change made equal: identifications where "don't fragment" is set, an urgent
/// pointer without URG (which the kernel's GRO does not look at either), and which of the two representations of zero a
/// right checksum has.
private func comparable(_ packet: [UInt8]) -> [UInt8] {
    var copy = packet
    if packet[0] >> 4 == 4, packet[6] & 0x40 != 0 { copy.replaceSubrange(4..<6, with: [0, 0]) }
    let tcp = packet[0] >> 4 == 6 ? 40 : Int(packet[0] & 15) * 4
    let isTCP = packet[packet[0] >> 4 == 6 ? 6 : 9] == TransportProtocol.tcp
    if isTCP, packet.count >= tcp + 20, packet[tcp + 13] & 0x20 == 0 {
        copy.replaceSubrange(tcp + 18..<tcp + 20, with: [0, 0])
    }
    PacketFactory.fixAnyChecksums(&copy)
    return copy
}

/// What the package manager has the program start with, in place of libFuzzer's own `main`.
@_cdecl("FuzzCoalescer_main")
public func start(
    _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
    var (count, arguments) = (count, arguments)
    return runFuzzer(&count, &arguments, fuzz)
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt
