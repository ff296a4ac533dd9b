/// The parameters of a request's query, decoded, in their order.
package enum RequestQuery {
    package static func parse(_ query: some StringProtocol) -> [(name: String, value: String)] {
        query.split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decode(parts[0]), parts.count > 1 ? decode(parts[1]) : "")
        }
    }

    /// Undoes percent-encoding and `+` for a space; a `%` without two hexadecimal digits stays.
    package static func decode(_ text: some StringProtocol) -> String {
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "%"), position + 2 < bytes.count,
                let value = UInt8(String(decoding: bytes[(position + 1)...(position + 2)], as: UTF8.self), radix: 16)
            {
                result.append(value)
                position += 3
            } else {
                result.append(bytes[position] == UInt8(ascii: "+") ? 0x20 : bytes[position])
                position += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
