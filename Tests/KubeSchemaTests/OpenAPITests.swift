import OrderedCollections
import Testing

@testable import KubeSchema

@Suite struct OpenAPITests {
    private let documents = OpenAPI(.builtin, version: "v1")

    @Test func `every reference leads somewhere`() throws {
        func references(_ value: JSON) -> Set<String> {
            switch value {
            case .array(let elements): elements.reduce(into: []) { $0.formUnion(references($1)) }
            case .object(let members):
                members.reduce(into: []) { found, member in
                    if member.key == "$ref", let name = member.value.string { found.insert(name) }
                    found.formUnion(references(member.value))
                }
            default: []
            }
        }
        let v2 = documents.v2()
        let definitions = try #require(v2["definitions"]?.object)
        for name in references(v2) {
            #expect(definitions[String(name.dropFirst("#/definitions/".count))] != nil, "\(name)")
        }
        for path in documents.groupVersions {
            let v3 = try #require(documents.v3(path))
            let schemas = try #require(v3["components", "schemas"]?.object)
            for name in references(v3) {
                #expect(schemas[String(name.dropFirst("#/components/schemas/".count))] != nil, "\(path) \(name)")
            }
        }
    }

    @Test func `every kind is found by its group, version and kind`() throws {
        for definition in ResourceCatalogue.builtin.definitions {
            let path = definition.group.isEmpty ? "api/v1" : "apis/\(definition.apiVersion)"
            let schemas = try #require(documents.v3(path)?["components", "schemas"]?.object)
            let wanted: JSON = [
                "group": .string(definition.group), "kind": .string(definition.kind),
                "version": .string(definition.version),
            ]
            #expect(
                schemas.values.contains { $0["x-kubernetes-group-version-kind"]?.array?.contains(wanted) ?? false },
                "\(definition.apiVersion) \(definition.kind)")
        }
    }

    @Test func `lists say how they are merged`() throws {
        let spec = try #require(
            documents.v3("api/v1")?["components", "schemas", "io.k8s.api.core.v1.PodSpec", "properties"])
        #expect(spec["containers", "x-kubernetes-patch-merge-key"] == "name")
        #expect(spec["volumes", "x-kubernetes-patch-strategy"] == "merge,retainKeys")
        #expect(spec["containers", "x-kubernetes-list-map-keys"] == ["name"])
        let container = documents.v2()["definitions", "io.k8s.api.core.v1.Container"]
        #expect(container?["required"] == ["name"])
        #expect(container?["properties", "command", "x-kubernetes-list-type"] == "atomic")
    }

    @Test func `descriptions are of kinds and fields that there are`() throws {
        let v2 = documents.v2()
        let pod = try #require(v2["definitions", "io.k8s.api.core.v1.Pod"])
        #expect(pod["description"]?.string?.hasPrefix("A group of containers") == true)
        let containers = v2["definitions", "io.k8s.api.core.v1.PodSpec", "properties", "containers", "description"]
        #expect(containers?.string?.hasPrefix("The pod's containers") == true)
    }
}
