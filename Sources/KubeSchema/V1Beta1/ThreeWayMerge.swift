import OrderedCollections

/// Puts an edit made through a form that shows only part of an object into the whole object.
enum ThreeWayMerge {
    /// Returns `stored` with the change that leads from `base` to `new`.
    ///
    /// Where both agree `stored` stays as it is, which keeps what the partial form rounds or does not show at all. What
    /// `new` lacks and `base` has is removed; what only `stored` has is kept.
    ///
    /// - Parameters:
    ///   - stored: The whole object.
    ///   - base: What the partial form shows of `stored`.
    ///   - new: The same after the edit.
    static func merge(stored: JSON, base: JSON, new: JSON) -> JSON { merge(stored, base, new, field: "") }

    /// The member that tells the elements of a list apart; lists not named here go by position.
    private static let keys = [
        "containers": "name", "initContainers": "name", "volumes": "name", "env": "name", "volumeMounts": "mountPath",
        "containerStatuses": "name", "conditions": "type",
    ]

    private static func merge(_ stored: JSON?, _ base: JSON?, _ new: JSON, field: String) -> JSON {
        if let stored, new == base { return stored }
        switch (stored, base, new) {
        case (.object(let stored)?, .object(let base)?, .object(let new)):
            return .object(merge(stored, base, new))
        case (.array(let stored)?, .array(let base)?, .array(let new)):
            guard let key = keys[field] else { return .array(merge(stored, base, new)) }
            return .array(merge(stored, base, new, key: key))
        default:
            return new
        }
    }

    private static func merge(_ stored: JSONObject, _ base: JSONObject, _ new: JSONObject) -> JSONObject {
        var result: JSONObject = [:]
        for (key, value) in stored {
            if let changed = new[key] {
                result[key] = merge(value, base[key], changed, field: key)
            } else if base[key] == .none {
                result[key] = value
            }
        }
        for (key, value) in new where stored[key] == .none { result[key] = value }
        return result
    }

    /// By position: what `base` shows of `stored` comes first, the rest of `stored` is not visible and stays.
    private static func merge(_ stored: [JSON], _ base: [JSON], _ new: [JSON]) -> [JSON] {
        var result = new.indices.map { index in
            merge(
                index < min(stored.count, base.count) ? stored[index] : nil, index < base.count ? base[index] : nil,
                new[index], field: "")
        }
        if stored.count > base.count { result += stored[base.count...] }
        return result
    }

    private static func merge(_ stored: [JSON], _ base: [JSON], _ new: [JSON], key: String) -> [JSON] {
        func element(_ list: [JSON], like other: JSON) -> JSON? { list.first { $0[key] == other[key] } }
        let changed = new.map { merge(element(stored, like: $0), element(base, like: $0), $0, field: "") }
        return changed + stored.filter { element(base, like: $0) == nil && element(new, like: $0) == nil }
    }
}
