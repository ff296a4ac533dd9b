/// What is served, in a notation of our own: one resource a line.
///
///     @apps/v1 apps/v1
///     deployments Deployment short=deploy in=all /status /scale
///
/// `@` begins a group: its name and version, and the group of the schema facts. Of a resource: plural, kind, then
/// `short=` names, `in=` categories, `cluster` when it has no namespaces, `verbs=` where they are not the usual eight,
/// `stored=` the `apiVersion` that objects are stored in if that is another one, and subresources. These are
/// `/name=kind:verbs`, the kind of another group as `policy/v1.Eviction`; `/status` and `/scale` need nothing more.
/// Verbs are letters: **c**reate **g**et **l**ist **w**atch **u**pdate **p**atch **d**elete, **D**eletecollection.
///
/// Groups stand in the order in which discovery names them; of one group the preferred version comes first.
enum ResourceFacts {
    static let all = """
        @v1 core/v1
        bindings Binding verbs=c
        componentstatuses ComponentStatus short=cs cluster verbs=gl
        configmaps ConfigMap short=cm
        endpoints Endpoints short=ep
        events Event short=ev
        limitranges LimitRange short=limits
        namespaces Namespace short=ns cluster verbs=cdglpuw /finalize=Namespace:u /status
        nodes Node short=no cluster /proxy=NodeProxyOptions:cdgpu /status
        persistentvolumeclaims PersistentVolumeClaim short=pvc /status
        persistentvolumes PersistentVolume short=pv cluster /status
        pods Pod short=po in=all /attach=PodAttachOptions:cg /binding=Binding:c /ephemeralcontainers=Pod:gpu /eviction=policy/v1.Eviction:c /exec=PodExecOptions:cg /log=Pod:g /portforward=PodPortForwardOptions:cg /proxy=PodProxyOptions:cdgpu /resize=Pod:gpu /status
        podtemplates PodTemplate
        replicationcontrollers ReplicationController short=rc in=all /scale /status
        resourcequotas ResourceQuota short=quota /status
        secrets Secret
        serviceaccounts ServiceAccount short=sa /token=authentication.k8s.io/v1.TokenRequest:c
        services Service short=svc in=all /proxy=ServiceProxyOptions:cdgpu /status
        @apps/v1 apps/v1
        controllerrevisions ControllerRevision
        daemonsets DaemonSet short=ds in=all /status
        deployments Deployment short=deploy in=all /scale /status
        replicasets ReplicaSet short=rs in=all /scale /status
        statefulsets StatefulSet short=sts in=all /scale /status
        @events.k8s.io/v1 events/v1
        events Event short=ev stored=v1
        @authentication.k8s.io/v1 authentication/v1
        selfsubjectreviews SelfSubjectReview cluster verbs=c
        tokenreviews TokenReview cluster verbs=c
        @authorization.k8s.io/v1 authorization/v1
        localsubjectaccessreviews LocalSubjectAccessReview verbs=c
        selfsubjectaccessreviews SelfSubjectAccessReview cluster verbs=c
        selfsubjectrulesreviews SelfSubjectRulesReview cluster verbs=c
        subjectaccessreviews SubjectAccessReview cluster verbs=c
        @autoscaling/v2 autoscaling/v2
        horizontalpodautoscalers HorizontalPodAutoscaler short=hpa in=all /status
        @autoscaling/v1 autoscaling/v1
        horizontalpodautoscalers HorizontalPodAutoscaler short=hpa in=all stored=autoscaling/v2 /status
        @batch/v1 batch/v1
        cronjobs CronJob short=cj in=all /status
        jobs Job in=all /status
        @certificates.k8s.io/v1 certificates/v1
        certificatesigningrequests CertificateSigningRequest short=csr cluster /approval=CertificateSigningRequest:gpu /status
        clustertrustbundles ClusterTrustBundle cluster
        podcertificaterequests PodCertificateRequest /status
        @networking.k8s.io/v1 networking/v1
        ingressclasses IngressClass cluster
        ingresses Ingress short=ing /status
        ipaddresses IPAddress short=ip cluster
        networkpolicies NetworkPolicy short=netpol
        servicecidrs ServiceCIDR cluster /status
        @policy/v1 policy/v1
        poddisruptionbudgets PodDisruptionBudget short=pdb /status
        @rbac.authorization.k8s.io/v1 rbac/v1
        clusterrolebindings ClusterRoleBinding cluster
        clusterroles ClusterRole cluster
        rolebindings RoleBinding
        roles Role
        @storage.k8s.io/v1 storage/v1
        csidrivers CSIDriver cluster
        csinodes CSINode cluster
        csistoragecapacities CSIStorageCapacity
        storageclasses StorageClass short=sc cluster
        volumeattachments VolumeAttachment cluster /status
        volumeattributesclasses VolumeAttributesClass short=vac cluster
        @admissionregistration.k8s.io/v1 admissionregistration/v1
        mutatingadmissionpolicies MutatingAdmissionPolicy cluster
        mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding cluster
        mutatingwebhookconfigurations MutatingWebhookConfiguration in=api-extensions cluster
        validatingadmissionpolicies ValidatingAdmissionPolicy in=api-extensions cluster /status
        validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding in=api-extensions cluster
        validatingwebhookconfigurations ValidatingWebhookConfiguration in=api-extensions cluster
        @scheduling.k8s.io/v1 scheduling/v1
        priorityclasses PriorityClass short=pc cluster
        @coordination.k8s.io/v1 coordination/v1
        leases Lease
        @node.k8s.io/v1 node/v1
        runtimeclasses RuntimeClass cluster
        @discovery.k8s.io/v1 discovery/v1
        endpointslices EndpointSlice
        @apiextensions.k8s.io/v1 apiextensions/v1
        customresourcedefinitions CustomResourceDefinition short=crd in=api-extensions cluster verbs=gl
        """
}

/// Turns resource facts into definitions. Facts are the project's own, so that an error in them is a bug and stops the
/// program.
struct ResourceFactsReader {
    /// What clients may do with an ordinary resource, in the order in which discovery names it.
    private static let standardVerbs: Substring = "cDdglpuw"

    private let table: SchemaTable
    private var group = ""
    private var version = ""
    /// The schema facts' name of the group, such as `core/v1`.
    private var facts: Substring = ""
    /// Schema facts by `apiVersion`, for kinds of other groups.
    private var factsOf: [String: Substring] = [:]

    init(_ table: SchemaTable) { self.table = table }

    mutating func definitions(_ text: String) -> [ResourceDefinition] {
        let lines = text.split(separator: "\n")
        for line in lines where line.hasPrefix("@") {
            let words = line.dropFirst().split(separator: " ")
            factsOf[String(words[0])] = words[1]
        }
        var definitions: [ResourceDefinition] = []
        for line in lines {
            let words = line.split(separator: " ")
            if line.hasPrefix("@") {
                (group, version) = ResourceCatalogue.split(apiVersion: String(words[0].dropFirst()))
                facts = words[1]
            } else {
                definitions.append(definition(words))
            }
        }
        return definitions
    }

    private func definition(_ words: [Substring]) -> ResourceDefinition {
        var short: [String] = []
        var categories: [String] = []
        var isNamespaced = true
        var verbs = Self.standardVerbs
        var stored: String?
        var subresources: [SubresourceDefinition] = []
        let kind = String(words[1])
        for word in words.dropFirst(2) {
            if word.hasPrefix("/") {
                subresources.append(subresource(word.dropFirst(), of: kind))
                continue
            }
            let parts = word.split(separator: "=")
            switch parts[0] {
            case "short": short = [String(parts[1])]
            case "in": categories = [String(parts[1])]
            case "cluster": isNamespaced = false
            case "verbs": verbs = parts[1]
            case "stored": stored = String(parts[1])
            default: preconditionFailure("facts of \(kind): no such word as '\(word)'")
            }
        }
        return ResourceDefinition(
            group: group, version: version, resource: String(words[0]), singular: kind.lowercased(), kind: kind,
            isNamespaced: isNamespaced, shortNames: short, categories: categories, verbs: Self.verbs(verbs),
            subresources: subresources, message: message("\(facts).\(kind)"), storedAPIVersion: stored)
    }

    private func subresource(_ text: Substring, of kind: String) -> SubresourceDefinition {
        if text == "status" { return subresource("status", group, version, kind, "gpu") }
        if text == "scale" { return subresource("scale", "autoscaling", "v1", "Scale", "gpu") }
        let parts = text.split(whereSeparator: { $0 == "=" || $0 == ":" })
        guard let dot = parts[1].lastIndex(of: ".") else {
            return subresource(parts[0], group, version, String(parts[1]), parts[2])
        }
        let (group, version) = ResourceCatalogue.split(apiVersion: String(parts[1][..<dot]))
        return subresource(
            parts[0], group, version, String(parts[1][parts[1].index(after: dot)...]), parts[2])
    }

    private func subresource(
        _ name: Substring, _ group: String, _ version: String, _ kind: String, _ verbs: Substring
    ) -> SubresourceDefinition {
        let facts = factsOf[group.isEmpty ? version : "\(group)/\(version)"] ?? ""
        return SubresourceDefinition(
            name: String(name), kind: kind, group: group, version: version, verbs: Self.verbs(verbs),
            message: message("\(facts).\(kind)"))
    }

    private func message(_ name: String) -> MessageSchema {
        guard let message = table.message(name) else { preconditionFailure("no facts about \(name)") }
        return message
    }

    private static func verbs(_ letters: Substring) -> [String] {
        letters.map { letter in
            switch letter {
            case "c": "create"
            case "d": "delete"
            case "D": "deletecollection"
            case "g": "get"
            case "l": "list"
            case "p": "patch"
            case "u": "update"
            case "w": "watch"
            default: preconditionFailure("facts: no verb '\(letter)'")
            }
        }.sorted()
    }
}
