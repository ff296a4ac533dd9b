import CLinux
import Glibc

/// One netlink message as it is being put together: header, the family's fixed part, attributes (netlink(7),
/// rtnetlink(7)).
///
/// Everything is in host byte order except where the family says otherwise (addresses).
package struct NetlinkMessage: Sendable {
    /// The message so far; its length and sequence number are filled in when it is sent.
    package private(set) var bytes: [UInt8]

    /// The `nlmsg_type`, such as `RTM_NEWLINK`.
    package let type: UInt16

    package init(_ type: some BinaryInteger, flags: CInt) {
        self.type = UInt16(type)
        bytes = []
        append(UInt32(0))
        withUnsafeBytes(of: self.type) { bytes += $0 }  // not padded: two halves of four bytes
        withUnsafeBytes(of: UInt16(NLM_F_REQUEST | flags)) { bytes += $0 }
        append(UInt32(0))  // sequence
        append(UInt32(0))  // port: the kernel's
    }

    /// Adds the bytes of a fixed-layout value, such as `ifinfomsg`, padded to 4.
    package mutating func append<T: BitwiseCopyable>(_ value: T) {
        withUnsafeBytes(of: value) { bytes += $0 }
        pad()
    }

    /// Adds an attribute that holds a fixed-layout value.
    package mutating func attribute<T: BitwiseCopyable>(_ type: some BinaryInteger, _ value: T) {
        withUnsafeBytes(of: value) { attribute(type, bytes: Array($0)) }
    }

    /// Adds an attribute that holds text with a zero byte behind it.
    package mutating func attribute(_ type: some BinaryInteger, text: String) {
        attribute(type, bytes: Array(text.utf8) + [0])
    }

    /// Adds an attribute that holds bytes.
    package mutating func attribute(_ type: some BinaryInteger, bytes value: [UInt8]) {
        let length = UInt16(4 + value.count)
        withUnsafeBytes(of: length) { bytes += $0 }
        withUnsafeBytes(of: UInt16(type)) { bytes += $0 }
        bytes += value
        pad()
    }

    /// Adds an attribute that holds what `body` adds.
    package mutating func nested(_ type: some BinaryInteger, _ body: (inout NetlinkMessage) -> Void) {
        let start = bytes.count
        append(UInt32(0))
        body(&self)
        let length = UInt16(bytes.count - start)
        store(length, at: start)
        store(UInt16(type) | UInt16(NLA_F_NESTED), at: start + 2)
    }

    /// The finished message.
    package func encoded(sequence: UInt32, acknowledged: Bool) -> [UInt8] {
        var message = self
        message.store(UInt32(bytes.count), at: 0)
        if acknowledged { message.bytes[6] |= UInt8(NLM_F_ACK) }
        message.store(sequence, at: 8)
        return message.bytes
    }

    private mutating func store<T: BitwiseCopyable>(_ value: T, at offset: Int) {
        withUnsafeBytes(of: value) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
    }

    private mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }
}

/// A message from the kernel: its type and what follows the header.
package struct NetlinkReply: Sendable {
    package let type: UInt16
    package let flags: UInt16
    package let sequence: UInt32
    package let payload: [UInt8]

    /// Splits what one `recv` returned. Stops at the first message that does not fit into it.
    package static func parse(_ datagram: [UInt8]) -> [NetlinkReply] {
        var replies: [NetlinkReply] = []
        var offset = 0
        while offset + 16 <= datagram.count {
            let length = Int(datagram.loadNative(UInt32.self, at: offset))
            guard length >= 16, offset + length <= datagram.count else { break }
            replies.append(
                NetlinkReply(
                    type: datagram.loadNative(UInt16.self, at: offset + 4),
                    flags: datagram.loadNative(UInt16.self, at: offset + 6),
                    sequence: datagram.loadNative(UInt32.self, at: offset + 8),
                    payload: Array(datagram[(offset + 16)..<(offset + length)])))
            offset += (length + 3) & ~3
        }
        return replies
    }

    /// The fixed part at the start of the payload; `nil` when the payload is shorter.
    package func header<T: BitwiseCopyable>(_ type: T.Type) -> T? {
        payload.count < MemoryLayout<T>.size ? nil : payload.loadNative(type, at: 0)
    }

    /// The attributes behind a fixed part of type `T`.
    package func attributes<T: BitwiseCopyable>(after header: T.Type) -> NetlinkAttributes {
        NetlinkAttributes(payload.dropFirst((MemoryLayout<T>.size + 3) & ~3))
    }
}

/// Attributes of a message or of a nested attribute, by type. Of several with one type the last counts.
package struct NetlinkAttributes: Sendable {
    private var values: [UInt16: ArraySlice<UInt8>] = [:]

    /// Takes attributes as long as they fit into `bytes`.
    package init(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while rest.count >= 4 {
            let flat = Array(rest.prefix(4))
            let length = Int(flat.loadNative(UInt16.self, at: 0))
            guard length >= 4, length <= rest.count else { return }
            let type = flat.loadNative(UInt16.self, at: 2) & 0x3FFF  // NLA_TYPE_MASK
            values[type] = rest.dropFirst(4).prefix(length - 4)
            rest = rest.dropFirst((length + 3) & ~3)
        }
    }

    package func bytes(_ type: some BinaryInteger) -> ArraySlice<UInt8>? { values[UInt16(type)] }

    /// A fixed-layout value in host byte order; `nil` when absent or too short.
    package func value<T: BitwiseCopyable>(_ type: some BinaryInteger, as: T.Type) -> T? {
        guard let slice = values[UInt16(type)], slice.count >= MemoryLayout<T>.size else { return nil }
        return Array(slice).loadNative(T.self, at: 0)
    }

    /// Text without the zero byte at its end.
    package func text(_ type: some BinaryInteger) -> String? {
        values[UInt16(type)].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    package func nested(_ type: some BinaryInteger) -> NetlinkAttributes? {
        values[UInt16(type)].map(NetlinkAttributes.init)
    }
}

extension [UInt8] {
    /// A value from any alignment, in host byte order. The caller has checked that it lies inside.
    func loadNative<T: BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T {
        withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
    }
}
