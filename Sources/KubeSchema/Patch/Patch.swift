import OrderedCollections

/// Why a patch could not be applied.
package enum PatchError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The patch itself is not well formed: answered with 400.
    case malformed(String)
    /// The patch does not fit the object (a missing path, a failed test): answered with 422.
    case inapplicable(String)

    package var description: String {
        switch self {
        case .malformed(let what): what
        case .inapplicable(let what): what
        }
    }
    package var reason: StatusReason {
        switch self {
        case .malformed: .badRequest
        case .inapplicable: .invalid
        }
    }
}

/// The three ways to change a document by a patch. The result has still to be conformed to the schema and validated.
package enum Patch {
    /// Applies a JSON merge patch (RFC 7386): objects are merged, null removes a member, all else replaces.
    package static func merge(_ patch: JSON, to document: JSON) throws(PatchError) -> JSON {
        guard case .object = patch else { throw .malformed("a merge patch must be a JSON object, not \(patch.goKind)") }
        return merged(patch, document)
    }

    private static func merged(_ patch: JSON, _ target: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var members = target.object ?? [:]
        for (key, change) in changes {
            if case .null = change {
                members[key] = nil
            } else {
                members[key] = merged(change, members[key] ?? .null)
            }
        }
        return .object(members)
    }
}

/// A reference into a document (RFC 6901), such as `/spec/containers/0/image`.
package struct JSONPointer: Equatable, Sendable {
    package let tokens: [String]

    package init(parsing text: String) throws(PatchError) {
        if text.isEmpty {
            tokens = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw .malformed("the path \(JSON.string(text)) must be empty or begin with /")
        }
        var tokens: [String] = []
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            var token: [UInt8] = []
            var isEscaped = false
            for byte in part {
                if isEscaped {
                    guard byte == UInt8(ascii: "0") || byte == UInt8(ascii: "1") else {
                        throw .malformed("in the path \(JSON.string(text)), ~ must be followed by 0 or 1")
                    }
                    token.append(byte == UInt8(ascii: "0") ? UInt8(ascii: "~") : UInt8(ascii: "/"))
                    isEscaped = false
                } else if byte == UInt8(ascii: "~") {
                    isEscaped = true
                } else {
                    token.append(byte)
                }
            }
            guard !isEscaped else { throw .malformed("in the path \(JSON.string(text)), ~ must be followed by 0 or 1") }
            tokens.append(String(decoding: token, as: UTF8.self))
        }
        self.tokens = tokens
    }

    /// The position that a token names in an array of `count` elements; `-` is behind the last one.
    static func index(_ token: String, count: Int) -> Int? {
        if token == "-" { return count }
        guard token.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            token == "0" || token.utf8.first != UInt8(ascii: "0"), let index = Int(token)
        else { return nil }
        return index
    }
}
