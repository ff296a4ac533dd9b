import OrderedCollections

extension TableLayout {
    static let nodes = TableLayout(columns: [
        .name, .text("Status", "Ready or not, and whether pods may be scheduled."),
        .text("Roles", "What its node-role labels say."), .age, .text("Version", "The kubelet's version."),
        .wide("Internal-IP", "Its address within the cluster."), .wide("External-IP", "Its address outside."),
        .wide("OS-Image", "Its operating system."), .wide("Kernel-Version", "Its kernel."),
        .wide("Container-Runtime", "Its container runtime."),
    ]) { node, now in
        [
            node.nameCell, .string(state(node)), roles(node), node.age(now),
            .string(node.cell("status", "nodeInfo", "kubeletVersion")), address(node, "InternalIP"),
            address(node, "ExternalIP"), information(node, "osImage"), information(node, "kernelVersion"),
            information(node, "containerRuntimeVersion"),
        ]
    }

    private static func state(_ node: JSON) -> String {
        let ready = node.list("status", "conditions").first { $0.text("type") == "Ready" }
        var state = ready.map { $0.text("status") == "True" ? "Ready" : "NotReady" } ?? "Unknown"
        if node["spec", "unschedulable"] == .bool(true) { state += ",SchedulingDisabled" }
        return state
    }

    private static func roles(_ node: JSON) -> JSON {
        var roles: Set<String> = []
        let prefix = "node-role.kubernetes.io/"
        for (name, value) in node["metadata", "labels"]?.object ?? [:] {
            if name.hasPrefix(prefix), name.count > prefix.count {
                roles.insert(String(name.dropFirst(prefix.count)))
            } else if name == "kubernetes.io/role", let role = value.string, !role.isEmpty {
                roles.insert(role)
            }
        }
        return orNone(roles.sorted().joined(separator: ","))
    }

    private static func address(_ node: JSON, _ type: String) -> JSON {
        orNone(node.list("status", "addresses").first { $0.text("type") == type }?.text("address") ?? "")
    }

    private static func information(_ node: JSON, _ key: String) -> JSON {
        let text = node.cell("status", "nodeInfo", key)
        return .string(text.isEmpty ? "<unknown>" : text)
    }
}
