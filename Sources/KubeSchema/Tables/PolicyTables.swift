import OrderedCollections

extension TableLayout {
    static let policies: [String: TableLayout] = [
        "resourcequotas": quotas, "componentstatuses": components,
        "scheduling.k8s.io/priorityclasses": priorityClasses, "node.k8s.io/runtimeclasses": runtimeClasses,
        "admissionregistration.k8s.io/validatingwebhookconfigurations": webhooks,
        "admissionregistration.k8s.io/mutatingwebhookconfigurations": webhooks,
        "admissionregistration.k8s.io/validatingadmissionpolicies": policy("Validations", "validations"),
        "admissionregistration.k8s.io/mutatingadmissionpolicies": policy("Mutations", "mutations"),
        "admissionregistration.k8s.io/validatingadmissionpolicybindings": policyBindings,
        "admissionregistration.k8s.io/mutatingadmissionpolicybindings": policyBindings,
    ]

    private static let quotas = TableLayout(columns: [
        .name, .text("Request", "What is used of what may be requested."),
        .text("Limit", "What is used of what limits may add up to."), .age,
    ]) { object, now in
        var requests: [String] = []
        var limits: [String] = []
        for (name, hard) in (object["status", "hard"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            let used = object["status", "used", name]?.string ?? "0"
            let text = "\(name): \(used)/\(hard.string ?? "")"
            if name.hasPrefix("limits") { limits.append(text) } else { requests.append(text) }
        }
        return [
            object.nameCell, .string(requests.joined(separator: ", ")), .string(limits.joined(separator: ", ")),
            object.age(now),
        ]
    }

    private static let components = TableLayout(columns: [
        .name, .text("Status", "Healthy or not."), .text("Message", "What it says."),
        .text("Error", "Why it cannot be asked."),
    ]) { object, _ in
        let healthy = object.list("conditions").first { $0.cell("type") == "Healthy" }
        let state =
            switch healthy?.cell("status") {
            case "True": "Healthy"
            case "False": "Unhealthy"
            default: "Unknown"
            }
        return [
            object.nameCell, .string(state), .string(healthy?.cell("message") ?? ""),
            .string(healthy?.cell("error") ?? ""),
        ]
    }

    private static let priorityClasses = TableLayout(columns: [
        .name, .number("Value", "The greater, the more important."),
        .flag("Global-Default", "Whether pods without a class get it."), .age,
        .text("PreemptionPolicy", "Whether its pods may push others out."),
    ]) {
        [
            $0.nameCell, $0["value"] ?? 0, $0["globalDefault"] ?? false, $0.age($1),
            .string($0.cell("preemptionPolicy")),
        ]
    }

    private static let runtimeClasses = TableLayout(columns: [
        .name, .text("Handler", "What the container runtime calls it."), .age,
    ]) { [$0.nameCell, .string($0.cell("handler")), $0.age($1)] }

    private static let webhooks = TableLayout(columns: [
        .name, .number("Webhooks", "How many there are in it."), .age,
    ]) { [$0.nameCell, .integer(Int64($0.list("webhooks").count)), $0.age($1)] }

    private static func policy(_ column: String, _ member: String) -> TableLayout {
        TableLayout(columns: [
            .name, .number(column, "How many there are in it."), .text("ParamKind", "The kind of its parameters."),
            .age,
        ]) { object, now in
            let kind = object["spec", "paramKind"].map { "\($0.cell("apiVersion"))/\($0.cell("kind"))" }
            return [
                object.nameCell, .integer(Int64(object.list("spec", member).count)), .string(kind ?? "<unset>"),
                object.age(now),
            ]
        }
    }

    private static let policyBindings = TableLayout(columns: [
        .name, .text("PolicyName", "The policy that is put to work."), .text("ParamRef", "Its parameters."), .age,
    ]) { object, now in
        var parameters = "<unset>"
        if let reference = object["spec", "paramRef"] {
            let (namespace, name) = (reference.cell("namespace"), reference.cell("name"))
            let owner = namespace.isEmpty ? "*" : namespace
            parameters =
                name.isEmpty ? "\(owner)/\(selectorCell(reference["selector"]).string ?? "")" : "\(owner)/\(name)"
        }
        return [object.nameCell, .string(object.cell("spec", "policyName")), .string(parameters), object.age(now)]
    }
}
