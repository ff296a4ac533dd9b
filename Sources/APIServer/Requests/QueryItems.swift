import KubeSchema

/// The parameters of a query, percent-decoded, in order; a name may come several times.
struct QueryItems: Sendable {
    private(set) var items: [(name: String, value: String)] = []

    init(_ query: Substring) {
        for part in query.utf8.split(separator: UInt8(ascii: "&")) {
            let cut = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            let value = cut == part.endIndex ? part[cut...] : part[part.index(after: cut)...]
            items.append((Self.decode(part[..<cut], plusIsSpace: true), Self.decode(value, plusIsSpace: true)))
        }
    }

    subscript(name: String) -> String? { items.first { $0.name == name }?.value }
    func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }
    /// The value of the first of several names that is there.
    func first(of names: [String]) -> String? {
        for name in names { if let value = self[name] { return value } }
        return nil
    }

    /// Whether a flag is set: Go's spellings of true.
    func flag(_ name: String) -> Bool {
        self[name].map { ["1", "t", "T", "true", "TRUE", "True"].contains($0) } ?? false
    }

    func integer(_ name: String) throws(APIFailure) -> Int64? {
        guard let text = self[name], !text.isEmpty else { return nil }
        guard let value = Int64(text) else {
            throw APIFailure(.badRequest, "the query parameter \(name) must be a number, not \"\(text)\"")
        }
        return value
    }

    /// Percent-decodes (RFC 3986 section 2.1); a `%` that begins no escape stays.
    static func decode(_ text: some Sequence<UInt8>, plusIsSpace: Bool = false) -> String {
        var bytes: [UInt8] = []
        var pending: [UInt8] = []
        for byte in text {
            if !pending.isEmpty {
                pending.append(byte)
                if pending.count == 3 {
                    if let high = hex(pending[1]), let low = hex(pending[2]) {
                        bytes.append(high << 4 | low)
                    } else {
                        bytes.append(contentsOf: pending)
                    }
                    pending = []
                }
            } else if byte == UInt8(ascii: "%") {
                pending = [byte]
            } else {
                bytes.append(byte == UInt8(ascii: "+") && plusIsSpace ? 0x20 : byte)
            }
        }
        return String(decoding: bytes + pending, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
