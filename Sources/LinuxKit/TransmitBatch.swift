import CLinux
import Glibc

/// Datagrams waiting for one `sendmmsg(2)`. Consecutive datagrams for one peer that have one size travel as one
/// message, which the kernel cuts up (`UDP_SEGMENT`), or hands on whole to whoever can.
///
/// All memory is allocated once. Payloads are not copied: they must stay in place until ``send(on:)`` returns.
/// Belongs to one thread.
package struct TransmitBatch: ~Copyable {
    /// Messages a system call.
    package static let messageCapacity = 64
    /// Pieces in all messages together: 32 super-packets of 45 segments with two pieces each fit.
    package static let pieceCapacity = 4096
    /// Bytes for headers made here: 2048 segments with 20 bytes IP and 60 bytes TCP header.
    package static let headerCapacity = 2048 * 80
    /// Most datagrams that the kernel takes in one message (`UDP_MAX_SEGMENTS` before kernel 6.11).
    static let segmentsPerMessage = 64
    /// Most bytes of a message: 65,535 less the outer IP and UDP headers.
    static let bytesPerMessage = 65_507

    /// The largest outer packet that reaches a peer, as a router on the way said, or the route.
    package struct PathReport: BitwiseCopyable {
        /// Network byte order.
        package var endpoint: UInt32
        package var mtu: Int
    }

    private struct Pending {
        var segmentSize: Int
        var segments: Int
        var bytes: Int
        var firstPiece: Int
        var typeOfService: UInt8
        /// A datagram shorter than the others ends a message.
        var closed: Bool
    }

    private let messages: UnsafeMutablePointer<clinux_message>
    private let addresses: UnsafeMutablePointer<sockaddr_in>
    private let pending: UnsafeMutablePointer<Pending>
    private let pieces: UnsafeMutablePointer<iovec>
    private let control: UnsafeMutableRawPointer
    private let headers: UnsafeMutableRawPointer
    private var messageCount = 0
    private var pieceCount = 0
    private var headerBytes = 0
    /// Off once the kernel said that the outgoing device cannot do it.
    private var segmentationOffload = true

    /// What came back of datagrams too big for their way; taken by ``takeReport()``.
    private var reports = InlineArray<8, PathReport>(repeating: PathReport(endpoint: 0, mtu: 0))
    private var reportCount = 0

    /// Datagrams the kernel took.
    package private(set) var sent: UInt64 = 0
    /// Bytes in them.
    package private(set) var sentBytes: UInt64 = 0
    /// Datagrams the kernel refused: no route, too big for the path, forbidden by a rule.
    package private(set) var refused: UInt64 = 0

    package init() {
        messages = .allocate(capacity: Self.messageCapacity)
        messages.initialize(repeating: clinux_message(), count: Self.messageCapacity)
        addresses = .allocate(capacity: Self.messageCapacity)
        addresses.initialize(repeating: sockaddr_in(), count: Self.messageCapacity)
        pending = .allocate(capacity: Self.messageCapacity)
        pieces = .allocate(capacity: Self.pieceCapacity)
        control = .allocate(byteCount: Self.messageCapacity * Int(CLINUX_DATAGRAM_CONTROL_BYTES), alignment: 8)
        headers = .allocate(byteCount: Self.headerCapacity, alignment: 64)
        for index in 0..<Self.messageCapacity {
            addresses[index].sin_family = sa_family_t(AF_INET)
            messages[index].header.msg_name = UnsafeMutableRawPointer(addresses + index)
            messages[index].header.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
        }
    }

    deinit {
        messages.deallocate()
        addresses.deallocate()
        pending.deallocate()
        pieces.deallocate()
        control.deallocate()
        headers.deallocate()
    }

    package var isEmpty: Bool { messageCount == 0 }

    /// Whether `segments` more datagrams fit, each with at most `headerBytes` of new headers.
    package func hasRoom(segments: Int, headerBytes: Int) -> Bool {
        let messagesNeeded = segmentationOffload ? segments / Self.segmentsPerMessage &+ 2 : segments
        return messageCount &+ messagesNeeded <= Self.messageCapacity
            && pieceCount &+ 2 &* segments <= Self.pieceCapacity
            && self.headerBytes &+ segments &* headerBytes <= Self.headerCapacity
    }

    /// Takes `count` bytes of header space, which stay valid until the batch is sent.
    package mutating func takeHeader(_ count: Int) -> UnsafeMutableRawPointer {
        precondition(headerBytes &+ count <= Self.headerCapacity, "header space used up: ask hasRoom first")
        defer { headerBytes &+= count }
        return headers + headerBytes
    }

    /// Queues one datagram of one or two pieces.
    ///
    /// - Parameters:
    ///   - head: Its first bytes.
    ///   - tail: What follows, or `nil`.
    ///   - endpoint: Where to, network byte order.
    ///   - port: Network byte order.
    ///   - typeOfService: The outer TOS byte.
    package mutating func append(
        head: UnsafeMutableRawPointer, _ headLength: Int, tail: UnsafeMutableRawPointer?, _ tailLength: Int,
        endpoint: UInt32, port: UInt16, typeOfService: UInt8
    ) {
        let length = headLength &+ tailLength
        if !joinsLast(length, endpoint: endpoint, port: port, typeOfService: typeOfService) {
            precondition(messageCount < Self.messageCapacity, "message space used up: ask hasRoom first")
            addresses[messageCount].sin_addr.s_addr = endpoint
            addresses[messageCount].sin_port = port
            pending[messageCount] = Pending(
                segmentSize: length, segments: 1, bytes: length, firstPiece: pieceCount, typeOfService: typeOfService,
                closed: false)
            messageCount &+= 1
        } else {
            let last = messageCount &- 1
            pending[last].segments &+= 1
            pending[last].bytes &+= length
            if length < pending[last].segmentSize { pending[last].closed = true }
        }
        pieces[pieceCount] = iovec(iov_base: head, iov_len: headLength)
        pieceCount &+= 1
        if let tail {
            pieces[pieceCount] = iovec(iov_base: tail, iov_len: tailLength)
            pieceCount &+= 1
        }
    }

    private func joinsLast(_ length: Int, endpoint: UInt32, port: UInt16, typeOfService: UInt8) -> Bool {
        guard messageCount > 0, segmentationOffload else { return false }
        let last = messageCount &- 1
        let open = pending[last]
        return !open.closed && length <= open.segmentSize && open.segments < Self.segmentsPerMessage
            && open.bytes &+ length <= Self.bytesPerMessage && open.typeOfService == typeOfService
            && addresses[last].sin_addr.s_addr == endpoint && addresses[last].sin_port == port
    }

    /// Sends everything queued, waiting for room in the socket where needed, and empties the batch.
    ///
    /// - Throws: Only for a socket that cannot be used any more; a datagram that the kernel refuses is counted.
    package mutating func send(on socket: borrowing DatagramSocket) throws(SyscallError) {
        defer {
            messageCount = 0
            pieceCount = 0
            headerBytes = 0
        }
        for index in 0..<messageCount { prepare(index) }
        var next = 0
        var hasRetried = false
        while next < messageCount {
            let result = clinux_send_messages(
                socket.number, messages + next, UInt32(messageCount &- next), CInt(MSG_NOSIGNAL))
            if result > 0 {
                for index in next..<(next &+ Int(result)) { count(index) }
                next &+= Int(result)
                hasRetried = false
                continue
            }
            switch -result {
            case EINTR:
                continue
            case EBADF, ENOTSOCK, EFAULT:
                throw SyscallError(call: "sendmmsg", subject: "UDP socket", code: -result)
            case _ where takeErrors(of: socket) && !hasRetried:
                hasRetried = true  // the call reported what an earlier datagram met, and did not send this one
            case EIO where pending[next].segments > 1, EINVAL where pending[next].segments > 1,
                EMSGSIZE where pending[next].segments > 1:
                // EIO: the outgoing device cannot checksum, so that the kernel cannot segment for it. The others: these
                // segments do not fit the way's MTU. See udp_send_skb() in net/ipv4/udp.c.
                if -result == EIO { segmentationOffload = false }
                try sendSingly(next, on: socket)
                next &+= 1
                hasRetried = false
            default:
                refused &+= UInt64(pending[next].segments)
                next &+= 1
                hasRetried = false
            }
        }
    }

    /// Takes what the last calls to ``send(on:)`` were told of the ways' MTUs, or returns `nil`.
    package mutating func takeReport() -> PathReport? {
        guard reportCount > 0 else { return nil }
        reportCount &-= 1
        return reports[reportCount]
    }

    /// Empties the socket's list of errors. Returns whether there were any.
    private mutating func takeErrors(of socket: borrowing DatagramSocket) -> Bool {
        var found = false
        while let error = socket.takeError() {
            found = true
            guard error.code == EMSGSIZE, error.mtu > 0, reportCount < reports.count else { continue }
            reports[reportCount] = PathReport(endpoint: error.destination, mtu: error.mtu)
            reportCount &+= 1
        }
        return found
    }

    private func prepare(_ index: Int) {
        let message = pending[index]
        let end = index &+ 1 < messageCount ? pending[index &+ 1].firstPiece : pieceCount
        messages[index].header.msg_iov = pieces + message.firstPiece
        messages[index].header.msg_iovlen = end &- message.firstPiece
        let space = control + index &* Int(CLINUX_DATAGRAM_CONTROL_BYTES)
        let used =
            message.segments == 1 && message.typeOfService == 0
            ? 0
            : clinux_put_datagram_control(
                space, message.segments > 1 ? UInt16(message.segmentSize) : 0, message.typeOfService)
        messages[index].header.msg_control = used == 0 ? nil : space
        messages[index].header.msg_controllen = used
    }

    private mutating func count(_ index: Int) {
        sent &+= UInt64(pending[index].segments)
        sentBytes &+= UInt64(pending[index].bytes)
    }

    /// Sends the datagrams of one message each by itself.
    private mutating func sendSingly(_ index: Int, on socket: borrowing DatagramSocket) throws(SyscallError) {
        let whole = pending[index]
        let end = index &+ 1 < messageCount ? pending[index &+ 1].firstPiece : pieceCount
        let space = control + index &* Int(CLINUX_DATAGRAM_CONTROL_BYTES)
        let used = whole.typeOfService == 0 ? 0 : clinux_put_datagram_control(space, 0, whole.typeOfService)
        var single = messages[index]
        single.header.msg_control = used == 0 ? nil : space
        single.header.msg_controllen = used
        var piece = whole.firstPiece
        while piece < end {
            let first = piece
            var length = 0
            repeat {
                length &+= pieces[piece].iov_len
                piece &+= 1
            } while piece < end && length < whole.segmentSize
            single.header.msg_iov = pieces + first
            single.header.msg_iovlen = piece &- first
            var result: CInt
            var mayRetry = true
            while true {
                result = clinux_send_messages(socket.number, &single, 1, CInt(MSG_NOSIGNAL))
                if result == -EINTR { continue }
                // Once only: a rule on this machine may refuse each datagram with an error of its own.
                guard result < 0, result != -EBADF, mayRetry, takeErrors(of: socket) else { break }
                mayRetry = false
            }
            if result == 1 {
                sent &+= 1
                sentBytes &+= UInt64(length)
            } else if result == -EBADF {
                throw SyscallError(call: "sendmmsg", subject: "UDP socket", code: EBADF)
            } else {
                refused &+= 1
            }
        }
    }
}
