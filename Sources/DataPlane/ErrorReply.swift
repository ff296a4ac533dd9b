import LinuxKit

/// Makes the ICMP errors about packets that cannot go on, to be given back to the device they came from.
///
/// They seem to come from the network address of the destination's prefix, which is the far end of the tunnel, or from
/// the destination itself where there is no such prefix: the kernel takes no packet from the device whose source is an
/// address of its own. Held to a rate, as in the kernel (`icmp_msgs_per_sec`). Owned by one thread.
struct ErrorReply: ~Copyable {
    enum Cause {
        /// The hop limit is used up.
        case timeExceeded
        /// More bytes than the way to the peer takes.
        case tooBig(mtu: Int)
        /// No peer owns the destination.
        case noRoute
    }

    /// The most bytes of an error: IPv6's least MTU (RFC 4443 section 2.4 (c)); for IPv4 see ``quoted4``.
    static let capacity = 1280
    /// Bytes of the packet that an IPv4 error quotes: 576 in all (RFC 1812 section 4.3.2.3).
    static let quoted4 = 576 - 28
    /// Errors a second in the long run, and at once.
    static let rate = 1000
    static let burst = 50

    private let buffer: UnsafeMutableRawPointer
    private var pieces = ScatterList(capacity: 2)
    private var tokens = burst
    private var refilledAt = CoarseClock.milliseconds

    init() {
        buffer = .allocate(byteCount: VirtioNetHeader.length + Self.capacity, alignment: 8)
        VirtioNetHeader().store(to: buffer)
    }

    deinit { buffer.deallocate() }

    /// Writes an error about `packet`, as it was before its hop limit was changed, to `device`; or does nothing, when
    /// there must not be one or there have been too many.
    ///
    /// - Parameter view: Knows the destination.
    mutating func send(
        _ cause: Cause, about packet: InnerPacket, view: ForwardingView, to device: borrowing TUNDevice
    ) throws(SyscallError) {
        guard Self.isAllowed(about: packet), takeToken() else { return }
        let message = buffer + VirtioNetHeader.length
        let length =
            packet.isIPv6
            ? Self.write6(cause, about: packet, view: view, to: message)
            : Self.write4(cause, about: packet, view: view, to: message)
        pieces.removeAll()
        pieces.append(buffer, VirtioNetHeader.length + length)
        _ = try device.write(pieces)
    }

    private mutating func takeToken() -> Bool {
        let now = CoarseClock.milliseconds
        let earned = (now &- refilledAt) &* Self.rate / 1000
        if earned > 0 {
            tokens = min(Self.burst, tokens &+ earned)
            refilledAt = now
        }
        guard tokens > 0 else { return false }
        tokens &-= 1
        return true
    }

    /// No errors about errors, about later fragments, or to what is no one host (RFC 1122 section 3.2.2, RFC 4443
    /// section 2.4 (e)).
    private static func isAllowed(about packet: InnerPacket) -> Bool {
        let header = packet.header
        if packet.isIPv6 {
            let source = header.bigEndian64(IPv6Header.sourceOffset)
            guard source >> 56 != 0xFF, source | header.bigEndian64(IPv6Header.sourceOffset + 8) != 0,
                header.byte(IPv6Header.destinationOffset) != 0xFF
            else { return false }
            if packet.transport == TransportProtocol.icmp6 {
                return packet.length > packet.headerLength && header.byte(packet.headerLength) >= 128
            }
            return packet.transport != IPv6Header.fragment
                || (packet.length >= packet.headerLength &+ 8 && header.bigEndian16(packet.headerLength &+ 2) >> 3 == 0)
        }
        let source = header.byte(IPv4Header.sourceOffset)
        guard source != 0, source != 127, source < 224, header.byte(IPv4Header.destinationOffset) < 224,
            header.bigEndian16(IPv4Header.fragmentOffset) & 0x1FFF == 0
        else { return false }
        guard packet.transport == TransportProtocol.icmp else { return true }
        guard packet.length > packet.headerLength else { return false }
        switch header.byte(packet.headerLength) {
        case 0, 8, 13, 14: return true  // echo and timestamp, and their replies
        default: return false
        }
    }

    /// RFC 792, with the MTU of RFC 1191 section 4. Returns the length.
    private static func write4(
        _ cause: Cause, about packet: InnerPacket, view: ForwardingView, to message: UnsafeMutableRawPointer
    ) -> Int {
        let destination = packet.header.bigEndian32(IPv4Header.destinationOffset)
        let source = view.prefixes.lookup(destination)?.prefix ?? destination
        let quoted = min(packet.length, quoted4)
        let length = 28 &+ quoted
        message.initializeMemory(as: UInt8.self, repeating: 0, count: 28)
        message.storeBigEndian(UInt16(0x45C0), 0)  // internetwork control, as the kernel marks its errors
        message.storeBigEndian(UInt16(length), IPv4Header.totalLengthOffset)
        message.storeBytes(of: 64, toByteOffset: IPv4Header.timeToLiveOffset, as: UInt8.self)
        message.storeBytes(of: TransportProtocol.icmp, toByteOffset: IPv4Header.protocolOffset, as: UInt8.self)
        message.storeBigEndian(source, IPv4Header.sourceOffset)
        (message + IPv4Header.destinationOffset).copyMemory(
            from: packet.header + IPv4Header.sourceOffset, byteCount: 4)
        var sum = InternetChecksum()
        sum.add(message, IPv4Header.minimumLength)
        message.storeBytes(of: sum.checksum, toByteOffset: IPv4Header.checksumOffset, as: UInt16.self)
        let icmp = message + IPv4Header.minimumLength
        switch cause {
        case .timeExceeded:
            icmp.storeBytes(of: 11, as: UInt8.self)
        case .tooBig(let mtu):
            icmp.storeBigEndian(UInt16(0x0304), 0)  // destination unreachable, fragmentation needed
            icmp.storeBigEndian(UInt16(clamping: mtu), 6)
        case .noRoute:
            icmp.storeBytes(of: 3, as: UInt8.self)
        }
        (icmp + 8).copyMemory(from: packet.header, byteCount: quoted)
        var icmpSum = InternetChecksum()
        icmpSum.add(icmp, 8 &+ quoted)
        icmp.storeBytes(of: icmpSum.checksum, toByteOffset: 2, as: UInt16.self)
        return length
    }

    /// RFC 4443 section 3. Returns the length.
    private static func write6(
        _ cause: Cause, about packet: InnerPacket, view: ForwardingView, to message: UnsafeMutableRawPointer
    ) -> Int {
        let destination = PrefixBits6(loadedFrom: packet.header + IPv6Header.destinationOffset)
        let source = view.prefixes6.lookup(destination)?.prefix ?? destination
        let quoted = min(packet.length, capacity &- 48)
        message.initializeMemory(as: UInt8.self, repeating: 0, count: 48)
        message.storeBigEndian(UInt16(0x6000), 0)
        message.storeBigEndian(UInt16(8 &+ quoted), IPv6Header.payloadLengthOffset)
        message.storeBytes(of: TransportProtocol.icmp6, toByteOffset: IPv6Header.nextHeaderOffset, as: UInt8.self)
        message.storeBytes(of: 64, toByteOffset: IPv6Header.hopLimitOffset, as: UInt8.self)
        message.storeBytes(of: source.high.bigEndian, toByteOffset: IPv6Header.sourceOffset, as: UInt64.self)
        message.storeBytes(of: source.low.bigEndian, toByteOffset: IPv6Header.sourceOffset + 8, as: UInt64.self)
        (message + IPv6Header.destinationOffset).copyMemory(
            from: packet.header + IPv6Header.sourceOffset, byteCount: 16)
        let icmp = message + IPv6Header.length
        switch cause {
        case .timeExceeded:
            icmp.storeBytes(of: 3, as: UInt8.self)
        case .tooBig(let mtu):
            icmp.storeBytes(of: 2, as: UInt8.self)
            icmp.storeBigEndian(UInt32(clamping: mtu), 4)
        case .noRoute:
            icmp.storeBytes(of: 1, as: UInt8.self)
        }
        (icmp + 8).copyMemory(from: packet.header, byteCount: quoted)
        var sum = InternetChecksum.pseudoHeader(
            message, isIPv6: true, transport: TransportProtocol.icmp6, length: 8 &+ quoted)
        sum.add(icmp, 8 &+ quoted)
        icmp.storeBytes(of: sum.checksum, toByteOffset: 2, as: UInt16.self)
        return IPv6Header.length &+ 8 &+ quoted
    }
}
