import OrderedCollections

/// Writes a Swagger 2.0 document as the protobuf message `openapi.v2.Document`, which is how kubectl reads it.
///
/// Source of the field numbers: `openapiv2/OpenAPIv2.proto` of github.com/google/gnostic. Written are the members that
/// ``OpenAPI`` makes; extensions (`x-…`) go as YAML text, of which JSON is a part.
package enum GnosticEncoder {
    package static func document(_ document: JSON) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(field: 1, text: document["swagger"]?.string ?? "")
        bytes.append(field: 2) { info in
            info.append(field: 1, text: document["info"]?["title"]?.string ?? "")
            info.append(field: 2, text: document["info"]?["version"]?.string ?? "")
        }
        bytes.append(field: 8) { paths in
            for (path, item) in document["paths"]?.object ?? [:] {
                paths.append(field: 2) { named in
                    named.append(field: 1, text: path)
                    named.append(field: 2) { pathItem(item, to: &$0) }
                }
            }
        }
        bytes.append(field: 9) { named(document["definitions"], to: &$0) }
        return bytes
    }

    /// A map of schemas as a repeated field 1 of name and schema.
    private static func named(_ schemas: JSON?, to bytes: inout [UInt8]) {
        for (name, value) in schemas?.object ?? [:] {
            bytes.append(field: 1) { entry in
                entry.append(field: 1, text: name)
                entry.append(field: 2) { schema(value, to: &$0) }
            }
        }
    }

    private static func schema(_ schema: JSON, to bytes: inout [UInt8]) {
        for (key, value) in schema.object ?? [:] {
            switch key {
            case "$ref": bytes.append(field: 1, text: value.string ?? "")
            case "format": bytes.append(field: 2, text: value.string ?? "")
            case "description": bytes.append(field: 4, text: value.string ?? "")
            case "default": bytes.append(field: 5) { any(value, to: &$0) }
            case "required":
                for name in value.array ?? [] { bytes.append(field: 19, text: name.string ?? "") }
            case "additionalProperties":
                bytes.append(field: 21) { item in item.append(field: 1) { self.schema(value, to: &$0) } }
            case "type":
                bytes.append(field: 22) { $0.append(field: 1, text: value.string ?? "") }
            case "items":
                bytes.append(field: 23) { item in item.append(field: 1) { self.schema(value, to: &$0) } }
            case "properties": bytes.append(field: 25) { named(value, to: &$0) }
            default: `extension`(key, value, field: 31, to: &bytes)
            }
        }
    }

    private static func any(_ value: JSON, to bytes: inout [UInt8]) { bytes.append(field: 2, text: value.description) }

    private static func `extension`(_ name: String, _ value: JSON, field: Int, to bytes: inout [UInt8]) {
        guard name.hasPrefix("x-") else { return }
        bytes.append(field: field) { entry in
            entry.append(field: 1, text: name)
            entry.append(field: 2) { any(value, to: &$0) }
        }
    }

    private static let methods = ["get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8]

    private static func pathItem(_ item: JSON, to bytes: inout [UInt8]) {
        for (key, value) in item.object ?? [:] {
            if let field = methods[key] { bytes.append(field: field) { operation(value, to: &$0) } }
            if key == "parameters" {
                for parameter in value.array ?? [] { bytes.append(field: 9) { self.parameter(parameter, to: &$0) } }
            }
        }
    }

    private static func operation(_ operation: JSON, to bytes: inout [UInt8]) {
        for (key, value) in operation.object ?? [:] {
            switch key {
            case "tags": for tag in value.array ?? [] { bytes.append(field: 1, text: tag.string ?? "") }
            case "operationId": bytes.append(field: 5, text: value.string ?? "")
            case "consumes": for type in value.array ?? [] { bytes.append(field: 7, text: type.string ?? "") }
            case "parameters":
                for parameter in value.array ?? [] { bytes.append(field: 8) { self.parameter(parameter, to: &$0) } }
            case "responses": bytes.append(field: 9) { responses(value, to: &$0) }
            default: `extension`(key, value, field: 13, to: &bytes)
            }
        }
    }

    private static func responses(_ responses: JSON, to bytes: inout [UInt8]) {
        for (code, response) in responses.object ?? [:] {
            bytes.append(field: 1) { named in
                named.append(field: 1, text: code)
                named.append(field: 2) { value in
                    value.append(field: 1) { message in
                        message.append(field: 1, text: response["description"]?.string ?? "")
                        message.append(field: 2) { item in
                            item.append(field: 1) { schema(response["schema"] ?? [:], to: &$0) }
                        }
                    }
                }
            }
        }
    }

    /// A `ParametersItem` {1 Parameter}: 1 of a body, 2 {3 query, 4 path} of anything else.
    private static func parameter(_ parameter: JSON, to bytes: inout [UInt8]) {
        let (name, place) = (parameter["name"]?.string ?? "", parameter["in"]?.string ?? "")
        let isRequired: UInt64 = parameter["required"] == true ? 1 : 0
        let description = parameter["description"]?.string ?? ""
        bytes.append(field: 1) { item in
            if place == "body" {
                item.append(field: 1) { body in
                    body.append(field: 2, text: name)
                    body.append(field: 3, text: place)
                    body.append(field: 4, varint: isRequired)
                    body.append(field: 5) { schema(parameter["schema"] ?? [:], to: &$0) }
                }
                return
            }
            item.append(field: 2) { other in
                other.append(field: place == "path" ? 4 : 3) { message in
                    message.append(field: 1, varint: isRequired)
                    message.append(field: 2, text: place)
                    message.append(field: 3, text: description)
                    message.append(field: 4, text: name)
                    message.append(field: place == "path" ? 5 : 6, text: parameter["type"]?.string ?? "")
                }
            }
        }
    }
}
