/// Where the kubelet notes, on the runtime's objects, what it needs to find its pods again. The first four are what
/// other tools (crictl, metrics collectors) look for too.
enum Labels {
    static let podName = "io.kubernetes.pod.name"
    static let podNamespace = "io.kubernetes.pod.namespace"
    static let podUID = "io.kubernetes.pod.uid"
    static let containerName = "io.kubernetes.container.name"

    /// Narrows a list of the runtime's to one pod; `nil` leaves it whole.
    static func selector(podUID: String?) -> [String: String] { podUID.map { [Self.podUID: $0] } ?? [:] }
}

/// As `Labels`, for values that nobody selects by.
enum Annotations {
    static let containerHash = "io.kubernetes.container.hash"
    static let restartCount = "io.kubernetes.container.restartCount"
    static let terminationMessagePath = "io.kubernetes.container.terminationMessagePath"
    static let gracePeriod = "io.kubernetes.pod.terminationGracePeriod"
}
