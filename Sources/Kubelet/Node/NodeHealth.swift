import Synchronization

/// What the parts of the kubelet know about the node's ability to run pods; read by the one that reports it.
final class NodeHealth: Sendable {
    private struct State {
        var runtimeProblem: String? = "container runtime has not answered yet"
        var networkProblem: String? = "overlay has no lease yet"
        var lease: OverlayLease?
        var runtimeVersion = ""
    }

    private let state = Mutex(State())

    /// Why the container runtime cannot be used; `nil` when it can.
    var runtimeProblem: String? {
        get { state.withLock { $0.runtimeProblem } }
        set { state.withLock { $0.runtimeProblem = newValue } }
    }

    /// Why pods would have no network; `nil` when they have.
    var networkProblem: String? {
        get { state.withLock { $0.networkProblem } }
        set { state.withLock { $0.networkProblem = newValue } }
    }

    /// The overlay's lease of this node.
    var lease: OverlayLease? {
        get { state.withLock { $0.lease } }
        set { state.withLock { $0.lease = newValue } }
    }

    /// Such as `containerd://1.6.20`.
    var runtimeVersion: String {
        get { state.withLock { $0.runtimeVersion } }
        set { state.withLock { $0.runtimeVersion = newValue } }
    }
}
