import Testing

@testable import KubeSchema

@Suite struct SchemaTableTests {
    @Test func allGroupsAreLinked() {
        let table = SchemaTable.builtin
        #expect(table.names.count > 500)
        for group in SchemaFacts.all.map(\.group) {
            #expect(table.names.contains { $0.hasPrefix("\(group).") }, "\(group)")
        }
    }

    @Test func noMessageUsesAFieldNameOrNumberTwice() throws {
        for name in SchemaTable.builtin.names {
            let message = try #require(SchemaTable.builtin.message(name))
            #expect(Set(message.fields.map(\.name)).count == message.fields.count, "\(name)")
            let own = message.fields.dropLast(message.embedded.map(\.message.fields.count).reduce(0, +))
            let numbers = own.map(\.number).filter { $0 > 0 } + message.embedded.map(\.number)
            #expect(Set(numbers).count == numbers.count, "\(name)")
        }
    }

    @Test(
        arguments: [
            ("core/v1.Pod", "spec", 2), ("core/v1.Container", "image", 2), ("core/v1.Volume", "emptyDir", 2),
            ("core/v1.Probe", "httpGet", 2), ("apps/v1.Deployment", "spec", 2), ("meta/v1.ObjectMeta", "labels", 11),
            ("coordination/v1.LeaseSpec", "renewTime", 4), ("core/v1.Pod", "kind", 0),
        ])
    func fieldsAreFoundByNameAndKnowTheirNumber(_ message: String, _ field: String, _ number: Int) throws {
        #expect(try #require(SchemaTable.builtin.message(message)).field(field)?.number == number)
    }

    @Test func listsKnowHowTheyAreMerged() throws {
        let spec = try #require(SchemaTable.builtin.message("core/v1.PodSpec"))
        #expect(spec.field("containers")?.patch == .init(merges: true, mergeKey: "name"))
        #expect(spec.field("volumes")?.patch.retainsKeys == true)
        let container = try #require(SchemaTable.builtin.message("core/v1.Container"))
        #expect(container.field("ports")?.list == .map(keys: ["containerPort", "protocol"]))
        #expect(container.field("command")?.list == .atomic)
        #expect(SchemaTable.builtin.message("core/v1.ContainerPort")?.field("protocol")?.defaultValue == "TCP")
    }

    @Test func everyResourceIsFoundByResourceAndByKind() {
        for definition in ResourceCatalogue.builtin.definitions {
            let (group, version) = (definition.group, definition.version)
            let byResource = ResourceCatalogue.builtin.resource(
                group: group, version: version, resource: definition.resource)
            let byKind = ResourceCatalogue.builtin.resource(apiVersion: definition.apiVersion, kind: definition.kind)
            #expect(byResource?.kind == definition.kind)
            #expect(byKind?.resource == definition.resource)
            #expect(definition.message.isTopLevel)
            #expect(definition.message.field("metadata") != nil)
            for subresource in definition.subresources {
                #expect(subresource.message != nil, "\(definition.resource)/\(subresource.name)")
            }
        }
        #expect(ResourceCatalogue.builtin.resource(group: "", version: "v1", resource: "pod") == nil)
    }
}
