import OrderedCollections

extension Patch {
    /// The most operations that one JSON patch may hold, which is kube-apiserver's limit.
    static let operationLimit = 10_000

    /// Applies a JSON patch (RFC 6902): all of its operations, or none.
    package static func json(_ patch: JSON, to document: JSON) throws(PatchError) -> JSON {
        guard case .array(let operations) = patch else {
            throw .malformed("a JSON patch must be an array of operations, not \(patch.goKind)")
        }
        guard operations.count <= operationLimit else {
            throw .malformed("a JSON patch of \(operations.count) operations, where \(operationLimit) are allowed")
        }
        var result = document
        for operation in operations { try apply(operation, to: &result) }
        return result
    }

    private static func apply(_ operation: JSON, to document: inout JSON) throws(PatchError) {
        guard case .object = operation else {
            throw .malformed("an operation must be an object, not \(operation.goKind)")
        }
        guard let name = operation["op"]?.string else { throw .malformed("an operation without \"op\"") }
        let path = try pointer("path", of: operation)
        switch name {
        case "add": try add(try value(of: operation), at: path, to: &document)
        case "remove": _ = try remove(path, from: &document)
        case "replace":
            _ = try read(path, in: document)
            try replace(path, by: try value(of: operation), in: &document)
        case "move":
            let source = try pointer("from", of: operation)
            if path.tokens.count > source.tokens.count, path.tokens.starts(with: source.tokens) {
                throw .inapplicable("cannot move \(text(source)) into itself at \(text(path))")
            }
            try add(try remove(source, from: &document), at: path, to: &document)
        case "copy": try add(try read(try pointer("from", of: operation), in: document), at: path, to: &document)
        case "test":
            let expected = operation["value"] ?? .null
            let found = (try? read(path, in: document)) ?? .null
            guard found == expected else { throw .inapplicable("testing value \(text(path)) failed") }
        default:
            throw .malformed(
                "unexpected operation \(JSON.string(name)): add, remove, replace, move, copy, test are known")
        }
    }

    private static func value(of operation: JSON) throws(PatchError) -> JSON {
        guard let value = operation["value"] else {
            throw .malformed("the operation \(operation["op"] ?? "") needs a \"value\"")
        }
        return value
    }

    private static func pointer(_ member: String, of operation: JSON) throws(PatchError) -> JSONPointer {
        guard let text = operation[member]?.string else {
            throw .malformed("the operation \(operation["op"] ?? "") needs a \"\(member)\"")
        }
        return try JSONPointer(parsing: text)
    }

    private static func read(_ path: JSONPointer, in document: JSON) throws(PatchError) -> JSON {
        var value = document
        for token in path.tokens {
            switch value {
            case .object(let members):
                guard let member = members[token] else { throw missing(path) }
                value = member
            case .array(let elements):
                guard let index = JSONPointer.index(token, count: elements.count), elements.indices.contains(index)
                else {
                    throw missing(path)
                }
                value = elements[index]
            default: throw missing(path)
            }
        }
        return value
    }

    private static func add(_ value: JSON, at path: JSONPointer, to document: inout JSON) throws(PatchError) {
        guard let last = path.tokens.last else {
            document = value
            return
        }
        try change(path.tokens.dropLast()[...], path, in: &document) { (parent: inout JSON) throws(PatchError) in
            switch parent {
            case .object: parent[last] = value
            case .array(var elements):
                guard let index = JSONPointer.index(last, count: elements.count), index <= elements.count else {
                    throw missing(path)
                }
                parent = .null  // so that the insertion does not copy
                elements.insert(value, at: index)
                parent = .array(elements)
            default: throw missing(path)
            }
        }
    }

    private static func replace(_ path: JSONPointer, by value: JSON, in document: inout JSON) throws(PatchError) {
        try change(path.tokens[...], path, in: &document) { (target: inout JSON) throws(PatchError) in target = value }
    }

    private static func remove(_ path: JSONPointer, from document: inout JSON) throws(PatchError) -> JSON {
        guard let last = path.tokens.last else { throw .inapplicable("the whole document cannot be removed") }
        var removed = JSON.null
        try change(path.tokens.dropLast()[...], path, in: &document) { (parent: inout JSON) throws(PatchError) in
            switch parent {
            case .object(var members):
                parent = .null
                guard let value = members.removeValue(forKey: last) else { throw missing(path) }
                removed = value
                parent = .object(members)
            case .array(var elements):
                guard let index = JSONPointer.index(last, count: elements.count), elements.indices.contains(index)
                else {
                    throw missing(path)
                }
                parent = .null
                removed = elements.remove(at: index)
                parent = .array(elements)
            default: throw missing(path)
            }
        }
        return removed
    }

    /// Runs `body` on the value at the end of `tokens`, in place.
    private static func change(
        _ tokens: ArraySlice<String>, _ path: JSONPointer, in value: inout JSON,
        _ body: (inout JSON) throws(PatchError) -> Void
    ) throws(PatchError) {
        guard let token = tokens.first else { return try body(&value) }
        switch value {
        case .object(var members):
            guard let index = members.keys.firstIndex(of: token) else { throw missing(path) }
            value = .null
            try change(tokens.dropFirst(), path, in: &members.values[index], body)
            value = .object(members)
        case .array(var elements):
            guard let index = JSONPointer.index(token, count: elements.count), elements.indices.contains(index) else {
                throw missing(path)
            }
            value = .null
            try change(tokens.dropFirst(), path, in: &elements[index], body)
            value = .array(elements)
        default: throw missing(path)
        }
    }

    private static func missing(_ path: JSONPointer) -> PatchError {
        .inapplicable("the path \(text(path)) does not exist in the object")
    }

    private static func text(_ path: JSONPointer) -> String {
        path.tokens.map { token in
            "/"
                + token.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
                .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
        }.joined()
    }
}
