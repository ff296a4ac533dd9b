import OrderedCollections

extension Patch {
    /// Applies a strategic merge patch: a merge patch in which lists of objects are merged by the key that the schema
    /// names, and lists of scalars as sets, where the schema says so.
    ///
    /// Directives (reference: sig-api-machinery's strategic-merge-patch.md): `$patch` replace, delete or merge in objects
    /// and list elements, `$deleteFromPrimitiveList/x`, `$setElementOrder/x`, `$retainKeys`.
    package static func strategicMerge(_ patch: JSON, to document: JSON, schema: MessageSchema) throws(PatchError)
        -> JSON
    {
        guard case .object(let changes) = patch else {
            throw .malformed("a strategic merge patch must be a JSON object, not \(patch.goKind)")
        }
        return .object(try StrategicMerge.object(changes, document.object ?? [:], schema))
    }
}

private enum StrategicMerge {
    static let directive = "$patch"
    static let retainKeys = "$retainKeys"
    static let deletePrefix = "$deleteFromPrimitiveList/"
    static let orderPrefix = "$setElementOrder/"

    static func object(_ patch: JSONObject, _ original: JSONObject, _ schema: MessageSchema?) throws(PatchError)
        -> JSONObject
    {
        var changes = patch
        switch changes.removeValue(forKey: directive) {
        case nil, .string("merge"): break
        case .string("replace"): return withoutDirectives(changes)
        case .string("delete"): return [:]
        case let other?: throw .malformed("unknown \(directive) \(other): replace, delete and merge are known")
        }
        var result = original
        if let kept = changes.removeValue(forKey: retainKeys) {
            guard let names = kept.array?.map(\.string), !names.contains(nil) else {
                throw .malformed("\(retainKeys) must be a list of strings")
            }
            for key in changes.keys where changes[key]?.isNull == false && !key.hasPrefix("$") && !names.contains(key) {
                throw .malformed("\(retainKeys) does not name \(JSON.string(key)), which the patch sets")
            }
            result = result.filter { names.contains($0.key) }
        }
        var orders: [String: [JSON]] = [:]
        var deletions: [String: [JSON]] = [:]
        for (key, value) in changes {
            if key.hasPrefix(orderPrefix) {
                guard let order = value.array else { throw .malformed("\(key) must be a list") }
                orders[String(key.dropFirst(orderPrefix.count))] = order
            } else if key.hasPrefix(deletePrefix) {
                guard let values = value.array else { throw .malformed("\(key) must be a list") }
                deletions[String(key.dropFirst(deletePrefix.count))] = values
            }
        }
        for (key, values) in deletions {
            guard case .array(let elements) = result[key] else { continue }
            result[key] = .array(elements.filter { !values.contains($0) })
        }
        for (key, change) in changes where !key.hasPrefix(orderPrefix) && !key.hasPrefix(deletePrefix) {
            if case .null = change {
                result[key] = nil
                continue
            }
            result[key] = try value(change, result[key], schema?.field(key), key, orders[key])
        }
        for (key, order) in orders where changes[key] == nil {
            guard case .array(let elements) = result[key] else { continue }
            let mergeKey = schema?.field(key)?.patch.mergeKey
            result[key] = .array(ordered(elements, original: elements, order: order, by: mergeKey))
        }
        return result
    }

    private static func value(
        _ change: JSON, _ original: JSON?, _ field: FieldSchema?, _ name: String, _ order: [JSON]?
    ) throws(PatchError) -> JSON {
        switch change {
        case .object(let changes):
            if field?.patch.replaces == true { return .object(withoutDirectives(changes)) }
            var schema: MessageSchema?
            switch field?.type {
            case .message(let message): schema = message
            case .map(let element): return try map(changes, original?.object ?? [:], element.message)
            default: break
            }
            return .object(try object(changes, original?.object ?? [:], schema))
        case .array(let elements):
            guard let field, field.patch.merges, case .array(let type) = field.type else {
                return .array(elements.map(withoutDirectives))
            }
            if let key = field.patch.mergeKey, let message = type.message {
                return .array(try list(elements, original?.array ?? [], key, message, name, order))
            }
            var result = original?.array ?? []
            for element in elements where !result.contains(element) { result.append(element) }
            return .array(ordered(result, original: original?.array ?? [], order: order ?? elements, by: nil))
        default: return change
        }
    }

    /// A map's values are merged as objects if they are objects.
    private static func map(_ patch: JSONObject, _ original: JSONObject, _ element: MessageSchema?) throws(PatchError)
        -> JSON
    {
        guard let element else { return .object(try object(patch, original, nil)) }
        var result = original
        for (key, change) in patch {
            switch change {
            case .null: result[key] = nil
            case .object(let changes): result[key] = .object(try object(changes, result[key]?.object ?? [:], element))
            default: result[key] = change
            }
        }
        return .object(result)
    }

    private static func list(
        _ patch: [JSON], _ original: [JSON], _ key: String, _ schema: MessageSchema, _ name: String, _ order: [JSON]?
    ) throws(PatchError) -> [JSON] {
        if patch.contains(where: { $0[directive] == "replace" }) {
            return patch.filter { $0[directive] != "replace" || ($0.object?.count ?? 0) > 1 }.map(withoutDirectives)
        }
        var result = original
        var added: [JSON] = []
        for element in patch {
            guard case .object(let changes) = element else {
                throw .malformed("an element of \(name) must be an object, not \(element.goKind)")
            }
            guard let identity = changes[key], !identity.isNull else {
                throw .malformed("map: \(element) does not contain declared merge key: \(key)")
            }
            if changes[directive] == "delete" {
                result.removeAll { $0[key] == identity }
                continue
            }
            added.append(element)
            if let index = result.firstIndex(where: { $0[key] == identity }) {
                result[index] = .object(try object(changes, result[index].object ?? [:], schema))
            } else {
                result.append(.object(try object(changes, [:], schema)))
            }
        }
        return ordered(result, original: original, order: order ?? added, by: key)
    }

    /// Puts the elements that the patch names into the patch's order. Each of the others, which the patch's author did
    /// not know of, goes before the first named one that followed it in the original list; that is Kubernetes' rule.
    private static func ordered(_ elements: [JSON], original: [JSON], order: [JSON], by key: String?) -> [JSON] {
        let identity = { (element: JSON) in key.map { element[$0] ?? .null } ?? element }
        let places = Dictionary(
            original.map(identity).enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let wanted = order.map(identity)
        let named = wanted.compactMap { id in elements.first { identity($0) == id } }
        let others = elements.filter { !wanted.contains(identity($0)) }
            .sorted { places[identity($0), default: .max] < places[identity($1), default: .max] }
        var result: [JSON] = []
        var next = others[...]
        for element in named {
            while let other = next.first, let place = places[identity(other)], let limit = places[identity(element)],
                place < limit
            {
                result.append(other)
                next = next.dropFirst()
            }
            result.append(element)
        }
        return result + next
    }

    private static func withoutDirectives(_ members: JSONObject) -> JSONObject {
        var result = JSONObject()
        for (key, value) in members where !key.hasPrefix("$") || key == "$ref" || key == "$schema" {
            if case .null = value { continue }
            result[key] = withoutDirectives(value)
        }
        return result
    }

    private static func withoutDirectives(_ value: JSON) -> JSON {
        switch value {
        case .object(let members): .object(withoutDirectives(members))
        case .array(let elements): .array(elements.map(withoutDirectives))
        default: value
        }
    }
}
