import Testing

@testable import KubeSchema

/// Builds documents and definitions for the tests of this target.
enum Fixtures {
    static func definition(_ kind: String) throws -> ResourceDefinition {
        try #require(ResourceCatalogue.builtin.definitions.first { $0.kind == kind })
    }

    static func json(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

    /// Decodes strictly and fills in defaults, as the API server does before it validates.
    static func object(_ text: String) throws -> (JSON, ResourceDefinition) {
        let raw = try json(text)
        let definition = try definition(raw["kind"]?.string ?? "")
        var (object, _) = try RequestDecoder.decode(
            body: Array(text.utf8), contentType: nil, as: definition, validation: .strict)
        Defaults.apply(to: &object, definition)
        return (object, definition)
    }

    /// A pod of one container, whose spec and container are extended by the members given.
    static func pod(_ container: String = "", spec: String = "", metadata: String = "") -> String {
        """
        {"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","namespace":"default"\(metadata)},
         "spec":{"containers":[{"name":"c","image":"nginx"\(container)}]\(spec)}}
        """
    }
}
