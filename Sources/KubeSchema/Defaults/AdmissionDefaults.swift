import OrderedCollections

/// Defaults of webhook configurations and admission policies.
enum AdmissionDefaults {
    static func apply(to object: inout JSON, _ kind: String) {
        switch kind {
        case "ValidatingWebhookConfiguration": object.changeEach("webhooks", webhook)
        case "MutatingWebhookConfiguration":
            object.changeEach("webhooks") { hook in
                webhook(&hook)
                hook.fill("reinvocationPolicy", "Never")
            }
        case "ValidatingAdmissionPolicy", "MutatingAdmissionPolicy":
            object.change("spec") { spec in
                spec.fill("failurePolicy", "Fail")
                spec.changeIfPresent("matchConstraints", match)
            }
        case "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicyBinding":
            object.change("spec") { $0.changeIfPresent("matchResources", match) }
        default: break
        }
    }

    private static func webhook(_ hook: inout JSON) {
        hook.fill("failurePolicy", "Fail")
        hook.fill("matchPolicy", "Equivalent")
        hook.fill("namespaceSelector", [:])
        hook.fill("objectSelector", [:])
        hook.fill("timeoutSeconds", 10)
        hook.changeEach("rules") { $0.fill("scope", "*") }
        hook.changeIfPresent("clientConfig") { client in
            client.changeIfPresent("service") { $0.fill("port", 443) }
        }
    }

    private static func match(_ match: inout JSON) {
        match.fill("matchPolicy", "Equivalent")
        match.fill("namespaceSelector", [:])
        match.fill("objectSelector", [:])
        for list in ["resourceRules", "excludeResourceRules"] {
            match.changeEach(list) { $0.fill("scope", "*") }
        }
    }
}
