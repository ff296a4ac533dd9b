import OrderedCollections

/// How the parts of a value are told apart when several managers write it: what the API reference calls list and map
/// types.
enum FieldShape: Sendable {
    /// One value, however large: whoever writes it writes all of it.
    case leaf
    /// An object with named fields, each with an owner of its own.
    case record(MessageSchema)
    /// An object with free keys.
    case map(FieldType)
    /// A list whose elements are their own names.
    case set
    /// A list of objects named by the values of some of their fields.
    case keyed([String], MessageSchema)

    /// The shape of a whole object of a kind.
    static func root(_ message: MessageSchema) -> FieldShape { .record(message) }

    init(_ field: FieldSchema) {
        switch field.type {
        case .array(let element):
            switch field.list {
            case .set: self = .set
            case .map(let keys):
                if let message = element.message { self = .keyed(keys, message) } else { self = .leaf }
            case .atomic, .unspecified: self = .leaf
            }
        case .map(let element): self = field.list == .atomic ? .leaf : .map(element)
        case .message(let message):
            // The reference that a volume carries is written piece by piece by its binder, unlike other references.
            let isGranular = field.name == "claimRef" || !Self.isAtomic(message)
            self = field.list == .atomic || !isGranular ? .leaf : .record(message)
        default: self = .leaf
        }
    }

    /// The shape of a value that no field describes: an element of a list or map.
    init(element type: FieldType) {
        switch type {
        case .map(let element): self = .map(element)
        case .message(let message): self = Self.isAtomic(message) ? .leaf : .record(message)
        default: self = .leaf
        }
    }

    /// The shape of a member; `nil` where the schema knows of none.
    func member(_ name: String) -> FieldShape? {
        switch self {
        case .record(let message): message.field(name).map { FieldShape($0) }
        case .map(let element): FieldShape(element: element)
        default: nil
        }
    }

    /// The shape of a list's elements.
    var element: FieldShape {
        switch self {
        case .keyed(_, let message): Self.isAtomic(message) ? .leaf : .record(message)
        default: .leaf
        }
    }

    /// Messages that the API declares to be written as a whole (`x-kubernetes-map-type: atomic`).
    private static func isAtomic(_ message: MessageSchema) -> Bool { atomicMessages.contains(message.name) }

    private static let atomicMessages: Set<String> = [
        "autoscaling/v1.CrossVersionObjectReference", "core/v1.ConfigMapKeySelector", "core/v1.EndpointAddress",
        "core/v1.EndpointPort", "core/v1.FileKeySelector", "core/v1.LocalObjectReference", "core/v1.NodeSelector",
        "core/v1.NodeSelectorTerm", "core/v1.ObjectFieldSelector", "core/v1.ObjectReference",
        "core/v1.ResourceFieldSelector", "core/v1.ScopeSelector", "core/v1.SecretKeySelector",
        "core/v1.SecretReference", "core/v1.TopologySelectorTerm", "core/v1.TypedLocalObjectReference",
        "discovery/v1.EndpointPort", "meta/v1.LabelSelector", "rbac/v1.RoleRef", "rbac/v1.Subject",
    ]
}

extension FieldShape {
    /// The path element of an element of a list, in the notation of ``FieldSet``.
    ///
    /// - Returns: `nil` if the element has none of the fields that name it.
    func pathElement(of item: JSON) -> String? {
        switch self {
        case .set:
            return "v:\(item)"
        case .keyed(let keys, let message):
            var parts: [String] = []
            for key in keys.count > 1 ? keys.sorted() : keys {
                var value = item[key]
                if value == nil || value?.isNull == true { value = message.field(key)?.defaultValue }
                guard let value else { continue }
                parts.append("\(JSON.string(key)):\(value)")
            }
            return parts.isEmpty ? nil : "k:{\(parts.joined(separator: ","))}"
        default: return nil
        }
    }

    /// The elements of a list with their path elements; those that cannot be named are left out.
    func named(_ items: [JSON]) -> [(element: String, item: JSON)] {
        items.compactMap { item in pathElement(of: item).map { ($0, item) } }
    }
}
