import OrderedCollections

/// Puts a configuration over an object, and takes fields out of one.
enum FieldMerge {
    /// `live` with the fields of `configuration`, which win; lists and maps are merged as their shapes say.
    static func merge(_ configuration: JSON, over live: JSON?, _ shape: FieldShape) -> JSON {
        switch (shape, configuration, live) {
        case (.record, .object(let changes), .object(let members)?),
            (.map, .object(let changes), .object(let members)?):
            var result = members
            for (name, value) in changes {
                result[name] = shape.member(name).map { merge(value, over: members[name], $0) } ?? value
            }
            return .object(result)
        case (.set, .array(let wanted), .array(let items)?), (.keyed, .array(let wanted), .array(let items)?):
            return .array(list(wanted, items, shape))
        default:
            return configuration
        }
    }

    /// The elements of both lists: the configuration's in its order, each of the others where it stood among those that
    /// both know.
    private static func list(_ wanted: [JSON], _ live: [JSON], _ shape: FieldShape) -> [JSON] {
        let wanted = shape.named(wanted)
        let known = Set(wanted.map(\.element))
        let found = Dictionary(shape.named(live).map { ($0.element, $0.item) }, uniquingKeysWith: { first, _ in first })
        var result: [JSON] = []
        var done: Set<String> = []
        var rest = live[...]
        for (element, item) in wanted where done.insert(element).inserted {
            // Others that stood before this element stay before it.
            if found[element] != nil {
                while let other = rest.first {
                    let name = shape.pathElement(of: other)
                    if name == element {
                        rest = rest.dropFirst()
                        break
                    }
                    if let name, known.contains(name) {
                        guard done.contains(name) else { break }  // the configuration has it later: the order changed
                    } else {
                        result.append(other)
                    }
                    rest = rest.dropFirst()
                }
            }
            result.append(merge(item, over: found[element], shape.element))
        }
        for other in rest {
            if let name = shape.pathElement(of: other), known.contains(name) { continue }
            result.append(other)
        }
        return result
    }

    /// `value` without the fields in `set`; objects and lists that lost all they held go too.
    static func remove(_ set: FieldSet, from value: JSON, _ shape: FieldShape) -> JSON? {
        if set.children.isEmpty { return value }
        switch (shape, value) {
        case (.record, .object(let members)), (.map, .object(let members)):
            if members.isEmpty { return value }
            var result = JSONObject(minimumCapacity: members.count)
            for (name, value) in members {
                let node = set["f:\(name)"]
                if node.isMember { continue }
                if node.isEmpty {
                    result[name] = value
                } else if let member = shape.member(name) {
                    result[name] = remove(node, from: value, member)
                }
            }
            return result.isEmpty ? nil : .object(result)
        case (.set, .array(let items)), (.keyed, .array(let items)):
            var result: [JSON] = []
            for item in items {
                let node = shape.pathElement(of: item).map { set[$0] } ?? .empty
                if node.isMember { continue }
                if node.isEmpty {
                    result.append(item)
                } else if let rest = remove(node, from: item, shape.element) {
                    result.append(rest)
                }
            }
            return result.isEmpty ? nil : .array(result)
        default: return value
        }
    }
}
