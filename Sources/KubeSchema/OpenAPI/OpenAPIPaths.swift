import OrderedCollections

/// Writes what may be done to each resource as OpenAPI paths.
struct OpenAPIPaths {
    private let schemas: OpenAPISchemas
    private let table: SchemaTable

    init(_ schemas: OpenAPISchemas, _ table: SchemaTable) {
        self.schemas = schemas
        self.table = table
    }

    private struct Operation {
        var method: String
        /// Kubernetes' word for it: `list`, `post`, …
        var action: String
        var name: String
        var query: [String]
        var body: MessageSchema?
        var bodyTypes = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]
        var result: MessageSchema?
        var kind: (group: String, version: String, kind: String)
    }

    /// Parameters of queries: type and meaning.
    private static let parameters: [String: (type: String, description: String)] = [
        "allowWatchBookmarks": ("boolean", "Whether a watch may send events that only say how far it is."),
        "continue": ("string", "Where a list goes on, as its last page said."),
        "dryRun": ("string", "All: do everything but store the result."),
        "fieldManager": ("string", "Who makes the change, as managedFields is to name him."),
        "fieldSelector": ("string", "Only objects with these values of fields."),
        "fieldValidation": ("string", "What to do about unknown and repeated fields: Ignore, Warn or Strict."),
        "force": ("boolean", "Whether an apply patch takes fields over from other managers."),
        "gracePeriodSeconds": ("integer", "Seconds that the object has to end in good order; 0 is at once."),
        "labelSelector": ("string", "Only objects whose labels match."),
        "limit": ("integer", "The most objects that a page may have."),
        "propagationPolicy": ("string", "What becomes of dependents: Orphan, Background or Foreground."),
        "resourceVersion": ("string", "The version to list at, or to watch from."),
        "resourceVersionMatch": ("string", "How the version is meant: NotOlderThan or Exact."),
        "sendInitialEvents": ("boolean", "Whether a watch begins with all objects and says when it has sent them."),
        "timeoutSeconds": ("integer", "How long a list or watch may take."),
        "watch": ("boolean", "Whether changes are wanted instead of a list."),
    ]
    private static let listing = [
        "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion",
        "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
    ]
    private static let writing = ["dryRun", "fieldManager", "fieldValidation"]
    private static let deleting = ["dryRun", "gracePeriodSeconds", "propagationPolicy"]
    private static let patchTypes = [
        "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
    ]

    /// The paths of the resources of one group and version, or of all of them.
    func document(_ definitions: [ResourceDefinition]) -> JSON {
        var paths = JSONObject()
        for definition in definitions { add(definition, to: &paths) }
        paths.sort { $0.key < $1.key }
        return .object(paths)
    }

    private func add(_ definition: ResourceDefinition, to paths: inout JSONObject) {
        let root = definition.group.isEmpty ? "/api/\(definition.version)" : "/apis/\(definition.apiVersion)"
        let scope = definition.isNamespaced ? "\(root)/namespaces/{namespace}" : root
        let collection = "\(scope)/\(definition.resource)"
        let word = (definition.isNamespaced ? "Namespaced" : "") + definition.kind
        if definition.isNamespaced, definition.verbs.contains("list") {
            let all = operations(definition, ["list"], "\(definition.kind)ForAllNamespaces")
            paths["\(root)/\(definition.resource)"] = item(all, definition, path: [])
        }
        let onCollection = operations(definition, ["list", "create", "deletecollection"], word)
        let own = definition.isNamespaced ? ["namespace"] : []
        if !onCollection.isEmpty { paths[collection] = item(onCollection, definition, path: own) }
        let onObject = operations(definition, ["get", "update", "delete", "patch"], word)
        if !onObject.isEmpty { paths["\(collection)/{name}"] = item(onObject, definition, path: own + ["name"]) }
        for subresource in definition.subresources {
            let name = subresource.name.prefix(1).uppercased() + subresource.name.dropFirst()
            paths["\(collection)/{name}/\(subresource.name)"] = item(
                operations(subresource, word + name), definition, path: own + ["name"])
        }
    }

    private func operations(_ definition: ResourceDefinition, _ verbs: [String], _ word: String) -> [Operation] {
        let kind = (definition.group, definition.version, definition.kind)
        let message = definition.message
        let status = table.message("meta/v1.Status")
        let options = table.message("meta/v1.DeleteOptions")
        return verbs.filter { definition.verbs.contains($0) }.map { verb in
            switch verb {
            case "list":
                Operation(
                    method: "get", action: "list", name: "list" + word, query: Self.listing,
                    result: table.message(message.name + "List"), kind: kind)
            case "create":
                Operation(
                    method: "post", action: "post", name: "create" + word, query: Self.writing, body: message,
                    result: message, kind: kind)
            case "deletecollection":
                Operation(
                    method: "delete", action: "deletecollection", name: "deleteCollection" + word,
                    query: Self.deleting + ["fieldSelector", "labelSelector"], body: options, result: status, kind: kind
                )
            case "get":
                Operation(
                    method: "get", action: "get", name: "read" + word, query: ["resourceVersion"], result: message,
                    kind: kind)
            case "update":
                Operation(
                    method: "put", action: "put", name: "replace" + word, query: Self.writing, body: message,
                    result: message, kind: kind)
            case "delete":
                Operation(
                    method: "delete", action: "delete", name: "delete" + word, query: Self.deleting, body: options,
                    result: status, kind: kind)
            default: Self.patch(word, message, kind, table)
            }
        }
    }

    private static func patch(
        _ word: String, _ message: MessageSchema?, _ kind: (String, String, String), _ table: SchemaTable
    ) -> Operation {
        Operation(
            method: "patch", action: "patch", name: "patch" + word, query: writing + ["force"], body: nil,
            bodyTypes: patchTypes, result: message, kind: kind)
    }

    private func operations(_ subresource: SubresourceDefinition, _ word: String) -> [Operation] {
        let kind = (subresource.group, subresource.version, subresource.kind)
        let message = subresource.message
        // Options of a stream are parameters, not documents.
        let isDocument = !subresource.kind.hasSuffix("Options") && subresource.name != "log"
        return subresource.verbs.compactMap { verb in
            switch (verb, isDocument) {
            case ("get", true):
                Operation(method: "get", action: "get", name: "read" + word, query: [], result: message, kind: kind)
            case ("update", true):
                Operation(
                    method: "put", action: "put", name: "replace" + word, query: Self.writing, body: message,
                    result: message, kind: kind)
            case ("create", true):
                Operation(
                    method: "post", action: "post", name: "create" + word, query: Self.writing, body: message,
                    result: message, kind: kind)
            case ("patch", true): Self.patch(word, message, kind, table)
            case ("get", false):
                Operation(method: "get", action: "connect", name: "connectGet" + word, query: [], kind: kind)
            case ("create", false):
                Operation(method: "post", action: "connect", name: "connectPost" + word, query: [], kind: kind)
            default: nil
            }
        }
    }

    // MARK: - Writing

    private func item(_ operations: [Operation], _ definition: ResourceDefinition, path: [String]) -> JSON {
        var item = JSONObject()
        let tag = Self.tag(definition)
        for operation in operations { item[operation.method] = document(operation, tag) }
        let parameters = path.map { name -> JSON in
            let meaning = name == "name" ? "The object's name." : "The object's namespace."
            return parameter(name, place: "path", type: "string", meaning)
        }
        if !parameters.isEmpty { item["parameters"] = .array(parameters) }
        return .object(item)
    }

    private func parameter(_ name: String, place: String, type: String, _ description: String) -> JSON {
        var parameter: JSON = ["name": .string(name), "in": .string(place), "description": .string(description)]
        if place == "path" { parameter["required"] = true }
        if schemas.version == .v3 {
            parameter["schema"] = ["type": .string(type)]
        } else {
            parameter["type"] = .string(type)
        }
        return parameter
    }

    private func document(_ operation: Operation, _ tag: (tag: String, word: String)) -> JSON {
        let kind = operation.kind
        let verb = operation.name.prefix { $0.isLowercase }
        var parameters = operation.query.map { name -> JSON in
            let known = Self.parameters[name] ?? ("string", "")
            return parameter(name, place: "query", type: known.type, known.description)
        }
        var document: JSON = [
            "operationId": .string("\(verb)\(tag.word)\(operation.name.dropFirst(verb.count))"),
            "tags": [.string(tag.tag)], "x-kubernetes-action": .string(operation.action),
            "x-kubernetes-group-version-kind": [
                "group": .string(kind.group), "version": .string(kind.version), "kind": .string(kind.kind),
            ],
        ]
        let takesBody = operation.body != nil || operation.action == "patch"
        let body = operation.body.map { schemas.reference($0) } ?? ["type": "object"]
        let result = operation.result.map { schemas.reference($0) } ?? ["type": "string"]
        if schemas.version == .v2 {
            if takesBody {
                parameters.append(["name": "body", "in": "body", "required": true, "schema": body])
                document["consumes"] = .array(operation.bodyTypes.map { .string($0) })
            }
            document["responses"] = ["200": ["description": "OK", "schema": result]]
        } else {
            if takesBody {
                let content = operation.bodyTypes.map { ($0, ["schema": body] as JSON) }
                document["requestBody"] = ["content": .object(JSONObject(uniqueKeysWithValues: content))]
            }
            let content: JSON = ["application/json": ["schema": result]]
            document["responses"] = ["200": ["description": "OK", "content": content]]
        }
        if !parameters.isEmpty { document["parameters"] = .array(parameters) }
        return document
    }

    /// A group's name as tags (`rbacAuthorization_v1`) and as the middle of operation names (`RbacAuthorizationV1`).
    private static func tag(_ definition: ResourceDefinition) -> (tag: String, word: String) {
        var group = definition.group.isEmpty ? "core" : definition.group
        if group.hasSuffix(".k8s.io") { group.removeLast(".k8s.io".count) }
        let words = group.split(separator: ".").map { $0.prefix(1).uppercased() + $0.dropFirst() }
        let word = words.joined()
        let version = definition.version.prefix(1).uppercased() + definition.version.dropFirst()
        return ("\(word.prefix(1).lowercased())\(word.dropFirst())_\(definition.version)", "\(word)\(version)")
    }
}
