import OrderedCollections

/// Which fields differ between two versions of an object.
struct FieldComparison: Equatable, Sendable {
    /// In the new version only, the objects and lists that hold them among them.
    var added = FieldSet.empty
    /// In both, with different values.
    var modified = FieldSet.empty
    /// In the old version only.
    var removed = FieldSet.empty

    var isSame: Bool { added.isEmpty && modified.isEmpty && removed.isEmpty }

    /// Compares two versions of a value; nulls count as absent.
    init(_ old: JSON?, _ new: JSON?, _ shape: FieldShape) {
        let old = old.flatMap { $0.isNull ? nil : $0 }
        let new = new.flatMap { $0.isNull ? nil : $0 }
        switch (old, new) {
        case (nil, nil): return
        case (nil, let new?): added = .everything(in: new, shape)
        case (let old?, nil): removed = .everything(in: old, shape)
        case (let old?, let new?): compare(old, new, shape)
        }
    }

    private mutating func compare(_ old: JSON, _ new: JSON, _ shape: FieldShape) {
        switch (shape, old, new) {
        case (.record, .object(let before), .object(let after)), (.map, .object(let before), .object(let after)):
            for (name, value) in after {
                guard let member = shape.member(name) else { continue }
                add(FieldComparison(before[name], value, member), at: "f:\(name)")
            }
            for (name, value) in before where after[name] == nil {
                guard let member = shape.member(name) else { continue }
                add(FieldComparison(value, nil, member), at: "f:\(name)")
            }
        case (.set, .array(let before), .array(let after)), (.keyed, .array(let before), .array(let after)):
            items(before, after, shape)
        default:
            if old != new { modified.isMember = true }
        }
    }

    private mutating func items(_ before: [JSON], _ after: [JSON], _ shape: FieldShape) {
        let old = Dictionary(grouping: shape.named(before), by: \.element)
        let new = Dictionary(grouping: shape.named(after), by: \.element)
        for (element, items) in new {
            let others = old[element] ?? []
            if items.count > 1 || others.count > 1 {
                // Elements of one name cannot be told apart: together they are one value.
                if others.isEmpty {
                    add(FieldComparison(nil, items[0].item, shape.element), at: element)
                } else if items.map(\.item) != others.map(\.item) {
                    modified[element] = modified[element].union(FieldSet(isMember: true))
                }
            } else {
                add(FieldComparison(others.first?.item, items[0].item, shape.element), at: element)
            }
        }
        for (element, items) in old where new[element] == nil {
            add(FieldComparison(items[0].item, nil, shape.element), at: element)
        }
    }

    private mutating func add(_ part: FieldComparison, at element: String) {
        if !part.added.isEmpty { added[element] = part.added }
        if !part.modified.isEmpty { modified[element] = part.modified }
        if !part.removed.isEmpty { removed[element] = part.removed }
    }
}

extension FieldSet {
    /// The fields that a configuration speaks of: its values, and the elements of its lists and maps, but not the objects
    /// that merely hold them.
    init(of value: JSON, _ shape: FieldShape) {
        self.init()
        switch (shape, value) {
        case (.record, .object(let members)):
            for (name, value) in members {
                guard let member = shape.member(name) else { continue }
                var node = FieldSet(of: value, member)
                if value.isNull || value.object?.isEmpty == true { node.isMember = true }
                self["f:\(name)"] = node
            }
        case (.map, .object(let members)):
            for (name, value) in members {
                guard let member = shape.member(name) else { continue }
                var node = FieldSet(of: value, member)
                node.isMember = true
                self["f:\(name)"] = node
            }
        case (.set, .array(let items)), (.keyed, .array(let items)):
            for (element, item) in shape.named(items) {
                var node = FieldSet(of: item, shape.element)
                node.isMember = true
                self[element] = self[element].union(node)
            }
        case (.record, _), (.map, _), (.set, _), (.keyed, _): break
        case (.leaf, _): isMember = true
        }
    }

    /// The field itself and all fields below it.
    static func everything(in value: JSON, _ shape: FieldShape) -> FieldSet {
        var set = FieldSet(isMember: true)
        switch (shape, value) {
        case (.record, .object(let members)), (.map, .object(let members)):
            for (name, value) in members where !value.isNull {
                guard let member = shape.member(name) else { continue }
                set["f:\(name)"] = everything(in: value, member)
            }
        case (.set, .array(let items)), (.keyed, .array(let items)):
            for (element, item) in shape.named(items) {
                set[element] = set[element].union(everything(in: item, shape.element))
            }
        default: break
        }
        return set
    }

    /// The set with the named fields that hold others as members: an object's parts, but neither the elements of lists
    /// nor the values of maps.
    func withNamedFields(_ shape: FieldShape) -> FieldSet {
        var result = self
        for (element, node) in children {
            var node = node.withNamedFields(shape.behind(element))
            if case .record = shape, !node.children.isEmpty, shape.member(String(element.dropFirst(2))) != nil {
                node.isMember = true
            }
            result[element] = node
        }
        return result
    }
}

extension FieldShape {
    /// The shape of what stands behind a path element.
    func behind(_ element: String) -> FieldShape {
        switch self {
        case .record, .map: member(String(element.dropFirst(2))) ?? .leaf
        case .set, .keyed: self.element
        case .leaf: .leaf
        }
    }
}
