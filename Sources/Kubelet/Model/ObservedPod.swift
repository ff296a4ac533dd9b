/// A container as the runtime reports it. Times are nanoseconds since 1970, 0 when there is none.
package struct ObservedContainer: Sendable, Equatable {
    package enum State: Sendable { case created, running, exited, unknown }

    package var id: String, sandboxID: String, name: String
    /// How many containers of this name the pod had before: its restart count.
    package var attempt: Int
    package var state: State
    package var image: String, imageID: String
    package var createdAt: Int64, startedAt: Int64, finishedAt: Int64
    package var exitCode: Int
    package var reason: String, message: String
    package var specHash: String
    package var logPath: String
    package var terminationMessagePath: String

    package init(
        id: String, sandboxID: String, name: String, attempt: Int, state: State, image: String = "",
        imageID: String = "", createdAt: Int64 = 0, startedAt: Int64 = 0, finishedAt: Int64 = 0, exitCode: Int = 0,
        reason: String = "", message: String = "", specHash: String = "", logPath: String = "",
        terminationMessagePath: String = ""
    ) {
        self.id = id
        self.sandboxID = sandboxID
        self.name = name
        self.attempt = attempt
        self.state = state
        self.image = image
        self.imageID = imageID
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.exitCode = exitCode
        self.reason = reason
        self.message = message
        self.specHash = specHash
        self.logPath = logPath
        self.terminationMessagePath = terminationMessagePath
    }
}

/// A pod sandbox as the runtime reports it.
package struct ObservedSandbox: Sendable, Equatable {
    package var id: String
    package var attempt: Int
    package var isReady: Bool
    package var createdAt: Int64
    /// Empty on the node's own network, and of a sandbox that has stopped.
    package var addresses: [String]

    package init(id: String, attempt: Int, isReady: Bool, createdAt: Int64 = 0, addresses: [String] = []) {
        self.id = id
        self.attempt = attempt
        self.isReady = isReady
        self.createdAt = createdAt
        self.addresses = addresses
    }
}

/// Everything that the runtime holds of one pod.
package struct ObservedPod: Sendable, Equatable {
    /// Newest first.
    package var sandboxes: [ObservedSandbox]
    /// Newest first.
    package var containers: [ObservedContainer]

    package init(sandboxes: [ObservedSandbox] = [], containers: [ObservedContainer] = []) {
        self.sandboxes = sandboxes.sorted { ($0.attempt, $0.createdAt) > ($1.attempt, $1.createdAt) }
        self.containers = containers.sorted { ($0.attempt, $0.createdAt) > ($1.attempt, $1.createdAt) }
    }

    /// The sandbox in use: the newest, if it is ready.
    package var sandbox: ObservedSandbox? { sandboxes.first.flatMap { $0.isReady ? $0 : nil } }

    package var isEmpty: Bool { sandboxes.isEmpty && containers.isEmpty }

    /// The newest container of that name.
    package func container(_ name: String) -> ObservedContainer? { containers.first { $0.name == name } }
}
