package import LinuxKit

/// Joins received TCP segments of one flow into super-packets, so that the stack handles many with one pass.
///
/// The rules are those of the kernel's GRO (`tcp_gro_receive`, `inet_gro_receive`): the same flow, options, window,
/// acknowledgement, TOS and TTL, consecutive sequence numbers, full-sized segments with a shorter one only at the
/// end, nothing but ACK and PSH in the flags, and a checksum that is right. What does not fit is passed on as it came.
package struct Coalescer: ~Copyable {
    /// Most segments in one super-packet, and most bytes, as in the kernel.
    static let maximumSegments = 64
    static let maximumBytes = 65_535

    private var pieces = ScatterList()
    private let prefix: UnsafeMutableRawPointer
    /// The first segment's headers, in the receive buffer.
    private var first: UnsafeMutableRawPointer?
    private var headersLength = 0
    private var segmentSize = 0
    private var totalLength = 0
    private var segments = 0
    private var nextSequence: UInt32 = 0
    private var closed = false

    package init() { prefix = .allocate(byteCount: VirtioNetHeader.length, alignment: 8) }
    deinit { prefix.deallocate() }

    /// Takes one inner packet. Whatever can no longer grow is given to `output`, a packet's pieces with its virtio-net
    /// header first. The packet's bytes must stay in place until it has been given out.
    ///
    /// - Parameters:
    ///   - packet: IPv4, `length` bytes in all.
    package mutating func add<E: Error>(
        _ packet: UnsafeMutableRawPointer, length: Int, output: (borrowing ScatterList) throws(E) -> Void
    ) throws(E) {
        let ipLength = IPv4Header.length(packet)
        guard Coalescer.mayGrow(packet, ipLength: ipLength, length: length) else {
            try flush(output: output)
            try passOn(packet, length: length, output: output)
            return
        }
        let headers = ipLength &+ TCPHeader.length(packet + ipLength)
        if let first, !closed, joins(packet, ipLength: ipLength, headers: headers, length: length, first: first) {
            append(packet, ipLength: ipLength, headers: headers, length: length, first: first)
            return
        }
        try flush(output: output)
        begin(packet, ipLength: ipLength, headers: headers, length: length)
    }

    /// Gives out what is held.
    package mutating func flush<E: Error>(output: (borrowing ScatterList) throws(E) -> Void) throws(E) {
        guard let first else { return }
        self.first = nil
        var header = VirtioNetHeader()
        if segments > 1 {
            let ipLength = IPv4Header.length(first)
            first.storeBigEndian(UInt16(totalLength), IPv4Header.totalLengthOffset)
            first.storeBytes(of: 0, toByteOffset: IPv4Header.checksumOffset, as: UInt16.self)
            var sum = InternetChecksum()
            sum.add(first, ipLength)
            first.storeBytes(of: sum.checksum, toByteOffset: IPv4Header.checksumOffset, as: UInt16.self)
            let partial = InternetChecksum.pseudoHeader(first, length: totalLength &- ipLength)
            (first + ipLength).storeBytes(of: partial.folded, toByteOffset: TCPHeader.checksumOffset, as: UInt16.self)
            header.flags = VirtioNetHeader.needsChecksum
            header.segmentationType = VirtioNetHeader.tcp4
            header.headerLength = UInt16(headersLength)
            header.segmentSize = UInt16(segmentSize)
            header.checksumStart = UInt16(ipLength)
            header.checksumOffset = UInt16(TCPHeader.checksumOffset)
        } else {
            header.flags = VirtioNetHeader.dataValid
        }
        header.store(to: prefix)
        try output(pieces)
    }

    private mutating func passOn<E: Error>(
        _ packet: UnsafeMutableRawPointer, length: Int, output: (borrowing ScatterList) throws(E) -> Void
    ) throws(E) {
        VirtioNetHeader().store(to: prefix)
        pieces.removeAll()
        pieces.append(prefix, VirtioNetHeader.length)
        pieces.append(packet, length)
        try output(pieces)
    }

    private mutating func begin(_ packet: UnsafeMutableRawPointer, ipLength: Int, headers: Int, length: Int) {
        first = packet
        headersLength = headers
        segmentSize = length &- headers
        totalLength = length
        segments = 1
        nextSequence =
            UnsafeRawPointer(packet).bigEndian32(ipLength &+ TCPHeader.sequenceOffset)
            &+ UInt32(truncatingIfNeeded: length &- headers)
        closed = Coalescer.flags(packet, ipLength) & TCPHeader.psh != 0
        pieces.removeAll()
        pieces.append(prefix, VirtioNetHeader.length)
        pieces.append(packet, length)
    }

    private mutating func append(
        _ packet: UnsafeMutableRawPointer, ipLength: Int, headers: Int, length: Int, first: UnsafeMutableRawPointer
    ) {
        let payload = length &- headers
        pieces.append(packet + headers, payload)
        segments &+= 1
        totalLength &+= payload
        nextSequence &+= UInt32(truncatingIfNeeded: payload)
        let push = Coalescer.flags(packet, ipLength) & TCPHeader.psh
        if push != 0 {
            let field = first + ipLength + TCPHeader.flagsOffset
            field.storeBytes(of: field.load(as: UInt8.self) | push, as: UInt8.self)
        }
        closed = push != 0 || payload < segmentSize || segments == Coalescer.maximumSegments
    }

    private func joins(
        _ packet: UnsafeMutableRawPointer, ipLength: Int, headers: Int, length: Int, first: UnsafeMutableRawPointer
    ) -> Bool {
        let payload = length &- headers
        let (old, new) = (UnsafeRawPointer(first), UnsafeRawPointer(packet))
        guard headers == headersLength, IPv4Header.length(old) == ipLength, payload <= segmentSize,
            totalLength &+ payload <= Coalescer.maximumBytes,
            new.bigEndian32(ipLength &+ TCPHeader.sequenceOffset) == nextSequence
        else { return false }
        let (oldTCP, newTCP) = (old + ipLength, new + ipLength)
        return old.bigEndian32(IPv4Header.sourceOffset) == new.bigEndian32(IPv4Header.sourceOffset)
            && old.bigEndian32(IPv4Header.destinationOffset) == new.bigEndian32(IPv4Header.destinationOffset)
            && old.load(fromByteOffset: IPv4Header.typeOfServiceOffset, as: UInt8.self)
                == new.load(fromByteOffset: IPv4Header.typeOfServiceOffset, as: UInt8.self)
            && old.load(fromByteOffset: IPv4Header.timeToLiveOffset, as: UInt8.self)
                == new.load(fromByteOffset: IPv4Header.timeToLiveOffset, as: UInt8.self)
            && old.bigEndian16(IPv4Header.fragmentOffset) == new.bigEndian16(IPv4Header.fragmentOffset)
            && identificationFollows(old, new)
            && oldTCP.bigEndian32(0) == newTCP.bigEndian32(0)  // both ports
            && oldTCP.bigEndian32(TCPHeader.acknowledgementOffset)
                == newTCP.bigEndian32(TCPHeader.acknowledgementOffset)
            && oldTCP.bigEndian16(TCPHeader.windowOffset) == newTCP.bigEndian16(TCPHeader.windowOffset)
            && equalOptions(oldTCP, newTCP, end: headers &- ipLength)
    }

    /// Consecutive, so that cutting the super-packet up again gives the same; or fixed with "don't fragment" set, where
    /// it means nothing (RFC 6864 section 4.1).
    private func identificationFollows(_ old: UnsafeRawPointer, _ new: UnsafeRawPointer) -> Bool {
        let before = old.bigEndian16(IPv4Header.identificationOffset)
        let after = new.bigEndian16(IPv4Header.identificationOffset)
        if after == before &+ UInt16(truncatingIfNeeded: segments) { return true }
        return after == before && old.bigEndian16(IPv4Header.fragmentOffset) & IPv4Header.dontFragment != 0
    }

    private func equalOptions(_ old: UnsafeRawPointer, _ new: UnsafeRawPointer, end: Int) -> Bool {
        var offset = TCPHeader.minimumLength
        while offset < end {
            if old.bigEndian32(offset) != new.bigEndian32(offset) { return false }
            offset &+= 4
        }
        return true
    }

    private static func flags(_ packet: UnsafeMutableRawPointer, _ ipLength: Int) -> UInt8 {
        packet.load(fromByteOffset: ipLength &+ TCPHeader.flagsOffset, as: UInt8.self)
    }

    /// Whether the packet is a whole TCP segment with payload, no flags but ACK and PSH, and right checksums.
    private static func mayGrow(_ packet: UnsafeMutableRawPointer, ipLength: Int, length: Int) -> Bool {
        let bytes = UnsafeRawPointer(packet)
        guard bytes.load(fromByteOffset: IPv4Header.protocolOffset, as: UInt8.self) == TransportProtocol.tcp,
            ipLength == IPv4Header.minimumLength,
            bytes.bigEndian16(IPv4Header.fragmentOffset) & IPv4Header.fragmentMask == 0,
            length > ipLength &+ TCPHeader.minimumLength
        else { return false }
        let tcp = bytes + ipLength
        let tcpLength = TCPHeader.length(tcp)
        let flags = tcp.load(fromByteOffset: TCPHeader.flagsOffset, as: UInt8.self)
        guard tcpLength >= TCPHeader.minimumLength, length > ipLength &+ tcpLength,
            flags & ~TCPHeader.psh == TCPHeader.ack
        else { return false }
        var ip = InternetChecksum()
        ip.add(bytes, ipLength)
        guard ip.checksum == 0 else { return false }
        var sum = InternetChecksum.pseudoHeader(bytes, length: length &- ipLength)
        sum.add(tcp, length &- ipLength)
        return sum.checksum == 0
    }
}
