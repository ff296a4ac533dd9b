package import KubeSchema
package import Logging
package import ServiceLifecycle
import Synchronization

/// Keeps a copy of a resource, or of what selectors choose of it, up to date.
///
/// While the server is away the copy stays as it was, and nothing happens but a try every few seconds. Each `run` of
/// it holds one connection.
package final class Informer<Object: KubeObject>: ServiceLifecycle.Service {
    /// How long a watch lasts before the server is asked to end it, at least; up to twice as long.
    static var watchSeconds: Int { 300 }

    private struct State {
        var reflector = Reflector<Object>()
        var handlers: [@Sendable (Change<Object>) -> Void] = []
        var subscribers: [Int: KeyStream] = [:]
        var nextSubscriber = 0
        var isRunning = false
    }

    private let client: KubeClient
    private let namespace: String?
    private let labelSelector: String?
    private let fieldSelector: String?
    private let time: any TimeSource
    private let logger: Logger
    private let state = Mutex(State())
    private let synced = Latch()

    /// - Parameter namespace: `nil` for all.
    package init(
        client: KubeClient, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
        time: any TimeSource = SystemTime(), logger: Logger? = nil
    ) {
        self.client = client
        self.namespace = namespace
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.time = time
        self.logger = logger ?? client.logger
    }
}

extension Informer {
    /// All objects, in no order.
    package var snapshot: [Object] { state.withLock { $0.reflector.objects }.values.flatMap(\.values) }

    /// The objects of one namespace, in no order.
    package func snapshot(namespace: String) -> [Object] {
        state.withLock { $0.reflector.objects[namespace] }.map { Array($0.values) } ?? []
    }

    package func get(_ key: ObjectKey) -> Object? { state.withLock { $0.reflector[key] } }

    /// There has been a list: an object that isn't here didn't exist then.
    package var hasSynced: Bool { synced.isOpen }

    /// Returns when there has been a list, or when the task is cancelled.
    package func waitUntilSynced() async { await synced.wait() }

    /// Has `handler` called with each change, in order, after the copy has taken it in. It is called on the informer's
    /// own task and must neither block nor wait.
    ///
    /// - Precondition: `run` hasn't been called yet, so that nothing is missed.
    package func onChange(_ handler: @escaping @Sendable (Change<Object>) -> Void) {
        state.withLock { state in
            precondition(!state.isRunning, "a handler was added to an informer that runs already")
            state.handlers.append(handler)
        }
    }

    /// The keys of objects that changed, beginning with all that are there now. A key that changes several times
    /// before it is taken comes once.
    package func changes() -> AsyncStream<ObjectKey> {
        let stream = KeyStream()
        let id = state.withLock { state in
            for objects in state.reflector.objects.values { for object in objects.values { stream.push(object.key) } }
            state.nextSubscriber += 1
            state.subscribers[state.nextSubscriber] = stream
            return state.nextSubscriber
        }
        return AsyncStream {
            await stream.next()
        } onCancel: { [weak self] in
            self?.state.withLock { _ = $0.subscribers.removeValue(forKey: id) }
        }
    }

    /// Lists and watches until the task is cancelled or a graceful shutdown begins.
    package func run() async throws {
        state.withLock { $0.isRunning = true }
        await cancelWhenGracefulShutdown { await self.follow() }
    }

    private func follow() async {
        var outage = false
        while !Task.isCancelled {
            let step = state.withLock { $0.reflector.step }
            let sawEvents = Atomic(false)
            var failure: APIError?
            do {
                switch step {
                case .list:
                    let list: ObjectList<Object> = try await client.list(
                        Object.self, namespace: namespace, labelSelector: labelSelector, fieldSelector: fieldSelector)
                    apply { $0.listed(list) }
                    synced.open()
                    if outage { logger.info("\(Object.resource.plural): the API server answers again") }
                    outage = false
                    continue
                case .watch(let version):
                    try await client.watch(
                        Object.self, namespace: namespace, labelSelector: labelSelector, fieldSelector: fieldSelector,
                        resourceVersion: version,
                        timeoutSeconds: .random(in: Self.watchSeconds..<2 * Self.watchSeconds)
                    ) { event throws(APIError) in
                        sawEvents.store(true, ordering: .relaxed)
                        self.apply { $0.received(event) }
                        return true
                    }
                }
            } catch {
                failure = error
            }
            if failure == .cancelled || Task.isCancelled { return }
            if let failure, !failure.isExpired {
                if !outage { logger.warning("\(Object.resource.plural): \(failure); trying again until it works") }
                outage = true
            }
            let delay = state.withLock {
                $0.reflector.ended(failure, sawEvents: sawEvents.load(ordering: .relaxed))
            }
            if delay > .zero { try? await time.sleep(for: delay) }
        }
    }

    private func apply(_ step: (inout Reflector<Object>) -> [Change<Object>]) {
        let (changes, handlers) = state.withLock { state in
            let changes = step(&state.reflector)
            for change in changes { for subscriber in state.subscribers.values { subscriber.push(change.object.key) } }
            return (changes, state.handlers)
        }
        for change in changes { for handler in handlers { handler(change) } }
    }
}

/// Keys waiting to be taken by one consumer; each at most once.
private final class KeyStream: Sendable {
    private let pending = Mutex<(order: [ObjectKey], members: Set<ObjectKey>)>(([], []))
    private let signal = Signal()

    func push(_ key: ObjectKey) {
        pending.withLock { if $0.members.insert(key).inserted { $0.order.append(key) } }
        signal.notify()
    }

    func next() async -> ObjectKey? {
        while !Task.isCancelled {
            let key = pending.withLock { pending -> ObjectKey? in
                guard !pending.order.isEmpty else { return nil }
                let key = pending.order.removeFirst()
                pending.members.remove(key)
                return key
            }
            if let key { return key }
            await signal.wait()
        }
        return nil
    }
}
