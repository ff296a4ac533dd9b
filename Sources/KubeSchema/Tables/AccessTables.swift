import OrderedCollections

extension TableLayout {
    static let access: [String: TableLayout] = [
        "rbac.authorization.k8s.io/rolebindings": roleBindings,
        "rbac.authorization.k8s.io/clusterrolebindings": roleBindings,
        "certificates.k8s.io/certificatesigningrequests": signingRequests,
        "certificates.k8s.io/clustertrustbundles": trustBundles,
        "certificates.k8s.io/podcertificaterequests": podCertificates,
    ]

    private static let roleBindings = TableLayout(columns: [
        .name, .text("Role", "The role that is given."), .age, .wide("Users", "Users who get it."),
        .wide("Groups", "Groups who get it."), .wide("ServiceAccounts", "Service accounts who get it."),
    ]) { object, now in
        func subjects(_ kind: String) -> JSON {
            let subjects = object.list("subjects").filter { $0.cell("kind") == kind }
            return .string(
                subjects.map { subject in
                    kind == "ServiceAccount"
                        ? "\(subject.cell("namespace"))/\(subject.cell("name"))" : subject.cell("name")
                }.joined(separator: ", "))
        }
        return [
            object.nameCell, .string("\(object.cell("roleRef", "kind"))/\(object.cell("roleRef", "name"))"),
            object.age(now), subjects("User"), subjects("Group"), subjects("ServiceAccount"),
        ]
    }

    private static let signingRequests = TableLayout(columns: [
        .name, .age, .text("SignerName", "Who is to sign."), .text("Requestor", "Who asks."),
        .text("RequestedDuration", "How long the certificate shall hold."),
        .text("Condition", "Pending, Approved, Denied, Failed; Issued when there is a certificate."),
    ]) { object, now in
        let seconds = object["spec", "expirationSeconds"]?.integer
        return [
            object.nameCell, object.age(now), orNone(object.cell("spec", "signerName")),
            .string(object.cell("spec", "username")),
            .string(seconds.map { HumanDuration.text(seconds: $0) } ?? "<none>"), .string(condition(object)),
        ]
    }

    private static func condition(_ request: JSON) -> String {
        let types = request.list("status", "conditions").map { $0.cell("type") }
        var words: [String] = []
        if types.contains("Denied") {
            words.append("Denied")
        } else if types.contains("Approved") {
            words.append("Approved")
        } else {
            words.append("Pending")
        }
        if types.contains("Failed") { words.append("Failed") }
        if !request.cell("status", "certificate").isEmpty { words.append("Issued") }
        return words.joined(separator: ",")
    }

    private static let trustBundles = TableLayout(columns: [
        .name, .text("SignerName", "Whose certificates it lets one check."),
    ]) { object, _ in [object.nameCell, orNone(object.cell("spec", "signerName"))] }

    private static let podCertificates = TableLayout(columns: [
        .name, .text("PodName", "The pod."), .text("ServiceAccountName", "Its service account."),
        .text("NodeName", "Its node."), .text("SignerName", "Who is to sign."), .text("State", "How far it is."), .age,
    ]) { object, now in
        let types = object.list("status", "conditions").filter { $0["status"] == "True" }.map { $0.cell("type") }
        return [
            object.nameCell, .string(object.cell("spec", "podName")),
            .string(object.cell("spec", "serviceAccountName")), .string(object.cell("spec", "nodeName")),
            .string(object.cell("spec", "signerName")), .string(types.last ?? "Pending"), object.age(now),
        ]
    }
}
