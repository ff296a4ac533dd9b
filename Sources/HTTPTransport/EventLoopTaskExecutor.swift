import NIOCore

/// Runs tasks on an event loop, so that answering a small request costs no change of thread in either direction.
///
/// Whoever prefers it must not block and should leave the loop (`withTaskExecutorPreference(globalConcurrentExecutor)`)
/// for more than a millisecond of work.
final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // The closure keeps this executor alive for as long as the job refers to it.
        eventLoop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
