package import LinuxKit

/// Joins received TCP segments and UDP datagrams of one flow into super-packets, so that the stack handles many with
/// one pass.
///
/// The rules are those of the kernel's GRO: see ``CoalescedFlow``. What does not fit is passed on as it came. Packets
/// of one flow leave in the order in which they came.
package struct Coalescer: ~Copyable {
    /// Flows that are joined at a time.
    static let flowCapacity = 8

    /// The first `openFlows` are in use.
    private let flows: UnsafeMutablePointer<CoalescedFlow>
    private var openFlows = 0
    private var nextVictim = 0
    private var alone = ScatterList(capacity: 2)
    private let emptyHeader: UnsafeMutableRawPointer
    private let joinsDatagrams: Bool

    /// - Parameter joinsDatagrams: Whether the device takes super-packets of UDP (kernel 6.2).
    package init(joinsDatagrams: Bool) {
        self.joinsDatagrams = joinsDatagrams
        flows = .allocate(capacity: Self.flowCapacity)
        for index in 0..<Self.flowCapacity { (flows + index).initialize(to: CoalescedFlow()) }
        emptyHeader = .allocate(byteCount: VirtioNetHeader.length, alignment: 8)
        VirtioNetHeader().store(to: emptyHeader)
    }

    deinit {
        flows.deinitialize(count: Self.flowCapacity)
        flows.deallocate()
        emptyHeader.deallocate()
    }

    /// Takes one inner packet. Whatever can no longer grow is given to `output`: a packet's pieces, its virtio-net
    /// header first. The packet's bytes must stay in place, and may be written to, until it has been given out.
    package mutating func add<E: Error>(
        _ packet: InnerPacket, output: (borrowing ScatterList) throws(E) -> Void
    ) throws(E) {
        guard let candidate = CoalescingCandidate(packet), candidate.isTCP || joinsDatagrams else {
            try passOn(packet, output: output)
            return
        }
        guard let index = openFlow(of: packet) else {
            let index = try freeFlow(output: output)
            flows[index].begin(candidate)
            openFlows &+= 1
            if flows[index].isComplete { try close(index, output: output) }
            return
        }
        if !flows[index].append(candidate) {
            try flows[index].finish(output: output)
            flows[index].begin(candidate)
        }
        if flows[index].isComplete { try close(index, output: output) }
    }

    /// Gives out all that is held.
    package mutating func flush<E: Error>(output: (borrowing ScatterList) throws(E) -> Void) throws(E) {
        var index = 0
        defer { openFlows = 0 }
        while index < openFlows {
            try flows[index].finish(output: output)
            index &+= 1
        }
    }

    /// Gives out a packet as it came, behind what is held of its flow.
    private mutating func passOn<E: Error>(
        _ packet: InnerPacket, output: (borrowing ScatterList) throws(E) -> Void
    ) throws(E) {
        if packet.isFragment {
            try flush(output: output)  // to which flow it belongs cannot be told
        } else if openFlows > 0, let index = openFlow(of: packet) {
            try close(index, output: output)
        }
        alone.removeAll()
        alone.append(emptyHeader, VirtioNetHeader.length)
        alone.append(packet.bytes, packet.length)
        try output(alone)
    }

    @inline(__always)
    private func openFlow(of packet: InnerPacket) -> Int? {
        guard packet.length >= packet.headerLength &+ 4 else { return nil }
        var index = 0
        while index < openFlows {
            if flows[index].isFlow(of: packet) { return index }
            index &+= 1
        }
        return nil
    }

    /// An unused place; the flow that was there, if all are in use, is given out.
    private mutating func freeFlow<E: Error>(
        output: (borrowing ScatterList) throws(E) -> Void
    ) throws(E) -> Int {
        if openFlows == Self.flowCapacity {
            nextVictim = (nextVictim &+ 1) % Self.flowCapacity
            try close(nextVictim, output: output)
        }
        return openFlows
    }

    private mutating func close<E: Error>(
        _ index: Int, output: (borrowing ScatterList) throws(E) -> Void
    ) throws(E) {
        try flows[index].finish(output: output)
        openFlows &-= 1
        if index != openFlows { swap(&flows[index], &flows[openFlows]) }
    }
}
