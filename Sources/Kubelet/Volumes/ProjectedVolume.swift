package import KubeSchema
import OrderedCollections

/// Collects the files of `secret`, `configMap`, `downwardAPI` and `projected` volumes. Reads objects, writes nothing.
package enum ProjectedVolume {
    /// Returns the files of `volume` by relative path, or `nil` when it is of another type.
    package static func files(
        of volume: JSON, pod: DesiredPod, facts: PodFacts, objects: some ReferencedObjects
    ) async throws(ContainerConfigurationError) -> [String: ProjectedFile]? {
        if let source = volume["secret"], !source.isNull {
            return try await secret(
                source, name: source["secretName"]?.string ?? source["name"]?.string ?? "", mode(source, 0o644), pod,
                objects)
        }
        if let source = volume["configMap"], !source.isNull {
            return try await configMap(source, mode(source, 0o644), pod, objects)
        }
        if let source = volume["downwardAPI"], !source.isNull {
            return try downward(source, mode(source, 0o644), pod, facts)
        }
        guard let projected = volume["projected"], !projected.isNull else { return nil }
        let standard = mode(projected, 0o644)
        var files: [String: ProjectedFile] = [:]
        for source in projected["sources"]?.array ?? [] {
            let part: [String: ProjectedFile]
            if let secret = source["secret"] {
                part = try await self.secret(secret, name: secret["name"]?.string ?? "", standard, pod, objects)
            } else if let map = source["configMap"] {
                part = try await configMap(map, standard, pod, objects)
            } else if let downward = source["downwardAPI"] {
                part = try self.downward(downward, standard, pod, facts)
            } else {
                let kind = source.object?.keys.first ?? "nothing"
                throw ContainerConfigurationError(
                    "projected volume: expected secret, configMap or downwardAPI, found \(kind)")
            }
            files.merge(part) { $1 }
        }
        return files
    }

    private static func mode(_ source: JSON, _ standard: UInt32) -> UInt32 {
        source["defaultMode"]?.integer.flatMap { UInt32(exactly: $0) } ?? standard
    }

    private static func secret(
        _ source: JSON, name: String, _ mode: UInt32, _ pod: DesiredPod, _ objects: some ReferencedObjects
    ) async throws(ContainerConfigurationError) -> [String: ProjectedFile] {
        let object = try await objects.secret(name, namespace: pod.reference.namespace)
        guard let object else {
            if source["optional"]?.bool == true { return [:] }
            throw ContainerConfigurationError("secret \"\(name)\" not found")
        }
        return try select(SecretData.bytes(of: object), source, mode, "secret \(name)")
    }

    private static func configMap(
        _ source: JSON, _ mode: UInt32, _ pod: DesiredPod, _ objects: some ReferencedObjects
    ) async throws(ContainerConfigurationError) -> [String: ProjectedFile] {
        let name = source["name"]?.string ?? ""
        let object = try await objects.configMap(name, namespace: pod.reference.namespace)
        guard let object else {
            if source["optional"]?.bool == true { return [:] }
            throw ContainerConfigurationError("configmap \"\(name)\" not found")
        }
        return try select(SecretData.bytes(ofConfigMap: object), source, mode, "configmap \(name)")
    }

    /// All keys under their own names, or those that `items` lists under the paths it gives.
    private static func select(
        _ data: [String: [UInt8]], _ source: JSON, _ mode: UInt32, _ what: String
    ) throws(ContainerConfigurationError) -> [String: ProjectedFile] {
        guard let items = source["items"]?.array, !items.isEmpty else {
            return data.mapValues { ProjectedFile(contents: $0, mode: mode) }
        }
        var files: [String: ProjectedFile] = [:]
        for item in items {
            let key = item["key"]?.string ?? ""
            guard let contents = data[key] else {
                if source["optional"]?.bool == true { continue }
                throw ContainerConfigurationError("\(what) references non-existent key: \(key)")
            }
            let path = try checked(item["path"]?.string ?? key)
            files[path] = ProjectedFile(
                contents: contents, mode: item["mode"]?.integer.flatMap { UInt32(exactly: $0) } ?? mode)
        }
        return files
    }

    private static func downward(
        _ source: JSON, _ mode: UInt32, _ pod: DesiredPod, _ facts: PodFacts
    ) throws(ContainerConfigurationError) -> [String: ProjectedFile] {
        var files: [String: ProjectedFile] = [:]
        for item in source["items"]?.array ?? [] {
            let path = try checked(item["path"]?.string ?? "")
            let text: String
            if let field = item["fieldRef", "fieldPath"]?.string {
                guard let value = DownwardFields.value(of: field, pod: pod, facts: facts) else {
                    throw ContainerConfigurationError("downwardAPI: unsupported fieldPath \(field)")
                }
                text = value
            } else {
                text = try DownwardFields.resource(
                    item["resourceFieldRef"] ?? .null, of: pod, defaultContainer: nil, facts: facts)
            }
            files[path] = ProjectedFile(
                contents: Array(text.utf8), mode: item["mode"]?.integer.flatMap { UInt32(exactly: $0) } ?? mode)
        }
        return files
    }

    /// A path that stays in the volume.
    private static func checked(_ path: String) throws(ContainerConfigurationError) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.isEmpty, !parts.contains(where: { $0.isEmpty || $0 == "." || $0.hasPrefix("..") }) else {
            throw ContainerConfigurationError("\"\(path)\" is no path inside a volume: it must be relative, without ..")
        }
        return path
    }
}
