/// What kinds and fields mean, in words of the project's own, for `kubectl explain` and generated documents.
///
/// Looked up by message and field, then by the field's name alone, since most names mean the same wherever they stand.
enum FieldDescriptions {
    /// What a message is; the empty text when nothing is written about it.
    static func text(message: String) -> String { known[key(message)] ?? "" }

    /// What a field of a message is for.
    static func text(message: String, field: String) -> String {
        known["\(key(message)).\(field)"] ?? known[".\(field)"] ?? ""
    }

    /// Messages are written without group and version.
    private static func key(_ message: String) -> String {
        message.lastIndex(of: ".").map { String(message[message.index(after: $0)...]) } ?? message
    }

    /// Made when the first document is.
    private static let known: [String: String] = {
        var known: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            known[String(line[..<colon])] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return known
    }()

    /// One entry a line: `Kind: …`, `Kind.field: …`, or `.field: …` for a field of any kind.
    private static let text = """
        Pod: A group of containers that run together on one node and share its pod address, volumes and fate.
        PodSpec: What a pod should be: its containers, volumes, and where and how it runs.
        PodStatus: What was last seen of a pod.
        PodTemplateSpec: What the pods that a controller makes look like.
        PodTemplate: A pod template kept for others to use.
        Container: One container of a pod: an image, and how to run it.
        EphemeralContainer: A container that is added to a running pod to look into it; it is never restarted.
        ContainerPort: A port that a container listens on.
        ContainerStatus: What was last seen of one container.
        ContainerState: Whether a container waits, runs or has ended; one of the members is set.
        EnvVar: A variable of a container's environment.
        EnvFromSource: A config map or secret all of whose keys become variables.
        VolumeMount: Where a container sees one of the pod's volumes.
        Volume: A directory that the pod's containers can mount, and where its content comes from.
        Probe: How to find out whether a container lives, is ready or has started.
        Lifecycle: What to do just after a container starts and just before it is stopped.
        ResourceRequirements: What a container asks for and what it may use at most.
        SecurityContext: Rights of one container; they take precedence over the pod's.
        PodSecurityContext: Rights of all containers of the pod.
        Affinity: Rules for choosing a node by its labels or by the pods on it.
        Toleration: A taint of nodes that the pod puts up with.
        Taint: A mark on a node that keeps away pods that do not tolerate it.
        TopologySpreadConstraint: How evenly pods are to be spread over zones, nodes or other domains.
        Node: A machine that runs pods.
        NodeSpec: How the cluster is to treat a node.
        NodeStatus: What was last seen of a node.
        Namespace: A room for names: objects of different namespaces may be called the same.
        Service: A stable address and name in front of a changing set of pods.
        ServiceSpec: Which pods a service leads to, by which ports, and who can reach it.
        ServicePort: One port of a service, and the port of the pods that it leads to.
        Endpoints: Addresses and ports behind a service; EndpointSlice is the newer form.
        EndpointSlice: A part of the addresses and ports behind a service.
        ConfigMap: Settings as names and values, for pods to read as files or variables.
        Secret: Small confidential data, such as passwords and keys.
        ServiceAccount: An identity for the processes of pods.
        PersistentVolume: Storage that outlives pods, as the cluster has it.
        PersistentVolumeClaim: A user's wish for storage, which a persistent volume fulfils.
        ReplicationController: Keeps a number of equal pods running; Deployment and ReplicaSet are the newer forms.
        LimitRange: Defaults and bounds for what objects of a namespace may ask for.
        ResourceQuota: Bounds for what all objects of a namespace together may use.
        Event: Something that happened to an object; kept for an hour or so.
        Binding: Puts a pod on a node.
        ComponentStatus: Whether a component of the control plane is well. Deprecated.
        Deployment: Keeps equal pods running and replaces them step by step when their template changes.
        DeploymentSpec: What a deployment should be.
        DeploymentStatus: How far a deployment is.
        DeploymentStrategy: How pods of an old template are replaced by those of a new one.
        RollingUpdateDeployment: How many pods may be missing or extra while a deployment is updated.
        ReplicaSet: Keeps a number of equal pods running; usually made by a deployment.
        StatefulSet: Keeps pods with names, order and storage of their own running.
        DaemonSet: Runs one pod on each node, or on each of some nodes.
        ControllerRevision: A past state of a daemon set or stateful set, kept for going back to it.
        Job: Runs pods until enough of them have succeeded.
        JobSpec: What a job should do.
        CronJob: Makes jobs by the clock.
        HorizontalPodAutoscaler: Changes the number of replicas as measurements demand.
        PodDisruptionBudget: How many of a set of pods must stay when nodes are drained.
        Eviction: A request to remove a pod, which disruption budgets may refuse.
        Scale: The number of replicas of an object, apart from all else of it.
        Ingress: Rules that lead HTTP requests from outside to services.
        IngressClass: Who serves the ingresses of a class.
        NetworkPolicy: Which traffic pods may have.
        IPAddress: An address that is taken, and by what.
        ServiceCIDR: Networks that service addresses are taken from.
        Role: Rights within one namespace.
        ClusterRole: Rights in the whole cluster, or for use in any namespace.
        RoleBinding: Gives a role to users, groups or service accounts within a namespace.
        ClusterRoleBinding: Gives a cluster role to users, groups or service accounts everywhere.
        PolicyRule: What may be done to what.
        Subject: A user, a group or a service account.
        StorageClass: A kind of storage that claims can ask for.
        CSIDriver: What a storage driver can do.
        CSINode: The storage drivers of one node.
        VolumeAttachment: The wish to attach a volume to a node.
        PriorityClass: A name for how important pods are.
        RuntimeClass: A name for a way to run containers.
        Lease: Who holds a task or is alive, and since when.
        CertificateSigningRequest: A request for a certificate, to be approved and signed.
        ValidatingWebhookConfiguration: Services that are asked whether a change is allowed.
        MutatingWebhookConfiguration: Services that may alter objects before they are stored.
        ValidatingAdmissionPolicy: Rules in CEL about which changes are allowed.
        TokenReview: Asks whose a token is.
        TokenRequest: Asks for a token of a service account.
        SubjectAccessReview: Asks whether a user may do something.
        SelfSubjectAccessReview: Asks whether the asking user may do something.
        SelfSubjectRulesReview: Asks for everything that the asking user may do in a namespace.
        SelfSubjectReview: Asks who the asking user is.
        ObjectMeta: What every object has: its name, labels, owners and bookkeeping.
        ListMeta: What every list has: its version, and where it goes on.
        LabelSelector: Which objects are meant, by their labels; all requirements must hold.
        OwnerReference: An object that this one belongs to; with its last owner an object is removed.
        Status: The result of a request that has no object to show.
        DeleteOptions: How to delete.
        Condition: One aspect of an object's state.
        .apiVersion: The group and version that the object is written in, such as v1 or apps/v1.
        .kind: The kind of object, such as Pod. In references, the kind that is referred to.
        .metadata: The object's name, labels, owners and bookkeeping.
        .spec: What is wanted.
        .status: What was last seen. Set by the system.
        .items: The objects of the list.
        .name: The name.
        .namespace: The namespace.
        .uid: The unique identity, which no later object of the same name has.
        .conditions: Aspects of the object's state, one entry a type.
        .type: The type.
        .reason: Why, as a word for programs.
        .message: Why, as a sentence for people.
        .lastTransitionTime: When the state changed last.
        .observedGeneration: The generation of the object that the status is about.
        .replicas: The number of replicas.
        .readyReplicas: Replicas that are ready.
        .availableReplicas: Replicas that have been ready long enough.
        .updatedReplicas: Replicas of the present template.
        .unavailableReplicas: Replicas that are missing or not available.
        .selector: Labels of the pods that belong to it.
        .template: What the pods that it makes look like.
        .minReadySeconds: How long a new pod must be ready before it counts as available.
        .revisionHistoryLimit: How many old revisions are kept for going back.
        .matchLabels: Labels that must have exactly these values.
        .matchExpressions: Requirements on labels: In, NotIn, Exists, DoesNotExist.
        .rules: The rules.
        .port: The port, by number or by name.
        .protocol: The protocol of the port; TCP if left out.
        .readOnly: Whether it cannot be written to.
        .value: The value.
        .data: Names and values.
        .immutable: Whether the data can never change.
        .volumeMode: Filesystem, or Block for a raw device.
        .accessModes: How the volume may be mounted.
        .storageClassName: The storage class.
        .resources: What it asks for and what it may use at most.
        .claimRef: The claim that the volume belongs to.
        .suspend: Whether it is held: nothing new is started.
        .path: The path.
        .host: The host.
        .scheme: HTTP or HTTPS.
        .command: The program and its arguments.
        .nodeName: The node.
        .resourceVersion: The version of the object; changes with every write. Opaque to clients.
        ObjectMeta.name: The name, unique among objects of the kind in their namespace. Cannot be changed.
        ObjectMeta.generateName: A beginning that the server completes to a unique name when no name is given.
        ObjectMeta.namespace: The namespace that the object lives in; empty for kinds of the whole cluster.
        ObjectMeta.labels: Names and values to select objects by.
        ObjectMeta.annotations: Names and values for tools to keep notes in; not for selecting.
        ObjectMeta.creationTimestamp: When the object was created.
        ObjectMeta.deletionTimestamp: When the object is to be gone; set when its deletion was asked for.
        ObjectMeta.deletionGracePeriodSeconds: How long the object may take to end.
        ObjectMeta.finalizers: Who has to agree before the object can go; each takes its name off.
        ObjectMeta.ownerReferences: Objects that this one belongs to.
        ObjectMeta.generation: Counts the changes of what is wanted.
        ObjectMeta.managedFields: Which client set which field, for server-side apply.
        ObjectMeta.selfLink: Deprecated; no longer set.
        PodSpec.containers: The pod's containers; at least one. Cannot be added or removed later.
        PodSpec.initContainers: Containers that run one after the other, to their end, before the others start.
        PodSpec.ephemeralContainers: Containers added to the running pod to look into it.
        PodSpec.volumes: Volumes that the containers can mount.
        PodSpec.restartPolicy: When containers are started again; Always if left out.
        PodSpec.terminationGracePeriodSeconds: Seconds between asking containers to stop and killing them; 30 if left out.
        PodSpec.activeDeadlineSeconds: Seconds after which the pod is stopped and counts as failed.
        PodSpec.dnsPolicy: Which name servers the pod asks.
        PodSpec.nodeSelector: Labels that the node must have.
        PodSpec.nodeName: The node that runs the pod; set by the scheduler.
        PodSpec.serviceAccountName: The service account whose identity the pod has.
        PodSpec.hostNetwork: Whether the pod uses the node's own network.
        PodSpec.hostPID: Whether the pod sees the node's processes.
        PodSpec.hostIPC: Whether the pod shares the node's IPC.
        PodSpec.imagePullSecrets: Secrets with credentials for image registries.
        PodSpec.affinity: Rules for choosing the node.
        PodSpec.tolerations: Taints of nodes that the pod puts up with.
        PodSpec.schedulerName: Who chooses the node; default-scheduler if left out.
        PodSpec.priorityClassName: How important the pod is, by the name of a priority class.
        PodSpec.hostname: The host name inside the pod; its name if left out.
        PodSpec.subdomain: The domain below the namespace's in the pod's full host name.
        PodSpec.securityContext: Rights of all containers.
        PodSpec.topologySpreadConstraints: How evenly pods are to be spread.
        Container.name: The container's name, unique in the pod. Cannot be changed.
        Container.image: The image to run.
        Container.command: The program in place of the image's entry point; not run in a shell.
        Container.args: The arguments in place of the image's own.
        Container.workingDir: The directory to start in.
        Container.ports: Ports that the container listens on; for information, since all ports can be reached.
        Container.env: Variables of the environment.
        Container.envFrom: Config maps and secrets whose keys become variables.
        Container.resources: Processor time, memory and other resources: requests to schedule by, limits to keep to.
        Container.volumeMounts: Where the container sees the pod's volumes.
        Container.livenessProbe: How to find out that the container must be restarted.
        Container.readinessProbe: How to find out whether services may send it traffic.
        Container.startupProbe: How to find out that it has started; until then the other probes wait.
        Container.lifecycle: What to do after its start and before its stop.
        Container.imagePullPolicy: When the image is fetched; Always if its tag is latest, else IfNotPresent.
        Container.securityContext: Rights of this container.
        Container.stdin: Whether it has a standard input that clients can attach to.
        Container.tty: Whether it has a terminal; needs stdin.
        Container.terminationMessagePath: The file with its last words, shown in its status.
        ContainerPort.containerPort: The number of the port in the pod, 1 to 65535.
        ContainerPort.hostPort: A port of the node that leads to it.
        ContainerPort.hostIP: The node's address that the host port is bound to.
        ContainerPort.name: A name for services to refer to.
        EnvVar.name: The variable's name.
        EnvVar.value: Its value; $(NAME) stands for variables defined before.
        EnvVar.valueFrom: Where the value comes from; not together with value.
        Probe.httpGet: Asks by HTTP; a status of 200 to 399 is good.
        Probe.tcpSocket: Opens a connection.
        Probe.exec: Runs a command in the container; exit status 0 is good.
        Probe.grpc: Asks by gRPC's health protocol.
        Probe.initialDelaySeconds: Seconds to wait after the container's start.
        Probe.periodSeconds: Seconds between probes; 10 if left out.
        Probe.timeoutSeconds: Seconds until a probe counts as failed; 1 if left out.
        Probe.failureThreshold: Failures in a row that count; 3 if left out.
        Probe.successThreshold: Successes in a row that count after a failure; 1 if left out.
        ResourceRequirements.limits: The most that may be used.
        ResourceRequirements.requests: What is set aside on the node; the limits if left out.
        VolumeMount.mountPath: Where in the container.
        VolumeMount.subPath: The part of the volume to mount.
        Volume.emptyDir: An empty directory that lives as long as the pod.
        Volume.hostPath: A directory or file of the node.
        Volume.configMap: The content of a config map, one file a key.
        Volume.secret: The content of a secret, one file a key.
        Volume.persistentVolumeClaim: The volume of a claim in the same namespace.
        PodStatus.phase: Where in its life the pod is.
        PodStatus.podIP: The pod's address in the cluster.
        PodStatus.podIPs: The pod's addresses, one a family.
        PodStatus.hostIP: The node's address.
        PodStatus.containerStatuses: What was last seen of each container.
        PodStatus.startTime: When the kubelet took the pod up.
        PodStatus.qosClass: How the pod is treated when the node runs short.
        ServiceSpec.type: How the service is reached; ClusterIP if left out.
        ServiceSpec.clusterIP: The service's address; chosen by the server, or None for a service without one.
        ServiceSpec.ports: The service's ports.
        ServiceSpec.selector: Labels of the pods behind the service; without any its endpoints are kept by hand.
        ServiceSpec.externalIPs: Addresses of nodes that also lead to the service.
        ServiceSpec.sessionAffinity: ClientIP sends each client to the same pod; None if left out.
        ServiceSpec.externalName: The DNS name that a service of type ExternalName stands for.
        ServicePort.port: The port of the service's address.
        ServicePort.targetPort: The port of the pods, by number or name; the service's own if left out.
        ServicePort.nodePort: The port on every node, for types NodePort and LoadBalancer.
        NodeSpec.podCIDR: The network that the node's pods get addresses from.
        NodeSpec.unschedulable: Whether no new pods may come.
        NodeSpec.taints: Marks that keep pods away.
        DeploymentSpec.strategy: How old pods are replaced by new ones.
        DeploymentSpec.paused: Whether changes of the template wait.
        DeploymentSpec.progressDeadlineSeconds: Seconds without progress after which the deployment counts as stuck.
        DeploymentStrategy.type: RollingUpdate replaces pods step by step, Recreate all at once.
        DeploymentStrategy.rollingUpdate: The steps of a rolling update.
        RollingUpdateDeployment.maxSurge: How many pods there may be above the wanted number, or a percentage of it.
        RollingUpdateDeployment.maxUnavailable: How many pods may be missing, or a percentage of the wanted number.
        StatefulSetSpec.serviceName: The service that gives the pods their names.
        StatefulSetSpec.volumeClaimTemplates: Claims that every pod gets for itself.
        StatefulSetSpec.podManagementPolicy: Whether pods are started in order or all at once.
        JobSpec.completions: How many pods have to succeed.
        JobSpec.parallelism: How many pods may run at a time.
        JobSpec.backoffLimit: How many failures there may be; 6 if left out.
        JobSpec.activeDeadlineSeconds: Seconds after which the job is stopped.
        JobSpec.ttlSecondsAfterFinished: Seconds after its end until the job is removed.
        CronJobSpec.schedule: When, in cron's notation: minute, hour, day of month, month, day of week.
        CronJobSpec.jobTemplate: What the jobs look like.
        CronJobSpec.concurrencyPolicy: What to do when the last job still runs; Allow if left out.
        IngressSpec.ingressClassName: Who serves the ingress.
        IngressSpec.tls: Hosts that are served by TLS, and the secrets with their certificates.
        NetworkPolicySpec.podSelector: The pods that the policy is about; all of the namespace when empty.
        NetworkPolicySpec.ingress: What may come in.
        NetworkPolicySpec.egress: What may go out.
        HorizontalPodAutoscalerSpec.minReplicas: The fewest replicas; 1 if left out.
        HorizontalPodAutoscalerSpec.maxReplicas: The most replicas.
        HorizontalPodAutoscalerSpec.scaleTargetRef: What is scaled.
        HorizontalPodAutoscalerSpec.metrics: The measurements, and where they should be.
        PodDisruptionBudgetSpec.minAvailable: How many pods must stay, or a percentage.
        PodDisruptionBudgetSpec.maxUnavailable: How many pods may be missing, or a percentage.
        PolicyRule.verbs: What may be done: get, list, watch, create, update, patch, delete, or * for all.
        PolicyRule.apiGroups: Groups of the API; the empty text is the core group.
        PolicyRule.resources: Resources, and subresources as pods/log.
        RoleBinding.roleRef: The role that is given. Cannot be changed.
        RoleBinding.subjects: Who gets it.
        Secret.stringData: Values as plain text; written only, and stored in data.
        Secret.data: Names and values, the values in base64.
        ConfigMap.binaryData: Names and values that are no text, the values in base64.
        """
}
