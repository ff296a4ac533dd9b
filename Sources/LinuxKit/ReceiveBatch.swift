import CLinux
import Glibc

/// Datagrams taken from a socket by one `recvmmsg(2)`. Memory is allocated once. Belongs to one thread.
package struct ReceiveBatch: ~Copyable {
    /// Messages a system call.
    package static let capacity = 16
    /// The largest train of datagrams that `UDP_GRO` delivers.
    static let bytesPerMessage = 65_536

    /// One message: a datagram, or a train of datagrams of `segmentSize` bytes of which the last may be shorter.
    package struct Message {
        package let bytes: UnsafeMutableRawPointer
        package let length: Int
        package let segmentSize: Int
        /// Who sent it, network byte order.
        package let source: UInt32
        /// The outer TOS byte.
        package let typeOfService: UInt8
    }

    private let messages: UnsafeMutablePointer<clinux_message>
    private let addresses: UnsafeMutablePointer<sockaddr_in>
    private let vectors: UnsafeMutablePointer<iovec>
    private let control: UnsafeMutableRawPointer
    private let storage: UnsafeMutableRawPointer
    package private(set) var count = 0

    package init() {
        messages = .allocate(capacity: Self.capacity)
        messages.initialize(repeating: clinux_message(), count: Self.capacity)
        addresses = .allocate(capacity: Self.capacity)
        addresses.initialize(repeating: sockaddr_in(), count: Self.capacity)
        vectors = .allocate(capacity: Self.capacity)
        control = .allocate(byteCount: Self.capacity * Int(CLINUX_DATAGRAM_CONTROL_BYTES), alignment: 8)
        storage = .allocate(byteCount: Self.capacity * Self.bytesPerMessage, alignment: 4096)
        for index in 0..<Self.capacity {
            vectors[index] = iovec(iov_base: storage + index * Self.bytesPerMessage, iov_len: Self.bytesPerMessage)
            messages[index].header.msg_iov = vectors + index
            messages[index].header.msg_iovlen = 1
            messages[index].header.msg_name = UnsafeMutableRawPointer(addresses + index)
            messages[index].header.msg_control = control + index * Int(CLINUX_DATAGRAM_CONTROL_BYTES)
        }
    }

    deinit {
        messages.deallocate()
        addresses.deallocate()
        vectors.deallocate()
        control.deallocate()
        storage.deallocate()
    }

    /// Takes what is there without waiting. Returns `false` when nothing is.
    package mutating func receive(from socket: borrowing DatagramSocket) throws(SyscallError) -> Bool {
        for index in 0..<Self.capacity {
            messages[index].header.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
            messages[index].header.msg_controllen = Int(CLINUX_DATAGRAM_CONTROL_BYTES)
        }
        while true {
            let result = clinux_receive_messages(
                socket.number, messages, UInt32(Self.capacity), CInt(MSG_DONTWAIT))
            if result > 0 {
                count = Int(result)
                return true
            }
            switch -result {
            case EINTR, ECONNREFUSED: continue  // the latter: an ICMP error about something sent before
            case EAGAIN, 0:
                count = 0
                return false
            default: throw SyscallError(call: "recvmmsg", subject: "UDP socket", code: -result)
            }
        }
    }

    /// Whether there was more than the batch could take, as far as one can tell.
    package var isFull: Bool { count == Self.capacity }

    package subscript(_ index: Int) -> Message {
        var segment: CInt = 0
        var typeOfService: UInt8 = 0
        clinux_get_datagram_control(&messages[index].header, &segment, &typeOfService)
        let length = Int(messages[index].length)
        return Message(
            bytes: storage + index &* Self.bytesPerMessage, length: length,
            segmentSize: segment > 0 ? Int(segment) : max(length, 1), source: addresses[index].sin_addr.s_addr,
            typeOfService: typeOfService)
    }
}
