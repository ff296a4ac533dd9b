import KubeSchema
import SwiftProtobuf

/// Writes what the runtime is told about a container.
struct ContainerConfigurationBuilder {
    let pod: DesiredPod
    let settings: NodeSettings

    /// - Parameters:
    ///   - image: The image's id: a tag may have moved since it was pulled.
    ///   - imageUser: Who the image runs as; `nil` when it names a user, or nobody.
    func make(
        _ container: ContainerSpecification, attempt: Int, image: String, imageUser: Int64?,
        environment: [(name: String, value: String)], mounts: [CRIMount]
    ) throws(ContainerConfigurationError) -> CRIContainerConfig {
        var config = CRIContainerConfig()
        config.metadata.name = container.name
        config.metadata.attempt = UInt32(attempt)
        config.image.image = image
        let values = Dictionary(environment.map { ($0.name, $0.value) }) { $1 }
        config.command = container.command.map { EnvironmentBuilder.expand($0) { values[$0] } }
        config.args = container.arguments.map { EnvironmentBuilder.expand($0) { values[$0] } }
        config.workingDir = container.workingDirectory
        config.envs = environment.map { variable in
            .with {
                $0.key = variable.name
                $0.value = variable.value
            }
        }
        config.mounts = mounts
        config.labels = [
            Labels.podName: pod.reference.name, Labels.podNamespace: pod.reference.namespace,
            Labels.podUID: pod.reference.uid, Labels.containerName: container.name,
        ]
        config.annotations = [
            Annotations.containerHash: container.hash, Annotations.restartCount: String(attempt),
            Annotations.terminationMessagePath: container.terminationMessagePath,
            Annotations.gracePeriod: String(pod.terminationGracePeriodSeconds),
        ]
        config.logPath = "\(container.name)/\(attempt).log"
        config.stdin = container.stdin
        config.stdinOnce = container.stdinOnce
        config.tty = container.tty
        config.linux.resources = resources(of: container)
        config.linux.securityContext = try securityContext(of: container, imageUser: imageUser)
        return config
    }

    /// Source: Kubernetes, `pkg/kubelet/cm` conventions: 1024 shares and 100 ms a period for one CPU.
    func resources(of container: ContainerSpecification) -> CRILinuxContainerResources {
        var resources = CRILinuxContainerResources()
        let request = container.requests["cpu"].flatMap(Quantity.thousandths) ?? 0
        resources.cpuShares = max(2, request * 1024 / 1000)
        if let limit = container.limits["cpu"].flatMap(Quantity.thousandths), limit > 0 {
            resources.cpuPeriod = 100_000
            resources.cpuQuota = max(1000, limit * 100)
        }
        resources.memoryLimitInBytes = container.limits["memory"].flatMap(Quantity.units) ?? 0
        switch pod.qualityOfService {
        case .guaranteed: resources.oomScoreAdj = -997
        case .bestEffort: resources.oomScoreAdj = 1000
        case .burstable:
            let memory = Double(container.requests["memory"].flatMap(Quantity.units) ?? 0)
            let share = settings.memoryBytes > 0 ? 1000 * memory / Double(settings.memoryBytes) : 0
            resources.oomScoreAdj = min(999, max(2, 1000 - Int64(share)))
        }
        return resources
    }

    private func securityContext(
        of container: ContainerSpecification, imageUser: Int64?
    ) throws(ContainerConfigurationError) -> CRILinuxContainerSecurityContext {
        func field(_ name: String) -> JSON? {
            let own = container.securityContext[name]
            return own == nil || own?.isNull == true ? pod.securityContext[name] : own
        }
        var context = CRILinuxContainerSecurityContext()
        context.namespaceOptions = SandboxConfigurationBuilder.namespaces(of: pod)
        context.privileged = container.securityContext["privileged"]?.bool ?? false
        if context.privileged, !settings.allowsPrivileged {
            throw ContainerConfigurationError(
                "container \(container.name) is privileged, which this kubelet refuses (--allow-privileged=false)")
        }
        context.capabilities.addCapabilities = container.securityContext["capabilities", "add"].strings
        context.capabilities.dropCapabilities = container.securityContext["capabilities", "drop"].strings
        let user = field("runAsUser")?.integer
        if let user { context.runAsUser.value = user }
        if let group = field("runAsGroup")?.integer { context.runAsGroup.value = group }
        if field("runAsNonRoot")?.bool == true, (user ?? imageUser ?? 0) == 0 {
            throw ContainerConfigurationError(
                "container has runAsNonRoot and \(user == nil ? "image will run as root" : "runAsUser is 0")")
        }
        context.readonlyRootfs = container.securityContext["readOnlyRootFilesystem"]?.bool ?? false
        context.supplementalGroups = (pod.securityContext["supplementalGroups"]?.array ?? []).compactMap(\.integer)
        if let group = pod.securityContext["fsGroup"]?.integer { context.supplementalGroups.append(group) }
        context.noNewPrivs = container.securityContext["allowPrivilegeEscalation"]?.bool == false
        if let profile = field("seccompProfile")?["type"]?.string {
            context.seccomp.profileType =
                profile == "RuntimeDefault" ? .runtimeDefault : profile == "Localhost" ? .localhost : .unconfined
            context.seccomp.localhostRef = field("seccompProfile")?["localhostProfile"]?.string ?? ""
        }
        if !context.privileged, container.securityContext["procMount"]?.string != "Unmasked" {
            context.maskedPaths = [
                "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
            ]
            context.readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
        }
        return context
    }
}
