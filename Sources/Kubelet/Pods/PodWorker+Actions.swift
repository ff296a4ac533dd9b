import KubeAPI
import KubeSchema
import LinuxKit
import Logging

/// How a plan is carried out.
extension PodWorker {
    func carryOut(_ plan: PodPlan, for pod: DesiredPod, _ group: inout DiscardingTaskGroup) async {
        rememberGracePeriod(pod.stopGracePeriodSeconds)
        for kill in plan.kills {
            let specification = (pod.containers + pod.initContainers).first { $0.name == kill.name }
            if killing[kill.containerID] == nil {
                context.event(pod, container: kill.name, "Killing", Self.killMessage(kill, pod))
            }
            self.kill(
                kill.containerID, kill.name, grace: kill.gracePeriodSeconds ?? pod.stopGracePeriodSeconds,
                hook: specification?.preStop, &group)
        }
        for id in plan.removals {
            do {
                try await context.runtime.removeContainer(id)
                wake()
            } catch {
                context.logger.warning("pod \(reference): \(error)")
                check(again: .seconds(2))
            }
        }
        if plan.stopsSandbox {
            for sandbox in observed.sandboxes where sandbox.isReady {
                do {
                    try await context.runtime.stopSandbox(sandbox.id)
                } catch {
                    context.logger.warning("pod \(reference): \(error)")
                    check(again: .seconds(2))
                }
            }
        }
        if let attempt = plan.createSandboxAttempt, plan.kills.isEmpty, killing.isEmpty {
            await createSandbox(attempt: attempt, for: pod)
        }
        for wait in plan.waits {
            let delay = backOff.delay(PodPlan.backOffKey(pod, wait.name))
            let message =
                "back-off \(delay.components.seconds)s restarting failed container=\(wait.name) pod=\(reference.name)_\(reference.namespace)(\(reference.uid))"
            if waiting[wait.name]?.reason != "CrashLoopBackOff" {
                context.event(
                    pod, container: wait.name, .warning, "BackOff",
                    "Back-off restarting failed container \(wait.name) in pod \(reference.name)")
            }
            waiting[wait.name] = .init(reason: "CrashLoopBackOff", message: message)
            check(again: wait.remaining)
        }
        for start in plan.starts { await self.start(start, of: pod, &group) }
        await collectGarbage(pod)
    }

    private static func killMessage(_ kill: PodPlan.Kill, _ pod: DesiredPod) -> String {
        pod.deletionTimestamp != nil
            ? "Stopping container \(kill.name)" : "Container \(kill.name) will be restarted: \(kill.reason)"
    }

    /// Stops a container beside the passes; a second call only hastens the first.
    func kill(
        _ id: String, _ name: String, grace: Int64, hook: ContainerSpecification.Handler?,
        _ group: inout DiscardingTaskGroup
    ) {
        if let given = killing[id], given <= grace { return }
        let isFirst = killing[id] == nil
        killing[id] = grace
        let runtime = context.runtime
        let pod = desired
        group.addTask {
            var grace = grace
            if isFirst, let hook, let pod, grace > 0 {
                let begin = self.context.time.uptime
                let problem = await HandlerRunner(context: self.context).run(
                    hook, container: id, pod: pod, specification: nil, podIP: await self.podIP,
                    timeout: .seconds(grace))
                if let problem {
                    self.context.event(
                        pod, container: name, .warning, "FailedPreStopHook", "PreStopHook failed: \(problem)")
                }
                grace = max(2, grace - (self.context.time.uptime - begin).components.seconds)
            }
            do throws(RuntimeError) {
                try await runtime.stopContainer(id, grace: grace)
            } catch {
                if !error.isNotFound {
                    self.context.logger.warning("pod \(self.reference), container \(name): \(error)")
                }
                try? await self.context.time.sleep(for: .seconds(1))  // before the next pass tries again
            }
            await self.killed(id, grace: grace)
        }
    }

    private func killed(_ id: String, grace: Int64) {
        killing[id] = nil
        wake()
    }

    var podIP: String { observed.sandbox?.addresses.first ?? context.settings.address }

    func facts() -> PodFacts {
        PodFacts(
            podIP: podIP, hostIP: context.settings.address, nodeName: context.settings.name,
            allocatableCPUThousandths: context.settings.cpuThousandths,
            allocatableMemoryBytes: context.settings.memoryBytes)
    }

    private func createSandbox(attempt: Int, for pod: DesiredPod) async {
        if let failed = sandboxFailedAt {
            let rest = Duration.seconds(2) - (context.time.now - failed)
            if rest > .zero {
                check(again: rest)
                return
            }
        }
        if !pod.hostNetwork, let problem = context.health.networkProblem {
            context.event(pod, .warning, "NetworkNotReady", "network is not ready: \(problem)")
            check(again: .seconds(1))
            return
        }
        do {
            try FileContents.makeDirectories(context.settings.directories.logs(pod.reference))
            // A sandbox that failed half-way may hold the name of this attempt.
            for old in observed.sandboxes where !old.isReady { try await context.runtime.stopSandbox(old.id) }
            let config = SandboxConfigurationBuilder.make(for: pod, attempt: attempt, context.settings)
            _ = try await context.runtime.runSandbox(config)
            sandboxFailedAt = nil
            wake()
        } catch {
            sandboxFailedAt = context.time.now
            context.event(pod, .warning, "FailedCreatePodSandBox", "Failed to create pod sandbox: \(error)")
            context.logger.warning("pod \(reference): \(error)")
            check(again: .seconds(2))
        }
    }

    // MARK: Starting containers

    private func start(_ start: PodPlan.Start, of pod: DesiredPod, _ group: inout DiscardingTaskGroup) async {
        let all = start.isInit ? pod.initContainers : pod.containers
        guard let container = all.first(where: { $0.name == start.name }), let sandbox = observed.sandbox else {
            return
        }
        let key = PodPlan.backOffKey(pod, container.name)
        // A container that could not even be made has no end to count from.
        if let waited = waiting[container.name], waited.reason.hasSuffix("Error"), waited.reason != "ErrImagePull",
            let rest = backOff.remaining(
                key, failedAt: creationFailedAt[container.name] ?? context.time.now, now: context.time.now)
        {
            check(again: rest)
            return
        }
        guard let image = await image(for: container, of: pod, &group) else { return }
        let facts = facts()
        let volumes: [String: String]
        do {
            volumes = try await self.volumes(pod, facts: facts)
        } catch {
            failed(
                container, of: pod, "CreateContainerConfigError", "\(error)", event: "FailedMount",
                "MountVolume.SetUp failed for \(error)")
            return
        }
        do {
            let services =
                pod.spec["enableServiceLinks"]?.bool == false
                ? []
                : ServiceVariables.make(
                    services: context.services.snapshot.map(\.document), namespace: reference.namespace)
            let environment = try await EnvironmentBuilder.make(
                for: container, of: pod, services: services, facts: facts, objects: context.objects)
            let mounts = try context.volumes.mounts(
                for: container, attempt: start.attempt, of: pod, volumes: volumes,
                podIP: facts.podIP, environment: Dictionary(environment.map { ($0.name, $0.value) }) { $1 })
            let config = try ContainerConfigurationBuilder(pod: pod, settings: context.settings).make(
                container, attempt: start.attempt, image: image.id, imageUser: image.user, environment: environment,
                mounts: mounts)
            await create(container, config, start, of: pod, in: sandbox)
        } catch {
            failed(container, of: pod, "CreateContainerConfigError", "\(error)", event: "Failed", "Error: \(error)")
        }
    }

    private func create(
        _ container: ContainerSpecification, _ config: CRIContainerConfig, _ start: PodPlan.Start, of pod: DesiredPod,
        in sandbox: ObservedSandbox
    ) async {
        let key = PodPlan.backOffKey(pod, container.name)
        let id: String
        do {
            let sandboxConfig = SandboxConfigurationBuilder.make(for: pod, attempt: sandbox.attempt, context.settings)
            try FileContents.makeDirectories("\(context.settings.directories.logs(pod.reference))/\(container.name)")
            id = try await context.runtime.createContainer(config, in: sandbox.id, sandboxConfig)
            context.event(pod, container: container.name, "Created", "Created container \(container.name)")
        } catch {
            failed(
                container, of: pod, "CreateContainerError", "\(error)", event: "Failed",
                "Error: failed to create container: \(error)")
            return
        }
        do {
            try await context.runtime.startContainer(id)
            context.event(pod, container: container.name, "Started", "Started container \(container.name)")
            waiting[container.name] = nil
            images[container.name] = nil
            // The next failure waits longer than this one did.
            if let former = observed.container(container.name) {
                backOff.advance(
                    key, failedAt: Timestamp(nanosecondsSince1970: former.finishedAt), now: context.time.now)
            }
        } catch {
            failed(container, of: pod, "RunContainerError", error.message, event: "Failed", "Error: \(error.message)")
        }
        if let hook = container.postStart {
            let problem = await HandlerRunner(context: context).run(
                hook, container: id, pod: pod, specification: container, podIP: podIP, timeout: .seconds(60))
            if let problem {
                context.event(
                    pod, container: container.name, .warning, "FailedPostStartHook", "PostStartHook failed: \(problem)")
                try? await context.runtime.stopContainer(id, grace: pod.terminationGracePeriodSeconds)
            }
        }
        wake()
    }

    private func failed(
        _ container: ContainerSpecification, of pod: DesiredPod, _ reason: String, _ message: String,
        event: String, _ eventMessage: String
    ) {
        let now = context.time.now
        context.event(pod, container: container.name, .warning, event, eventMessage)
        waiting[container.name] = .init(reason: reason, message: message)
        creationFailedAt[container.name] = now
        backOff.advance(PodPlan.backOffKey(pod, container.name), failedAt: now, now: now)
        check(again: .seconds(10))
    }

    // MARK: Images

    private func image(
        for container: ContainerSpecification, of pod: DesiredPod, _ group: inout DiscardingTaskGroup
    ) async -> ImagePuller.Image? {
        let name = container.name
        let key = PodPlan.backOffKey(pod, name) + "/" + container.image
        switch images[name] {
        case .ready(let image): return image
        case .pulling: return nil
        case .failed(let at, let message):
            if let rest = backOff.remaining(key, failedAt: at, now: context.time.now) {
                if waiting[name]?.reason != "ImagePullBackOff", rest < backOff.delay(key) - .seconds(1) {
                    waiting[name] = .init(
                        reason: "ImagePullBackOff", message: "Back-off pulling image \"\(container.image)\": \(message)"
                    )
                    context.event(pod, container: name, "BackOff", "Back-off pulling image \"\(container.image)\"")
                }
                check(again: min(rest, .seconds(1)))
                return nil
            }
        case nil:
            do {
                if let image = try await context.images.present(container) {
                    context.event(
                        pod, container: name, "Pulled",
                        "Container image \"\(container.image)\" already present on machine")
                    images[name] = .ready(image)
                    return image
                }
            } catch {
                context.logger.warning("pod \(reference): \(error)")
                check(again: .seconds(1))
                return nil
            }
        }
        guard container.pullPolicy != .never else {
            let message = "Container image \"\(container.image)\" is not present with pull policy of Never"
            failed(container, of: pod, "ErrImageNeverPull", message, event: "ErrImageNeverPull", message)
            return nil
        }
        images[name] = .pulling
        context.event(pod, container: name, "Pulling", "Pulling image \"\(container.image)\"")
        let sandbox = SandboxConfigurationBuilder.make(
            for: pod, attempt: observed.sandbox?.attempt ?? 0, context.settings)
        let began = context.time.uptime
        group.addTask {
            do throws(RuntimeError) {
                let image = try await self.context.images.pull(
                    container, for: pod, sandbox: sandbox, objects: self.context.objects)
                await self.pulled(image, container, pod, key, after: self.context.time.uptime - began)
            } catch {
                await self.pullFailed(error, container, pod, key)
            }
        }
        return nil
    }

    private func pulled(
        _ image: ImagePuller.Image, _ container: ContainerSpecification, _ pod: DesiredPod, _ key: String,
        after duration: Duration
    ) {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        context.event(
            pod, container: container.name, "Pulled",
            "Successfully pulled image \"\(container.image)\" in \(milliseconds)ms")
        images[container.name] = .ready(image)
        backOff.reset(key)
        waiting[container.name] = nil
        wake()
    }

    private func pullFailed(
        _ error: RuntimeError, _ container: ContainerSpecification, _ pod: DesiredPod, _ key: String
    ) {
        let now = context.time.now
        images[container.name] = .failed(at: now, message: error.message)
        backOff.advance(key, failedAt: now, now: now)
        waiting[container.name] = .init(reason: "ErrImagePull", message: error.message)
        context.event(
            pod, container: container.name, .warning, "Failed",
            "Failed to pull image \"\(container.image)\": \(error.message)")
        context.event(pod, container: container.name, .warning, "Failed", "Error: ErrImagePull")
        wake()
    }

    // MARK: What is left behind

    /// Reads the last words of containers that have ended since the last pass, and forgets their images.
    func noteEnds(of pod: DesiredPod) {
        let specifications = pod.containers + pod.initContainers
        for container in observed.containers where container.state == .exited {
            guard terminationMessages[container.id] == nil else { continue }
            let file = context.volumes.terminationMessageFile(
                container.name, attempt: container.attempt, uid: reference.uid)
            var text = String(decoding: ((try? FileContents.read(file)) ?? []).suffix(4096), as: UTF8.self)
            let specification = specifications.first { $0.name == container.name }
            if text.isEmpty, container.exitCode != 0, specification?.fallsBackToLogs == true {
                text = ContainerLogReader.tail(of: container.logPath, lines: 80, bytes: 2048)
            }
            if text.isEmpty { text = container.message }
            terminationMessages[container.id] = text.isEmpty ? nil : text
        }
        let ids = Set(observed.containers.map(\.id))
        terminationMessages = terminationMessages.filter { ids.contains($0.key) }
    }

    /// Removes all ended containers of a name but the newest two (the current and the one before it), with their
    /// logs, and sandboxes that hold nothing any more.
    private func collectGarbage(_ pod: DesiredPod) async {
        var seen: [String: Int] = [:]
        var kept: Set<String> = []
        for container in observed.containers {
            seen[container.name, default: 0] += 1
            if container.isAlive || seen[container.name, default: 0] <= 2 {
                kept.insert(container.sandboxID)
                continue
            }
            do {
                try await context.runtime.removeContainer(container.id)
                if !container.logPath.isEmpty { try ContainerLogFiles(path: container.logPath).remove() }
                try FileTree.remove(
                    context.volumes.terminationMessageFile(
                        container.name, attempt: container.attempt, uid: reference.uid))
            } catch {
                context.logger.warning("pod \(reference): removing an old container: \(error)")
            }
        }
        for sandbox in observed.sandboxes.dropFirst() where !sandbox.isReady && !kept.contains(sandbox.id) {
            do {
                try await context.runtime.stopSandbox(sandbox.id)
                try await context.runtime.removeSandbox(sandbox.id)
            } catch {
                context.logger.warning("pod \(reference): removing an old sandbox: \(error)")
            }
        }
    }
}
