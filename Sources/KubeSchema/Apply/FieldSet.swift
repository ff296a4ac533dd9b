import OrderedCollections

/// A set of fields of an object: what a manager owns, or what a change touched.
///
/// A tree whose edges are path elements in the notation of `FieldsV1`, so that reading and writing `managedFields` costs
/// no parsing: `f:name` a member, `k:{"name":"c"}` an element of a keyed list, `v:"x"` an element of a set, `i:0` one by
/// position. A node may be in the set itself, have fields in the set below it, or both.
package struct FieldSet: Equatable, Sendable {
    /// Whether the field at this node is in the set, apart from what is below it.
    package var isMember: Bool
    package private(set) var children: [String: FieldSet]

    package static let empty = FieldSet()

    package init(isMember: Bool = false, children: [String: FieldSet] = [:]) {
        self.isMember = isMember
        self.children = children
    }

    package var isEmpty: Bool { !isMember && children.isEmpty }

    /// The node behind a path element. Setting an empty node removes it.
    package subscript(element: String) -> FieldSet {
        get { children[element] ?? .empty }
        set { children[element] = newValue.isEmpty ? nil : newValue }
    }

    package func contains(_ path: some Sequence<String>) -> Bool {
        var node = self
        for element in path {
            guard let child = node.children[element] else { return false }
            node = child
        }
        return node.isMember
    }

    /// Puts the field at the end of `path` in.
    package mutating func insert(_ path: some Collection<String>) {
        guard let first = path.first else {
            isMember = true
            return
        }
        children[first, default: .empty].insert(path.dropFirst())
    }

    // MARK: - Algebra

    package func union(_ other: FieldSet) -> FieldSet {
        if other.isEmpty { return self }
        if isEmpty { return other }
        var result = self
        result.isMember = isMember || other.isMember
        for (element, node) in other.children {
            if let own = result.children[element] {
                result.children[element] = own.union(node)
            } else {
                result.children[element] = node
            }
        }
        return result
    }

    package func intersection(_ other: FieldSet) -> FieldSet {
        var result = FieldSet(isMember: isMember && other.isMember)
        guard !children.isEmpty, !other.children.isEmpty else { return result }
        let (few, many) = children.count <= other.children.count ? (self, other) : (other, self)
        for (element, node) in few.children {
            if let twin = many.children[element] { result[element] = node.intersection(twin) }
        }
        return result
    }

    /// The fields that are not in `other`; what is below a field of `other` stays.
    package func subtracting(_ other: FieldSet) -> FieldSet {
        if other.isEmpty { return self }
        var result = self
        result.isMember = isMember && !other.isMember
        for (element, node) in other.children {
            if let own = children[element] { result[element] = own.subtracting(node) }
        }
        return result
    }

    /// The fields that are neither in `other` nor below a field of `other`.
    package func subtractingRecursively(_ other: FieldSet) -> FieldSet {
        if other.isEmpty { return self }
        if other.isMember { return .empty }
        var result = self
        for (element, node) in other.children {
            if let own = children[element] { result[element] = own.subtractingRecursively(node) }
        }
        return result
    }

    // MARK: - Paths

    /// All paths, in the order in which Kubernetes writes them.
    package var paths: [[String]] {
        var paths: [[String]] = []
        collect([], &paths)
        return paths
    }

    private func collect(_ prefix: [String], _ paths: inout [[String]]) {
        if isMember { paths.append(prefix) }
        for element in Self.sorted(children.keys) { children[element]?.collect(prefix + [element], &paths) }
    }

    /// A path as messages name it, such as `.spec.containers[name="c"].image`.
    package static func describe(_ path: [String]) -> String {
        path.map { element in
            let value = element.dropFirst(2)
            switch element.utf8.first {
            case UInt8(ascii: "f"): return ".\(value)"
            case UInt8(ascii: "v"): return "[=\(value)]"
            case UInt8(ascii: "k"):
                let keys = (try? JSON(parsing: Array(value.utf8)))?.object ?? [:]
                return "[\(keys.map { "\($0.key)=\($0.value)" }.joined(separator: ","))]"
            default: return "[\(value)]"
            }
        }.joined()
    }

    /// Members, then keyed elements, then elements by value, then by position, each in alphabetical order.
    private static func sorted(_ elements: some Sequence<String>) -> [String] {
        func rank(_ element: String) -> Int {
            switch element.utf8.first {
            case UInt8(ascii: "f"): 0
            case UInt8(ascii: "k"): 1
            case UInt8(ascii: "v"): 2
            default: 3
            }
        }
        return elements.sorted { (rank($0), $0) < (rank($1), $1) }
    }

    // MARK: - FieldsV1

    /// Reads the form that `managedFields` has; `nil` if it is none.
    package init?(fieldsV1: JSON) {
        guard case .object(let members) = fieldsV1 else { return nil }
        self.init()
        for (element, value) in members {
            if element == "." {
                isMember = true
                continue
            }
            guard element.utf8.count >= 2, Self.isElement(element), case .object(let below) = value,
                let node = below.isEmpty ? FieldSet(isMember: true) : FieldSet(fieldsV1: value)
            else { return nil }
            children[element] = node
        }
    }

    private static func isElement(_ text: String) -> Bool {
        var bytes = text.utf8.makeIterator()
        guard let kind = bytes.next(), bytes.next() == UInt8(ascii: ":") else { return false }
        switch kind {
        case UInt8(ascii: "f"), UInt8(ascii: "k"), UInt8(ascii: "v"), UInt8(ascii: "i"): return true
        default: return false
        }
    }

    /// The form that `managedFields` has. Of the root, membership means nothing and is not written.
    package var fieldsV1: JSON { encoded(isRoot: true) }

    private func encoded(isRoot: Bool) -> JSON {
        var members = JSONObject(minimumCapacity: children.count + 1)
        if isMember, !isRoot, !children.isEmpty { members["."] = [:] }
        for element in Self.sorted(children.keys) { members[element] = children[element]?.encoded(isRoot: false) }
        return .object(members)
    }
}
