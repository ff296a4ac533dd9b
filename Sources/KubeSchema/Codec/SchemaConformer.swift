import OrderedCollections

/// A value of a type that its field does not take.
package struct TypeMismatch: Error, Equatable, CustomStringConvertible {
    /// Such as `spec.containers[0].ports[0].containerPort`.
    package let path: String
    package let problem: String
    package var description: String { "\(problem) (field \(path.isEmpty ? "." : path))" }
}

/// Walks a document along its schema: checks types, leaves out what is unknown, null or a zero value that means nothing,
/// and puts quantities and times into canonical form.
struct SchemaConformer {
    /// The paths of members that the schema does not know, in the order of the document; at most 100 are kept.
    private(set) var unknown: [String] = []
    private var path = FieldPath()
    /// Whether zero values and nulls stay, as they mean something in the configurations of server-side apply.
    private let keepsEmptyValues: Bool

    init(keepsEmptyValues: Bool = false) { self.keepsEmptyValues = keepsEmptyValues }

    mutating func conform(_ document: JSON, to message: MessageSchema) throws(TypeMismatch) -> JSON {
        guard case .object(let members) = document else { throw mismatch(document, "an object") }
        var result = JSONObject(minimumCapacity: members.count)
        for (key, value) in members {
            guard let field = message.field(key) else {
                if unknown.count < 100 { unknown.append(path.appending(key)) }
                continue
            }
            if case .null = value {
                if keepsEmptyValues { result[key] = .null }
                continue
            }
            path.push(key)
            let conformed = try conform(value, field.type)
            path.pop()
            if !keepsEmptyValues, !field.isPointer, !field.isAlwaysSerialized,
                conformed.isEmptyScalarOrCollection(field.type)
            {
                continue
            }
            result[key] = conformed
        }
        return .object(result)
    }

    private mutating func conform(_ value: JSON, _ type: FieldType) throws(TypeMismatch) -> JSON {
        switch type {
        case .string:
            guard case .string = value else { throw mismatch(value, "string") }
            return value
        case .int32:
            guard case .integer(let number) = value, Int32(exactly: number) != nil else {
                throw mismatch(value, "int32")
            }
            return value
        case .int64:
            guard case .integer = value else { throw mismatch(value, "int64") }
            return value
        case .bool:
            guard case .bool = value else { throw mismatch(value, "bool") }
            return value
        case .double:
            switch value {
            case .integer, .double: return value
            default: throw mismatch(value, "float64")
            }
        case .bytes: return try bytes(value)
        case .quantity: return try quantity(value)
        case .intOrString:
            switch value {
            case .string: return value
            case .integer(let number) where Int32(exactly: number) != nil: return value
            default: throw mismatch(value, "int32 or string")
            }
        case .time:
            let time = try timestamp(value)
            return .string(time.rfc3339)
        case .microTime:
            let time = try timestamp(value)
            return .string(time.rfc3339Microseconds)
        case .duration:
            guard case .string = value else { throw mismatch(value, "duration") }
            return value
        case .rawExtension, .fieldsV1:
            guard case .object = value else { throw mismatch(value, "an object") }
            return value
        case .anyJSON: return value
        case .message(let message):
            return try conform(value, to: message)
        case .array(let element):
            guard case .array(var elements) = value else { throw mismatch(value, "an array") }
            for index in elements.indices {
                path.push(index)
                elements[index] = try conform(zeroIfNull(elements[index], element), element)
                path.pop()
            }
            return .array(elements)
        case .map(let element):
            guard case .object(var members) = value else { throw mismatch(value, "a map") }
            for (index, key) in members.keys.enumerated() {
                path.push(key)
                members.values[index] = try conform(zeroIfNull(members.values[index], element), element)
                path.pop()
            }
            return .object(members)
        }
    }

    /// A null in a list or map stands for the zero value of the element.
    private func zeroIfNull(_ value: JSON, _ type: FieldType) -> JSON {
        guard case .null = value else { return value }
        switch type {
        case .string, .bytes, .duration: return ""
        case .int32, .int64, .double, .intOrString: return 0
        case .bool: return false
        case .quantity: return "0"
        case .message, .map: return [:]
        case .array: return []
        case .time, .microTime, .rawExtension, .fieldsV1, .anyJSON: return value
        }
    }

    private func bytes(_ value: JSON) throws(TypeMismatch) -> JSON {
        guard case .string(let text) = value else { throw mismatch(value, "base64 text") }
        do throws(Base64Error) {
            _ = try Base64.decode(text)
            return value
        } catch {
            throw TypeMismatch(path: path.description, problem: error.description)
        }
    }

    private func quantity(_ value: JSON) throws(TypeMismatch) -> JSON {
        let text: String
        switch value {
        case .string(let string): text = string
        case .integer(let number): text = String(number)
        case .double(let number): text = number.description
        default: throw mismatch(value, "quantity")
        }
        guard let quantity = ResourceQuantity(text) else {
            throw TypeMismatch(
                path: path.description,
                problem:
                    "quantities must match the regular expression '\(ResourceQuantity.pattern)', not \(JSON.string(text))"
            )
        }
        return .string(quantity.description)
    }

    private func timestamp(_ value: JSON) throws(TypeMismatch) -> Timestamp {
        guard case .string(let text) = value else { throw mismatch(value, "time") }
        guard let time = Timestamp(rfc3339: text) else {
            throw TypeMismatch(
                path: path.description,
                problem: "parsing time \(JSON.string(text)) as \"2006-01-02T15:04:05Z07:00\": cannot parse")
        }
        return time
    }

    private func mismatch(_ value: JSON, _ expected: String) -> TypeMismatch {
        let found =
            switch value {
            case .integer, .double: "number \(value)"
            default: value.goKind
            }
        return TypeMismatch(
            path: path.description, problem: "json: cannot unmarshal \(found) into a field of type \(expected)")
    }
}

extension ResourceQuantity {
    /// How Kubernetes' messages describe a quantity.
    package static let pattern = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
}

extension JSON {
    /// Whether the API leaves the value out unless its field is a pointer or always written.
    fileprivate func isEmptyScalarOrCollection(_ type: FieldType) -> Bool {
        switch (self, type) {
        case (.string(""), .string), (.string(""), .bytes), (.bool(false), .bool): true
        case (.integer(0), .int32), (.integer(0), .int64), (.integer(0), .double), (.double(0), .double): true
        case (.array(let elements), .array): elements.isEmpty
        case (.object(let members), .map): members.isEmpty
        default: false
        }
    }
}

/// A path of members and indices, written only when somebody asks.
struct FieldPath: CustomStringConvertible {
    private enum Step {
        case member(String)
        case index(Int)
    }
    private var steps: [Step] = []

    mutating func push(_ member: String) { steps.append(.member(member)) }
    mutating func push(_ index: Int) { steps.append(.index(index)) }
    mutating func pop() { steps.removeLast() }

    func appending(_ member: String) -> String {
        let own = description
        return own.isEmpty ? member : "\(own).\(member)"
    }

    var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .member(let name): text += text.isEmpty ? name : ".\(name)"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }
}
