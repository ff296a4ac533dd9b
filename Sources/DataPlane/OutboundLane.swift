import Addressing
package import LinuxKit

/// The way out of one queue: packets from the TUN device, cut to size, to the peers. Owned by one thread.
package struct OutboundLane: ~Copyable {
    /// Packets read before they are sent: enough to spread the cost of a system call, few enough not to keep the first
    /// one waiting.
    static let packetsPerBatch = 64
    /// A super-packet with its virtio-net header, rounded up to whole pages.
    static let largestPacket = 69_632
    /// Packets are read one behind the other, so that small ones share what the cache holds.
    static let bufferBytes = 16 * largestPacket
    /// Where a packet with its virtio-net header is put from a cache line's start, so that the packet starts with one.
    private static let lead = 64 - VirtioNetHeader.length

    private let buffer: UnsafeMutableRawPointer
    /// One for each socket.
    private let batches: UnsafeMutablePointer<TransmitBatch>
    private let socketCount: Int
    private var table: ForwardingTable
    private var tally = LaneTally()
    private var errors = ErrorReply()
    private var limits = PathLimits()

    /// - Parameter sockets: How many sockets packets are spread over, by flow.
    package init(sockets: Int = 1) {
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 4096)
        socketCount = sockets
        batches = .allocate(capacity: sockets)
        for index in 0..<sockets { (batches + index).initialize(to: TransmitBatch()) }
        table = ForwardingTable(routes: [])
    }

    deinit {
        buffer.deallocate()
        batches.deinitialize(count: socketCount)
        batches.deallocate()
    }

    /// Takes up a new table, if there is one, reads what is there, up to a batch, and sends it.
    ///
    /// - Parameter sockets: As many as the lane was made for.
    /// - Returns: Whether there may be more to read.
    package mutating func moveBatch(
        from device: borrowing TUNDevice, to sockets: borrowing DatagramSocketGroup, mailbox: TableMailbox,
        counters: LaneCounters
    ) throws(SyscallError) -> Bool {
        if let new = mailbox.take() { table = new }
        let view = table.view
        var used = 0
        var packets = 0
        var isDrained = false
        while packets < Self.packetsPerBatch, used &+ Self.largestPacket <= Self.bufferBytes {
            let place = buffer + used + Self.lead
            guard let count = try device.read(into: place, count: Self.largestPacket - 64) else {
                isDrained = true
                break
            }
            packets &+= 1
            try queue(place, count: count, view: view, device: device, sockets: sockets)
            used &+= (Self.lead &+ count &+ 63) & ~63
        }
        guard packets > 0 else { return false }
        try sendAll(on: sockets)
        counters.publish(tally)
        return !isDrained
    }

    private mutating func queue(
        _ place: UnsafeMutableRawPointer, count: Int, view: ForwardingView, device: borrowing TUNDevice,
        sockets: borrowing DatagramSocketGroup
    ) throws(SyscallError) {
        guard count > VirtioNetHeader.length,
            let packet = InnerPacket(place + VirtioNetHeader.length, length: count &- VirtioNetHeader.length)
        else {
            tally.drop(.malformed)
            return
        }
        let header = VirtioNetHeader(loadedFrom: place)
        guard let peer = view.peer(for: packet) else {
            tally.drop(.noRoute)
            try errors.send(.noRoute, about: packet, view: view, to: device)
            return
        }
        guard packet.hopLimit > 1 else {
            tally.drop(.expired)
            try errors.send(.timeExceeded, about: packet, view: view, to: device)
            return
        }
        let segmenter = Segmenter(packet, header)
        guard segmenter != nil || Segmenter.isWhole(header) else {
            tally.drop(.malformed)
            return
        }
        if peer.mtu != 0 || !limits.isEmpty {
            let size = segmenter.map { $0.headersLength &+ $0.segmentSize } ?? packet.length
            if let mtu = limit(peer), size > mtu, packet.mustNotBeFragmented {
                tally.drop(.tooBig, UInt64(segmenter?.count ?? 1))
                try errors.send(.tooBig(mtu: mtu), about: packet, view: view, to: device)
                return
            }
        }
        let index = socketCount == 1 ? 0 : Int(packet.flowHash) % socketCount
        let segments = segmenter?.count ?? 1
        if !batches[index].hasRoom(segments: segments, headerBytes: Segmenter.maximumHeaders) {
            try batches[index].send(on: sockets[index])
            guard batches[index].hasRoom(segments: segments, headerBytes: Segmenter.maximumHeaders) else {
                tally.drop(.malformed)  // only a super-packet cut finer than any sane segment size gets here
                return
            }
        }
        packet.decrementHopLimit()
        if let segmenter {
            append(segmenter, of: packet, to: peer, on: &batches[index])
        } else if Segmenter.finishChecksum(packet, header) {
            batches[index].append(
                head: packet.bytes, packet.length, tail: nil, 0, endpoint: peer.endpoint, port: peer.port,
                typeOfService: packet.trafficClass)
        } else {
            tally.drop(.malformed)
        }
    }

    @inline(__always)
    private func append(
        _ segmenter: Segmenter, of packet: InnerPacket, to peer: PeerAddress, on batch: inout TransmitBatch
    ) {
        let typeOfService = packet.trafficClass
        var index = 0
        while index < segmenter.count {
            let headers = batch.takeHeader(segmenter.headersLength)
            segmenter.writeHeaders(of: index, to: headers)
            let payload = segmenter.payload(of: index)
            batch.append(
                head: headers, segmenter.headersLength, tail: packet.bytes + payload.offset, payload.length,
                endpoint: peer.endpoint, port: peer.port, typeOfService: typeOfService)
            index &+= 1
        }
    }

    /// The largest inner packet that reaches the peer, if less than the device's MTU is known to.
    private mutating func limit(_ peer: PeerAddress) -> Int? {
        let learnt = limits.limit(peer.endpoint).map { $0 &- TunnelEngine.encapsulationBytes }
        guard peer.mtu != 0 else { return learnt }
        return min(Int(peer.mtu), learnt ?? Int.max)
    }

    private mutating func sendAll(on sockets: borrowing DatagramSocketGroup) throws(SyscallError) {
        var (packets, bytes, refused) = (UInt64(0), UInt64(0), UInt64(0))
        var index = 0
        while index < socketCount {
            if !batches[index].isEmpty { try batches[index].send(on: sockets[index]) }
            while let report = batches[index].takeReport() { limits.learn(report.endpoint, bytes: report.mtu) }
            packets &+= batches[index].sent
            bytes &+= batches[index].sentBytes
            refused &+= batches[index].refused
            index &+= 1
        }
        tally.packets = packets
        tally.bytes = bytes
        tally.drops[DropReason.refusedByUnderlay.rawValue] = refused
    }
}
