/// The fields of one kind of object or of a part of one: what every behaviour of the API is derived from.
///
/// Messages refer to each other, also in circles, which is why this is a class.
///
/// Sendable although it has variables: they are written only while `SchemaTable.init` links the messages of a table to
/// each other, before anybody else can hold a reference, and never after.
package final class MessageSchema: @unchecked Sendable {
    /// Group, version and message, such as `core/v1.PodSpec`.
    package let name: String
    /// Whether instances stand alone, with `kind` and `apiVersion`.
    package let isTopLevel: Bool
    /// All fields as they appear in JSON, those of embedded messages among them, in the order of the API's definition.
    package private(set) var fields: [FieldSchema] = []
    /// Messages whose fields JSON shows as this message's own, but which are fields with a number in protobuf.
    package private(set) var embedded: [Embedded] = []
    /// How many of `fields`, the first ones, are the message's own.
    private(set) var ownCount = 0
    private var indices: [String: Int] = [:]
    private var numbered: [Int: Int] = [:]

    package struct Embedded: Sendable {
        package let number: Int
        package let message: MessageSchema
    }

    package init(name: String, isTopLevel: Bool) {
        self.name = name
        self.isTopLevel = isTopLevel
    }

    /// The message's name without its group and version.
    package var shortName: Substring { name.split(separator: ".").last ?? "" }

    /// The field that JSON calls `name`; upper and lower case differ.
    package func field(_ name: String) -> FieldSchema? {
        guard let index = indices[name] else { return nil }
        return fields[index]
    }

    /// The place of a field in `fields`.
    func index(of name: String) -> Int? { indices[name] }

    /// The message's own field (none of an embedded message) with a protobuf number.
    package func field(number: Int) -> FieldSchema? {
        guard let index = numbered[number] else { return nil }
        return fields[index]
    }

    /// Completes the message; to be called once, by whoever made it, after the embedded messages were completed.
    func complete(fields own: [FieldSchema], embedded: [Embedded]) {
        self.embedded = embedded
        fields = own
        ownCount = own.count
        for (index, field) in own.enumerated() where field.number > 0 { numbered[field.number] = index }
        for part in embedded { fields += part.message.fields }
        for (index, field) in fields.enumerated() { indices[field.name] = index }
    }
}

/// One field of a message.
package struct FieldSchema: Sendable {
    package let name: String
    /// The protobuf field number; 0 for `kind` and `apiVersion`, which the envelope carries, and what has no protobuf form.
    package let number: Int
    package let type: FieldType
    /// Whether the API tells an absent value from a zero one.
    package var isPointer = false
    /// Whether the API writes the field even when it has its zero value.
    package var isAlwaysSerialized = false
    /// Whether the API's definition calls for a value.
    package var isRequired = false
    package var list = ListKind.unspecified
    package var patch = PatchStrategy()
    /// The default that the API's definition declares; most defaults are code, see `Defaults`.
    package var defaultValue: JSON?

    /// How the elements of a list are told apart in server-side apply.
    package enum ListKind: Sendable, Equatable {
        case unspecified, atomic, set
        case map(keys: [String])
    }

    /// What a strategic merge patch does to the field. Without `merges`, a list is replaced and a map merged.
    package struct PatchStrategy: Sendable, Equatable {
        package var merges = false
        /// The member that tells elements apart; `nil` for lists of scalars.
        package var mergeKey: String?
        package var retainsKeys = false
        package var replaces = false
    }
}

/// The type of a field's value, on the wire and in JSON.
package indirect enum FieldType: Sendable {
    /// A string, with the values that the API knows if it is an enumeration (which does not make others invalid).
    case string(values: [String]?)
    case int32, int64, bool, double
    /// Base64 in JSON.
    case bytes
    case quantity, intOrString
    /// RFC 3339 to the second, RFC 3339 to the microsecond, Go's notation (`1h2m3s`).
    case time, microTime, duration
    /// An object of any kind, or any JSON value.
    case rawExtension, anyJSON
    /// The set of fields that a manager owns: JSON in bytes.
    case fieldsV1
    case message(MessageSchema)
    case array(FieldType)
    case map(FieldType)

    package var message: MessageSchema? {
        switch self {
        case .message(let message): message
        case .array(let element), .map(let element): element.message
        default: nil
        }
    }
}
