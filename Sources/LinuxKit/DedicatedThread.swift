import CLinux
import Glibc
import Synchronization

/// Threads for work that blocks or that changes what belongs to a thread (`setns`, `unshare`): never the cooperative
/// pool.
package enum DedicatedThread {
    private final class Start {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Starts a thread that ends with `body`. Returns a handle that must be given to ``join(_:)`` exactly once,
    /// unless `detached`, when it must not be used.
    @discardableResult
    package static func start(name: String, detached: Bool, _ body: @escaping @Sendable () -> Void) throws(SyscallError)
        -> UInt
    {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, CInt(detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE))
        let start = Unmanaged.passRetained(
            Start {
                clinux_set_thread_name(String(name.prefix(15)))  // the kernel's limit
                body()
            })
        var thread = UInt()
        let code = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw SyscallError(call: "pthread_create", subject: name, code: code)
        }
        return thread
    }

    /// Waits for the end of a thread. Blocks the caller.
    package static func join(_ thread: UInt) { pthread_join(thread, nil) }

    /// Runs `body` on a thread of its own and waits for it without blocking the cooperative pool.
    package static func run<T: Sendable>(name: String, _ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
            do throws(SyscallError) {
                try start(name: name, detached: true) { continuation.resume(with: Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Runs a short `body` on a thread of its own and blocks the caller until it has ended.
    package static func runAndWait<T: Sendable>(
        name: String, _ body: @escaping @Sendable () throws(SyscallError) -> T
    ) throws(SyscallError) -> T {
        let outcome = Outcome<T>()
        let thread = try start(name: name, detached: false) {
            let result: Result<T, SyscallError>
            do throws(SyscallError) { result = .success(try body()) } catch { result = .failure(error) }
            outcome.value.withLock { $0 = result }
        }
        join(thread)
        guard let result = outcome.value.withLock({ $0 }) else {
            preconditionFailure("a joined thread has left its result")
        }
        return try result.get()
    }

    private final class Outcome<T: Sendable>: Sendable {
        let value = Mutex<Result<T, SyscallError>?>(nil)
    }
}
