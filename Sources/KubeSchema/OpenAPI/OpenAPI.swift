import OrderedCollections

/// The OpenAPI documents of a catalogue, generated from the schema: what clients validate by and explain from.
package struct OpenAPI: Sendable {
    private let catalogue: ResourceCatalogue
    private let table: SchemaTable
    /// What `info.version` says.
    private let version: String

    package init(_ catalogue: ResourceCatalogue, version: String) {
        self.catalogue = catalogue
        self.version = version
        table = .builtin
    }

    /// The paths below `/openapi/v3`, one a group and version: `api/v1`, `apis/apps/v1`.
    package var groupVersions: [String] {
        var paths: [String] = []
        for definition in catalogue.definitions {
            let path = Self.path(definition)
            if paths.last != path { paths.append(path) }
        }
        return paths
    }

    private static func path(_ definition: ResourceDefinition) -> String {
        definition.group.isEmpty ? "api/\(definition.version)" : "apis/\(definition.apiVersion)"
    }

    /// The OpenAPI 3.0 document of one group and version; `nil` when there is none.
    package func v3(_ path: String) -> JSON? {
        let definitions = catalogue.definitions.filter { Self.path($0) == path }
        guard !definitions.isEmpty else { return nil }
        let schemas = OpenAPISchemas(.v3, catalogue, table)
        return [
            "openapi": "3.0.0", "info": info, "paths": OpenAPIPaths(schemas, table).document(definitions),
            "components": ["schemas": schemas.definitions(reachableFrom: roots(definitions))],
        ]
    }

    /// The Swagger 2.0 document of everything.
    package func v2() -> JSON {
        let schemas = OpenAPISchemas(.v2, catalogue, table)
        return [
            "swagger": "2.0", "info": info,
            "paths": OpenAPIPaths(schemas, table).document(catalogue.definitions),
            "definitions": schemas.definitions(reachableFrom: roots(catalogue.definitions)),
        ]
    }

    private var info: JSON { ["title": "Kubernetes", "version": .string(version)] }

    private func roots(_ definitions: [ResourceDefinition]) -> [MessageSchema] {
        var roots = ["meta/v1.Status", "meta/v1.DeleteOptions"].compactMap(table.message)
        for definition in definitions {
            roots.append(definition.message)
            if let list = table.message(definition.message.name + "List") { roots.append(list) }
            roots += definition.subresources.compactMap(\.message)
        }
        return roots
    }
}
