package import KubeSchema
package import Logging
package import ServiceLifecycle
import Synchronization

/// Records events about objects. The caller never waits: what can't be sent in time is dropped.
///
/// An event that repeats an earlier one (same object, reason and message) counts that one up. Events about one object
/// are limited in their rate.
package final class EventRecorder: ServiceLifecycle.Service {
    package enum EventType: String, Sendable { case normal = "Normal", warning = "Warning" }

    /// Waiting to be sent; beyond it the newest are dropped.
    static let capacity = 1000
    /// Tries for each event while the server is away.
    static let attempts = 8

    struct Pending: Sendable {
        var object: ObjectReference
        var type: EventType
        var reason: String
        var message: String
        var time: Timestamp
    }

    private let client: KubeClient
    private let component: String
    private let host: String?
    private let time: any TimeSource
    private let logger: Logger
    private let queue: AsyncStream<Pending>
    private let sink: AsyncStream<Pending>.Continuation

    /// - Parameters:
    ///   - component: Shown as the source, such as `default-scheduler`.
    ///   - host: The node that the component runs on, if its events are about that node's things.
    package init(
        client: KubeClient, component: String, host: String? = nil, time: any TimeSource = SystemTime(),
        logger: Logger? = nil
    ) {
        self.client = client
        self.component = component
        self.host = host
        self.time = time
        self.logger = logger ?? client.logger
        (queue, sink) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.capacity))
    }

    package func record(_ object: some KubeObject, _ type: EventType, reason: String, message: String) {
        record(object.reference, type, reason: reason, message: message)
    }

    package func record(_ object: ObjectReference, _ type: EventType, reason: String, message: String) {
        sink.yield(Pending(object: object, type: type, reason: reason, message: message, time: time.now))
    }

    /// Sends what is recorded until the task is cancelled or a graceful shutdown begins.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var correlator = EventCorrelator()
            for await pending in self.queue {
                guard let action = correlator.take(pending, uptime: self.time.uptime) else { continue }
                await self.send(action, pending, &correlator)
                if Task.isCancelled { return }
            }
        }
    }

    private func send(
        _ action: EventCorrelator.Action, _ pending: Pending, _ correlator: inout EventCorrelator
    ) async {
        var action = action
        let namespace = pending.object.namespace ?? "default"
        for attempt in 1...Self.attempts {
            do {
                switch action {
                case .create(let name):
                    _ = try await client.create(event(pending, name: name, namespace: namespace))
                case .count(let name, let count):
                    _ = try await client.patch(
                        Event.self, name: name, namespace: namespace,
                        .merge(["count": .integer(Int64(count)), "lastTimestamp": pending.time.json]))
                }
                return
            } catch {
                switch error {
                case .cancelled: return
                case .status where error.isNotFound:
                    guard case .count = action else { return }  // the namespace is gone
                    action = correlator.restart(pending)  // the event has expired
                case .unreachable:
                    let delay = Backoff(base: .milliseconds(500), cap: .seconds(10)).delay(failures: attempt)
                    try? await time.sleep(for: delay)
                default:
                    if !error.isNamespaceTerminating {
                        logger.debug("event \(pending.reason) on \(pending.object.name ?? "") refused: \(error)")
                    }
                    return
                }
            }
            if Task.isCancelled { return }
        }
    }

    private func event(_ pending: Pending, name: String, namespace: String) -> Event {
        var event = Event(name: name, namespace: namespace)
        event.involvedObject = pending.object
        event.reason = pending.reason
        event.message = pending.message
        event.type = pending.type.rawValue
        event.count = 1
        event.firstTimestamp = pending.time
        event.lastTimestamp = pending.time
        event.component = component
        event.host = host
        event.document["reportingComponent"] = .string(component)
        event.document["reportingInstance"] = .string(host ?? "")
        event.document["eventTime"] = .null
        return event
    }
}
