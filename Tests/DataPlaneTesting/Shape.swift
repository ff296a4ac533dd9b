import DataPlane

/// A super-packet's shape, and what is special about it.
package struct Shape: Sendable, CustomStringConvertible {
    package var isIPv6: Bool
    package var isTCP: Bool
    package var payload: Int
    package var size: Int
    package var options: Int
    package var flags: UInt8
    package var remark: String

    package init(
        isIPv6: Bool = false, isTCP: Bool = true, payload: Int, size: Int, options: Int = 12,
        flags: UInt8 = TCPHeader.ack, remark: String = ""
    ) {
        self.isIPv6 = isIPv6
        self.isTCP = isTCP
        self.payload = payload
        self.size = size
        self.options = options
        self.flags = flags
        self.remark = remark
    }

    package var factory: PacketFactory {
        PacketFactory(isIPv6: isIPv6, isTCP: isTCP, payload: payload, options: options, flags: flags)
    }
    package var description: String {
        "\(isTCP ? "TCP" : "UDP") over IPv\(isIPv6 ? 6 : 4), \(payload) bytes in segments of \(size), \(remark)"
    }

    package static let all: [Shape] = [
        Shape(payload: 64_000, size: 1420, remark: "as large as they come"),
        Shape(payload: 1420, size: 1420, remark: "a segment exactly"),
        Shape(payload: 1421, size: 1420, remark: "the least that is cut"),
        Shape(payload: 2840, size: 1420, remark: "no remainder"),
        Shape(payload: 999, size: 1, options: 0, remark: "one byte each"),
        Shape(payload: 8_000, size: 1001, flags: TCPHeader.ack | TCPHeader.psh, remark: "odd size, PSH at the end"),
        Shape(payload: 8_000, size: 1000, flags: TCPHeader.ack | TCPHeader.fin, remark: "FIN at the end"),
        Shape(payload: 8_000, size: 1000, flags: TCPHeader.ack | TCPHeader.ece, remark: "ECE on all"),
        Shape(payload: 5_000, size: 1000, options: 40, remark: "all the options there can be"),
        Shape(isIPv6: true, payload: 60_000, size: 1400, remark: ""),
        Shape(isIPv6: true, payload: 3_001, size: 1000, options: 0, flags: TCPHeader.ack | TCPHeader.psh),
        Shape(isTCP: false, payload: 40_000, size: 1400, remark: ""),
        Shape(isTCP: false, payload: 640, size: 64, remark: "small datagrams"),
        Shape(isIPv6: true, isTCP: false, payload: 12_345, size: 1111, remark: ""),
    ]
}
