import OrderedCollections

/// The body of an apply patch.
package enum ApplyConfiguration {
    /// Reads a configuration and brings its values into canonical form. Unlike other bodies it keeps zero values and
    /// nulls: to say that something is false or gone is to own it.
    ///
    /// - Parameter name: The object's name by the path, which a configuration may leave out.
    package static func decode(
        body: [UInt8], _ definition: ResourceDefinition, kind: String? = nil, apiVersion: String? = nil,
        message: MessageSchema? = nil, name: String, namespace: String?, validation: FieldValidation
    ) throws(BodyError) -> (configuration: JSON, warnings: [String]) {
        let kind = kind ?? definition.kind
        let apiVersion = apiVersion ?? definition.apiVersion
        let message = message ?? definition.message
        let (document, duplicates) = try parse(body)
        guard case .object = document else {
            throw BodyError("error decoding YAML: the configuration must be an object, not \(document.goKind)")
        }
        var configuration = document
        try checkIdentity(&configuration, kind, apiVersion, name, namespace)
        let place = [namespace, name].compactMap(\.self).joined(separator: "/")
        func refusal(_ why: String) -> BodyError {
            BodyError("failed to create typed patch object (\(place); \(apiVersion), Kind=\(kind)): \(why)")
        }
        var conformer = SchemaConformer(keepsEmptyValues: true)
        do throws(TypeMismatch) {
            configuration = try conformer.conform(configuration, to: message)
        } catch {
            throw refusal(".\(error.path): \(error.problem)")
        }
        let unknown = conformer.unknown.map { ".\($0): field not declared in schema" }
        var problems = unknown
        check(configuration, .root(message), at: "", &problems)
        if problems.count == 1 { throw refusal(problems[0]) }
        if problems.count > 1 {
            throw refusal("errors:\n" + problems.map { "  \($0)" }.joined(separator: "\n"))
        }
        let warnings = duplicates.map { "duplicate field \"\($0)\"" }
        if validation == .strict, !warnings.isEmpty {
            throw BodyError("error strict decoding YAML: \(warnings.joined(separator: ", "))")
        }
        return (configuration, validation == .ignore ? [] : warnings)
    }

    private static func parse(_ body: [UInt8]) throws(BodyError) -> (JSON, [String]) {
        var duplicates: [String] = []
        // Most clients send JSON, whatever they call it, and it is read much faster.
        if body.first(where: { $0 > 0x20 }) == UInt8(ascii: "{"),
            let document = try? JSON.parse(body.span, duplicates: &duplicates)
        {
            return (document, duplicates)
        }
        duplicates = []
        do throws(YAMLError) {
            return (try JSON.parse(yaml: body, duplicates: &duplicates), duplicates)
        } catch {
            throw BodyError("error decoding YAML: \(error)")
        }
    }

    private static func checkIdentity(
        _ configuration: inout JSON, _ kind: String, _ apiVersion: String, _ name: String, _ namespace: String?
    ) throws(BodyError) {
        if let given = configuration["kind"]?.string, !given.isEmpty, given != kind {
            throw BodyError("the kind in the configuration (\(given)) does not match the expected kind (\(kind))")
        }
        if let given = configuration["apiVersion"]?.string, !given.isEmpty, given != apiVersion {
            throw BodyError(
                "Incorrect version specified in apply patch. Specified patch version: \(given), expected: \(apiVersion)"
            )
        }
        if let fields = configuration["metadata"]?["managedFields"], !fields.isNull, fields != [] {
            throw BodyError("metadata.managedFields must be nil")
        }
        if let given = configuration["metadata"]?["name"]?.string, !given.isEmpty, given != name {
            throw BodyError("the name of the object (\(given)) does not match the name on the URL (\(name))")
        }
        if let namespace, let given = configuration["metadata"]?["namespace"]?.string, !given.isEmpty,
            given != namespace
        {
            throw BodyError(
                "the namespace of the provided object does not match the namespace sent on the request")
        }
        configuration["kind"] = .string(kind)
        configuration["apiVersion"] = .string(apiVersion)
        configuration["metadata", "name"] = .string(name)
        configuration["metadata", "managedFields"] = nil
    }

    /// Elements of lists that cannot be told apart.
    private static func check(_ value: JSON, _ shape: FieldShape, at path: String, _ problems: inout [String]) {
        switch (shape, value) {
        case (.record, .object(let members)), (.map, .object(let members)):
            for (name, value) in members {
                guard let member = shape.member(name) else { continue }
                check(value, member, at: "\(path).\(name)", &problems)
            }
        case (.set, .array(let items)), (.keyed, .array(let items)):
            var seen: Set<String> = []
            for (index, item) in items.enumerated() {
                guard let element = shape.pathElement(of: item) else {
                    if case .keyed(let keys, _) = shape {
                        let names = keys.map { "\"\($0)\"" }.joined(separator: ", ")
                        problems.append(
                            "\(path): element \(index): associative list with keys has an element that omits key field "
                                + "\(names) (and doesn't have default value)")
                    }
                    continue
                }
                let name = FieldSet.describe([element])
                if !seen.insert(element).inserted { problems.append("\(path): duplicate entries for key \(name)") }
                check(item, shape.element, at: path + name, &problems)
            }
        default: break
        }
    }
}
