import OrderedCollections

/// Events, bindings, namespaces and `Status`.
extension V1Beta1 {
    static func eventToV1(_ flat: JSON, _ repairs: inout Repairs) -> JSON {
        repairs.unknown(
            in: flat, at: "",
            known: commonNames.union([
                "involvedObject", "status", "reason", "message", "source", "host", "timestamp", "firstTimestamp",
                "lastTimestamp", "count",
            ]))
        var result: JSON = ["apiVersion": "v1", "kind": "Event", "metadata": .object(metadataToV1(flat, &repairs))]
        for key in ["involvedObject", "reason", "message"] { result[key] = flat.member(key) }
        var source: JSONObject = [:]
        source["component"] = flat.text("source").map { .string($0) }
        source["host"] = flat.text("host").map { .string($0) }
        if !source.isEmpty { result["source"] = .object(source) }
        let timestamp = flat.member("timestamp")
        result["firstTimestamp"] = flat.member("firstTimestamp") ?? timestamp
        result["lastTimestamp"] = flat.member("lastTimestamp") ?? timestamp
        result["count"] = flat.member("count") ?? 1
        return result
    }

    static func eventFromV1(_ object: JSON) -> JSON {
        var result = common(metadata: object.member("metadata") ?? [:], kind: "Event")
        for key in ["involvedObject", "reason", "message"] { result[key] = object.member(key) }
        result["source"] = object["source", "component"] ?? object.member("reportingComponent")
        result["host"] = object["source", "host"]
        let first = object.member("firstTimestamp") ?? object.member("eventTime")
        result["timestamp"] = object.member("lastTimestamp") ?? first
        result["firstTimestamp"] = first
        result["lastTimestamp"] = object.member("lastTimestamp")
        result["count"] = object.member("count")
        return .object(result)
    }

    static func bindingToV1(_ flat: JSON, _ repairs: inout Repairs) -> JSON {
        repairs.unknown(in: flat, at: "", known: commonNames.union(["podID", "host"]))
        var metadata = metadataToV1(flat, &repairs)
        if let pod = flat.member("podID") { metadata["name"] = pod }
        var target: JSONObject = ["kind": "Node"]
        target["name"] = flat.member("host")
        return ["apiVersion": "v1", "kind": "Binding", "metadata": .object(metadata), "target": .object(target)]
    }

    static func namespaceToV1(_ flat: JSON, _ repairs: inout Repairs) -> JSON {
        repairs.unknown(in: flat, at: "", known: commonNames.union(["spec", "status"]))
        var metadata = metadataToV1(flat, &repairs)
        metadata["namespace"] = .none
        var result: JSON = ["apiVersion": "v1", "kind": "Namespace", "metadata": .object(metadata)]
        for key in ["spec", "status"] { result[key] = flat.filled(key) }
        return result
    }

    static func namespaceFromV1(_ object: JSON) -> JSON {
        var result = common(metadata: object.member("metadata") ?? [:], kind: "Namespace", withLabels: true)
        for key in ["spec", "status"] { result[key] = object.member(key) ?? [:] }
        return .object(result)
    }

    static func statusFromV1(_ status: JSON) -> JSON {
        var result: JSONObject = ["kind": "Status", "creationTimestamp": nil, "apiVersion": "v1beta1"]
        for key in ["status", "message", "reason"] { result[key] = status.member(key) }
        if var details = status.member("details")?.object {
            if let name = details.removeValue(forKey: "name") { details["id"] = name }
            result["details"] = .object(details)
        }
        result["code"] = status.member("code")
        return .object(result)
    }
}
