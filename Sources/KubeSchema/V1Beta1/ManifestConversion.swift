import OrderedCollections

/// Container manifests, `desiredState.manifest`, and `v1`'s pod spec.
extension V1Beta1 {
    static func manifestToSpec(
        _ manifest: JSON, at path: String, ports: inout PortNames, _ repairs: inout Repairs
    ) throws(ConversionError) -> JSONObject {
        guard manifest.object != nil else {
            throw .malformed("\(path): expected an object, found \(manifest.typeName)")
        }
        repairs.unknown(
            in: manifest, at: path,
            known: [
                "version", "id", "uuid", "volumes", "containers", "restartPolicy", "dnsPolicy", "hostNetwork", "labels",
            ])
        var spec: JSONObject = [:]
        if let volumes = manifest.member("volumes") {
            spec["volumes"] = try list(volumes, at: "\(path).volumes") { volume, path throws(ConversionError) in
                try volumeToV1(volume, at: path, &repairs)
            }
        }
        spec["containers"] = try list(manifest.member("containers") ?? [], at: "\(path).containers") {
            container, path throws(ConversionError) in
            try containerToV1(container, at: path, ports: &ports, &repairs)
        }
        if let policy = manifest.member("restartPolicy") {
            spec["restartPolicy"] = try restartPolicy(policy, at: "\(path).restartPolicy", &repairs)
        }
        spec["dnsPolicy"] = manifest.member("dnsPolicy")
        spec["hostNetwork"] = manifest.member("hostNetwork")
        return spec
    }

    static func list(
        _ value: JSON, at path: String, _ convert: (JSON, String) throws(ConversionError) -> JSON
    ) throws(ConversionError) -> JSON {
        guard let elements = value.array else {
            throw .malformed("\(path): expected a list, found \(value.typeName)")
        }
        var result: [JSON] = []
        for (index, element) in elements.enumerated() {
            let path = "\(path)[\(index)]"
            guard element.object != nil else {
                throw .malformed("\(path): expected an object, found \(element.typeName)")
            }
            result.append(try convert(element, path))
        }
        return .array(result)
    }

    /// `{"onFailure": {}}`, besides `v1`'s string and the `{"type": "RestartOnFailure"}` of mid-2014.
    static func restartPolicy(
        _ policy: JSON, at path: String, _ repairs: inout Repairs
    ) throws(ConversionError) -> JSON? {
        let names = ["always": "Always", "onfailure": "OnFailure", "never": "Never"]
        func known(_ text: String) -> String? {
            let lower = text.lowercased()
            return names[lower.hasPrefix("restart") ? String(lower.dropFirst(7)) : lower]
        }
        if let text = policy.string ?? policy.text("type") {
            guard let name = known(text) else {
                throw .invalid(field: path, detail: "Invalid value: \"\(text)\": expected always, onFailure or never")
            }
            repairs.note("\(path): written as {\"\(name.prefix(1).lowercased() + name.dropFirst())\": {}} in v1beta1")
            return .string(name)
        }
        guard let members = policy.object else {
            throw .malformed("\(path): expected an object, found \(policy.typeName)")
        }
        let chosen = members.filter { !$0.value.isNull }.keys
        if chosen.isEmpty { return nil }
        guard chosen.count == 1, let name = names[chosen[0].lowercased()] else {
            throw .invalid(
                field: path,
                detail: "Invalid value: \(chosen.joined(separator: ", ")): only 1 policy is allowed, "
                    + "of always, onFailure and never")
        }
        return .string(name)
    }

    static func manifestFromSpec(_ spec: JSON, name: String?, ports: PortNames) -> JSON {
        var manifest: JSONObject = ["version": "v1beta1", "id": .string(name ?? "")]
        manifest["volumes"] = spec.member("volumes")?.array.map { .array($0.map(volumeFromV1)) } ?? .null
        manifest["containers"] =
            spec.member("containers")?.array.map { .array($0.map { containerFromV1($0, ports: ports) }) } ?? .null
        switch spec.text("restartPolicy") {
        case "OnFailure": manifest["restartPolicy"] = ["onFailure": [:]]
        case "Never": manifest["restartPolicy"] = ["never": [:]]
        default: manifest["restartPolicy"] = ["always": [:]]
        }
        manifest["dnsPolicy"] = spec.member("dnsPolicy")
        manifest["hostNetwork"] = spec.member("hostNetwork")
        return .object(manifest)
    }

    // MARK: - Volumes

    /// Names of volume sources: this version's, `v1`'s, and older or `v1` spellings that are taken too.
    private static let sources: [(old: String, new: String, alias: [String])] = [
        ("hostDir", "hostPath", ["hostPath", "hostDirectory"]), ("emptyDir", "emptyDir", ["emptyDirectory"]),
        ("persistentDisk", "gcePersistentDisk", ["gcePersistentDisk", "GCEPersistentDisk"]), ("gitRepo", "gitRepo", []),
    ]

    private static func volumeToV1(
        _ volume: JSON, at path: String, _ repairs: inout Repairs
    ) throws(ConversionError) -> JSON {
        var result: JSONObject = [:]
        result["name"] = repairs.string(volume.member("name"), at: "\(path).name")
        let direct = (volume.object ?? [:]).filter { $0.key != "name" && $0.key != "source" && !$0.value.isNull }
        var source = volume.member("source")?.object ?? [:]
        if source.isEmpty, !direct.isEmpty {
            repairs.note("\(path): \(direct.keys.joined(separator: ", ")) belongs into \(path).source")
            source = direct
        }
        source = source.filter { !$0.value.isNull }
        guard source.count <= 1 else {
            throw .invalid(
                field: "\(path).source",
                detail: "Invalid value: \(source.keys.joined(separator: ", ")): exactly 1 volume type is required")
        }
        guard let (key, value) = source.elements.first else {
            result["emptyDir"] = [:]
            return .object(result)
        }
        guard let names = sources.first(where: { $0.old == key || $0.alias.contains(key) }) else {
            repairs.note("\(path).source.\(key) is no volume of v1beta1: it is taken as v1's")
            result[key] = value
            return .object(result)
        }
        if names.old != key { repairs.note("\(path).source.\(key) is taken as \(names.old)") }
        result[names.new] = value
        return .object(result)
    }

    private static func volumeFromV1(_ volume: JSON) -> JSON {
        var result: JSONObject = [:]
        result["name"] = volume.member("name")
        var source: JSONObject = [:]
        for names in sources {
            if let value = volume.member(names.new) { source[names.old] = value.withoutHostPathType(names.new) }
        }
        result["source"] = .object(source)
        return .object(result)
    }
}

extension JSON {
    /// A host path's `type` came after this version.
    fileprivate func withoutHostPathType(_ source: String) -> JSON {
        guard source == "hostPath", case .object(var members) = self else { return self }
        members["type"] = .none
        return .object(members)
    }
}
