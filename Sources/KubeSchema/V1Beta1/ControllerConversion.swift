import OrderedCollections

/// Replication controllers: `desiredState.podTemplate.desiredState.manifest` is `v1`'s `spec.template.spec`.
extension V1Beta1 {
    static func controllerToV1(_ flat: JSON, _ repairs: inout Repairs) throws(ConversionError) -> JSON {
        repairs.unknown(in: flat, at: "", known: commonNames.union(["desiredState", "currentState"]))
        let desired = flat.member("desiredState") ?? [:]
        repairs.unknown(
            in: desired, at: "desiredState", known: ["replicas", "replicasInSet", "replicaSelector", "podTemplate"])
        var replicas = desired.member("replicas")
        if replicas == .none, let old = desired.member("replicasInSet") {
            repairs.note("desiredState.replicasInSet is taken as desiredState.replicas")
            replicas = old
        }
        var spec: JSONObject = [:]
        spec["replicas"] = repairs.number(replicas, at: "desiredState.replicas") ?? 0
        var selector = repairs.strings(desired.member("replicaSelector"), at: "desiredState.replicaSelector")
        var ports = PortNames()
        if let podTemplate = desired.member("podTemplate") {
            var template = try templateToV1(podTemplate, ports: &ports, &repairs)
            let labels = template["metadata", "labels"]
            if labels == .none, let selector, selector.object?.isEmpty == false {
                repairs.note("desiredState.podTemplate.labels is missing: desiredState.replicaSelector is taken")
                template["metadata", "labels"] = selector
            } else if selector?.object?.isEmpty != false, let labels {
                repairs.note("desiredState.replicaSelector is missing: desiredState.podTemplate.labels is taken")
                selector = labels
            }
            spec["template"] = template
        }
        spec["selector"] = selector
        var result: JSON = [
            "apiVersion": "v1", "kind": "ReplicationController", "metadata": .object(metadataToV1(flat, &repairs)),
        ]
        result["spec"] = .object(spec)
        if let observed = flat["currentState", "replicas"] { result["status"] = ["replicas": observed] }
        return result
    }

    private static func templateToV1(
        _ template: JSON, ports: inout PortNames, _ repairs: inout Repairs
    ) throws(ConversionError) -> JSON {
        let path = "desiredState.podTemplate"
        guard template.object != nil else {
            throw .malformed("\(path): expected an object, found \(template.typeName)")
        }
        repairs.unknown(
            in: template, at: path,
            known: [
                "labels", "annotations", "nodeSelector", "desiredState", "manifest", "containers", "volumes",
                "restartPolicy",
            ])
        var state = template.member("desiredState")?.object ?? [:]
        let hasProperPlace = state["manifest"]?.isNull == false || state["containers"]?.isNull == false
        if hasProperPlace {
            for key in ["manifest", "containers"] where template.member(key) != nil {
                repairs.note("\(path).\(key) is ignored beside \(path).desiredState")
            }
        } else if let manifest = template.member("manifest") {
            repairs.note("\(path).manifest is taken as \(path).desiredState.manifest, where it belongs")
            state["manifest"] = manifest
        } else if template.member("containers") != nil {
            repairs.note("\(path).containers is taken as \(path).desiredState.manifest.containers, where it belongs")
            state["manifest"] = .object(
                (template.object ?? [:]).filter { ["containers", "volumes", "restartPolicy"].contains($0.key) })
        }
        var spec = try stateToSpec(.object(state), at: "\(path).desiredState", ports: &ports, &repairs)
        spec["nodeSelector"] = repairs.strings(template.member("nodeSelector"), at: "\(path).nodeSelector")
        var metadata: JSONObject = [:]
        metadata["labels"] = repairs.strings(template.filled("labels"), at: "\(path).labels")
        if metadata["labels"] == .none, let misplaced = misplacedLabels(.object(state)) {
            repairs.note("\(path).labels is where the template's labels belong: they are taken from further in")
            metadata["labels"] = misplaced
        }
        metadata["annotations"] = repairs.strings(template.member("annotations"), at: "\(path).annotations")
        if let names = ports.annotation { annotate(&metadata, portNamesAnnotation, names) }
        return ["metadata": .object(metadata), "spec": .object(spec)]
    }

    static func controllerFromV1(_ object: JSON) -> JSON {
        let spec = object.member("spec") ?? [:]
        var result = common(metadata: object.member("metadata") ?? [:], kind: "ReplicationController", withLabels: true)
        var desired: JSONObject = ["replicas": spec.member("replicas") ?? 1]
        desired["replicaSelector"] = spec.member("selector") ?? [:]
        if let template = spec.member("template") {
            let metadata = template.member("metadata") ?? [:]
            var old: JSONObject = [:]
            old["desiredState"] = stateFromSpec(
                template.member("spec"), name: nil, ports: PortNames(metadata: metadata))
            old["labels"] = metadata.filled("labels")
            var annotations = metadata.member("annotations")?.object ?? [:]
            annotations[portNamesAnnotation] = .none
            if !annotations.isEmpty { old["annotations"] = .object(annotations) }
            old["nodeSelector"] = template.member("spec")?.filled("nodeSelector")
            desired["podTemplate"] = .object(old)
        }
        result["desiredState"] = .object(desired)
        result["currentState"] = ["replicas": object["status", "replicas"] ?? 0, "podTemplate": ["desiredState": [:]]]
        return .object(result)
    }
}
