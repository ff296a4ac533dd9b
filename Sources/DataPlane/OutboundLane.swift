import Addressing
import LinuxKit

/// The way out of one queue: packets from the TUN device, cut to size, to the peers. Owned by one thread.
struct OutboundLane: ~Copyable {
    /// Packets read before they are sent: few enough to stay in the cache, enough to spread the cost of a system call.
    static let slots = 32
    /// A super-packet with its virtio-net header, rounded up to whole pages.
    static let slotBytes = 69_632

    private let buffers: UnsafeMutableRawPointer
    private var batch = TransmitBatch()
    private var table: ForwardingTable
    private var tally = LaneTally()

    init() {
        buffers = .allocate(byteCount: Self.slots * Self.slotBytes, alignment: 4096)
        table = ForwardingTable(routes: [])
    }

    deinit { buffers.deallocate() }

    /// Moves packets until `wake` is given.
    mutating func run(
        from device: borrowing TUNDevice, to socket: borrowing DatagramSocket, wake: CInt, mailbox: TableMailbox,
        counters: LaneCounters
    ) throws(SyscallError) {
        while true {
            if let new = mailbox.take() { table = new }
            if try moveBatch(from: device, to: socket) {
                counters.publish(tally)
            } else {
                guard try waitUntilReadable(device.number, unless: wake) else { return }
            }
        }
    }

    /// Reads what is there, up to a batch, and sends it. Returns `false` when there was nothing.
    private mutating func moveBatch(
        from device: borrowing TUNDevice, to socket: borrowing DatagramSocket
    ) throws(SyscallError) -> Bool {
        let view = table.view
        var slot = 0
        while slot < Self.slots {
            let buffer = buffers + slot &* Self.slotBytes
            guard let count = try device.read(into: buffer, count: Self.slotBytes) else { break }
            slot &+= 1
            if count > VirtioNetHeader.length {
                try queue(buffer, count: count, view: view, socket: socket)
            } else {
                tally.malformed &+= 1
            }
        }
        guard slot > 0 else { return false }
        try send(on: socket)
        return true
    }

    private mutating func queue(
        _ buffer: UnsafeMutableRawPointer, count: Int, view: ForwardingView, socket: borrowing DatagramSocket
    ) throws(SyscallError) {
        let header = VirtioNetHeader(loadedFrom: buffer)
        let packet = buffer + VirtioNetHeader.length
        let length = count &- VirtioNetHeader.length
        guard isWholeIPv4(packet, length: length) else {
            tally.malformed &+= 1
            return
        }
        guard let entry = view.lookup(UnsafeRawPointer(packet).bigEndian32(IPv4Header.destinationOffset)) else {
            tally.noRoute &+= 1
            return
        }
        let segments = Segmenter.segmentCount(packet, length: length, header: header)
        guard segments > 0 else {
            tally.malformed &+= 1
            return
        }
        if !batch.hasRoom(segments: segments, headerBytes: Segmenter.maximumHeaders) { try send(on: socket) }
        guard batch.hasRoom(segments: segments, headerBytes: Segmenter.maximumHeaders) else {
            tally.malformed &+= 1  // only a super-packet cut finer than any sane segment size gets here
            return
        }
        Segmenter.queue(
            packet, length: length, header: header,
            to: .init(
                endpoint: entry.endpoint, port: entry.port,
                typeOfService: packet.load(fromByteOffset: IPv4Header.typeOfServiceOffset, as: UInt8.self)),
            on: &batch)
    }

    private mutating func send(on socket: borrowing DatagramSocket) throws(SyscallError) {
        try batch.send(on: socket)
        tally.packets = batch.sent
        tally.bytes = batch.sentBytes
        tally.refused = batch.refused
    }
}

/// Whether `packet` is IPv4 with a header that fits and a total length of exactly `length` bytes.
@inline(__always)
func isWholeIPv4(_ packet: UnsafeRawPointer, length: Int) -> Bool {
    guard length >= IPv4Header.minimumLength, packet.load(as: UInt8.self) >> 4 == 4 else { return false }
    let headerLength = IPv4Header.length(packet)
    return headerLength >= IPv4Header.minimumLength && headerLength <= length
        && IPv4Header.totalLength(packet) == length
}
