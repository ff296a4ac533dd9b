import OrderedCollections

/// Minions, `v1`'s nodes.
extension V1Beta1 {
    static func nodeToV1(_ flat: JSON, _ repairs: inout Repairs) -> JSON {
        repairs.unknown(in: flat, at: "", known: commonNames.union(["hostIP", "resources", "status"]))
        var metadata = metadataToV1(flat, &repairs)
        metadata["namespace"] = .none  // sent by the kubectl of the time, and quietly cleared
        var status: JSONObject = [:]
        if let capacity = flat["resources", "capacity"]?.object {
            var amounts: JSONObject = [:]
            for (name, amount) in capacity {
                switch (name, amount) {
                case ("cpu", _):
                    amounts[name] =
                        HistoricQuantity.milli(amount).map { HistoricQuantity.cores(milli: $0) } ?? amount
                case (_, .integer(let number)): amounts[name] = .string("\(number)")
                default: amounts[name] = amount
                }
            }
            status["capacity"] = .object(amounts)
        }
        if let phase = flat["status"]?.text("phase") { status["phase"] = .string(phase) }
        if let conditions = flat["status"]?.member("conditions")?.array {
            status["conditions"] = .array(
                conditions.map { condition in
                    var result: JSONObject = ["type": condition.member("kind") ?? ""]
                    result["status"] = .string(truth(condition.text("status")))
                    result["lastHeartbeatTime"] = condition.member("lastProbeTime")
                    for key in ["lastTransitionTime", "reason", "message"] { result[key] = condition.member(key) }
                    return .object(result)
                })
        }
        if let address = flat.text("hostIP") {
            status["addresses"] = [["type": "InternalIP", "address": .string(address)]]
        }
        var result: JSON = ["apiVersion": "v1", "kind": "Node", "metadata": .object(metadata)]
        if !status.isEmpty { result["status"] = .object(status) }
        return result
    }

    static func nodeFromV1(_ object: JSON, kind: String) -> JSON {
        var result = common(metadata: object.member("metadata") ?? [:], kind: kind, withLabels: true)
        let status = object.member("status") ?? [:]
        let addresses = status.member("addresses")?.array ?? []
        result["hostIP"] = addresses.first { $0.text("type") == "InternalIP" }?.member("address")
        var capacity: JSONObject = [:]
        if let cpu = HistoricQuantity.milli(status["capacity", "cpu"]) {
            capacity["cpu"] = .string(HistoricQuantity.decimal(milli: cpu))
        }
        if let memory = HistoricQuantity.units(status["capacity", "memory"]) {
            capacity["memory"] = .integer(memory)
        }
        result["resources"] = capacity.isEmpty ? [:] : ["capacity": .object(capacity)]
        var observed: JSONObject = [:]
        observed["phase"] = status.member("phase")
        let known = (status.member("conditions")?.array ?? []).filter {
            ["Ready", "Reachable", "Schedulable"].contains($0.text("type") ?? "")
        }
        if !known.isEmpty {
            observed["conditions"] = .array(
                known.map { condition in
                    var entry: JSONObject = ["kind": condition.member("type") ?? ""]
                    entry["status"] = .string(level(condition.text("status")))
                    entry["lastProbeTime"] = condition.member("lastHeartbeatTime")
                    for key in ["lastTransitionTime", "reason", "message"] { entry[key] = condition.member(key) }
                    return .object(entry)
                })
        }
        result["status"] = .object(observed)
        return .object(result)
    }
}
