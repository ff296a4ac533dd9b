import GRPCCore
import NIOHPACK

/// gRPC's header fields: calls, answers and trailers as HTTP/2 sees them.
///
/// Source: gRPC over HTTP/2, "Requests" and "Responses".
enum Headers {
    /// The block that opens a call.
    static func request(path: String, scheme: String, authority: String, metadata: Metadata) -> HPACKHeaders {
        var headers = HPACKHeaders()
        headers.reserveCapacity(8 + metadata.count)
        headers.add(name: ":method", value: "POST")
        headers.add(name: ":scheme", value: scheme)
        headers.add(name: ":path", value: path)
        headers.add(name: ":authority", value: authority)
        headers.add(name: "content-type", value: "application/grpc")
        headers.add(name: "te", value: "trailers")
        headers.add(name: "user-agent", value: "fjord-grpc")
        add(metadata, to: &headers)
        return headers
    }

    /// The block that opens an answer.
    static func response(_ metadata: Metadata) -> HPACKHeaders {
        var headers: HPACKHeaders = [":status": "200", "content-type": "application/grpc"]
        add(metadata, to: &headers)
        return headers
    }

    /// The block that ends an answer; `opening` where no other block was sent before.
    static func trailers(_ status: Status, _ metadata: Metadata, opening: Bool) -> HPACKHeaders {
        var headers: HPACKHeaders = opening ? [":status": "200", "content-type": "application/grpc"] : [:]
        headers.add(name: "grpc-status", value: String(status.code.rawValue))
        if !status.message.isEmpty { headers.add(name: "grpc-message", value: percentEncoded(status.message)) }
        add(metadata, to: &headers)
        return headers
    }

    /// What a peer sent besides the protocol's own fields. Binary values stay in base64; `Metadata` decodes on demand.
    static func metadata(_ headers: HPACKHeaders) -> Metadata {
        var metadata = Metadata()
        for (name, value, _) in headers {
            if name.hasPrefix(":") || name == "grpc-status" || name == "grpc-message" { continue }
            metadata.addString(value, forKey: name)
        }
        return metadata
    }

    /// The status in a block of trailers.
    static func status(_ headers: HPACKHeaders) -> Status {
        guard let text = headers.first(name: "grpc-status") else {
            return Status(code: .unknown, message: "the server ended the call without a grpc-status")
        }
        let code = Int(text).flatMap { Status.Code(rawValue: $0) } ?? .unknown
        return Status(code: code, message: percentDecoded(headers.first(name: "grpc-message") ?? ""))
    }

    private static func add(_ metadata: Metadata, to headers: inout HPACKHeaders) {
        for (key, value) in metadata { headers.add(name: key.lowercased(), value: value.encoded()) }
    }

    /// Escapes all but printable ASCII, and `%`.
    static func percentEncoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "%") {
                bytes.append(byte)
            } else {
                let digits = Array("0123456789ABCDEF".utf8)
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Undoes ``percentEncoded(_:)``; what is no escape stays as it is.
    static func percentDecoded(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let source = Array(text.utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "%"), index + 2 < source.count,
                let value = UInt8(String(decoding: source[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                index += 3
            } else {
                bytes.append(source[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
