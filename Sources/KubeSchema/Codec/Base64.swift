/// Base64 with padding (RFC 4648 section 4), as JSON carries bytes.
package enum Base64 {
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var pending: UInt32 = 0
        var count = 0
        alphabet.withUTF8Buffer { letters in
            for byte in bytes {
                pending = pending << 8 | UInt32(byte)
                count += 1
                guard count == 3 else { continue }
                text.append(letters[Int(pending >> 18 & 63)])
                text.append(letters[Int(pending >> 12 & 63)])
                text.append(letters[Int(pending >> 6 & 63)])
                text.append(letters[Int(pending & 63)])
                pending = 0
                count = 0
            }
            if count == 1 {
                text.append(letters[Int(pending >> 2 & 63)])
                text.append(letters[Int(pending << 4 & 63)])
                text += [UInt8(ascii: "="), UInt8(ascii: "=")]
            } else if count == 2 {
                text.append(letters[Int(pending >> 10 & 63)])
                text.append(letters[Int(pending >> 4 & 63)])
                text.append(letters[Int(pending << 2 & 63)])
                text.append(UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that `text` stands for. Line ends are skipped, as Go does; missing padding is an error.
    ///
    /// - Throws: The offset of the first byte that does not belong there.
    package static func decode(_ text: String) throws(Base64Error) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 4 * 3)
        var pending: UInt32 = 0
        var count = 0
        var padding = 0
        var offset = 0
        for byte in text.utf8 {
            defer { offset += 1 }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): continue
            case UInt8(ascii: "=") where count + padding >= 2 && count + padding < 4 && count >= 2:
                padding += 1
                continue
            default: throw Base64Error(offset: offset)
            }
            guard padding == 0 else { throw Base64Error(offset: offset) }
            pending = pending << 6 | UInt32(digit)
            count += 1
            guard count == 4 else { continue }
            bytes.append(UInt8(truncatingIfNeeded: pending >> 16))
            bytes.append(UInt8(truncatingIfNeeded: pending >> 8))
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending = 0
            count = 0
        }
        guard count == 0 && padding == 0 || count + padding == 4 else { throw Base64Error(offset: offset) }
        if count == 2 { bytes.append(UInt8(truncatingIfNeeded: pending >> 4)) }
        if count == 3 {
            bytes.append(UInt8(truncatingIfNeeded: pending >> 10))
            bytes.append(UInt8(truncatingIfNeeded: pending >> 2))
        }
        return bytes
    }
}

/// Text that is not base64.
package struct Base64Error: Error, Equatable, CustomStringConvertible {
    package let offset: Int
    package var description: String { "illegal base64 data at input byte \(offset)" }
}
