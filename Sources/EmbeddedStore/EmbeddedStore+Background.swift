import ClusterStore
import GRDB
import Logging
import ServiceLifecycle

/// What a store does by itself while it runs. Nothing here wakes up in a store that nobody uses, except for leases.
extension EmbeddedStore {
    /// Time between progress notifications to watches that asked for them. etcd's is 10 min.
    private static let progressInterval: Duration = .seconds(10)
    /// The longest pause of a store with leases. No lease is shorter, so none can be made and end within it.
    private static let leasePause: Duration = .seconds(EmbeddedStore.minimumTimeToLive)
    /// Time between two checkpoints while writes go on.
    private static let checkpointInterval: Duration = .milliseconds(500)
    /// Time between two tries to make space on a full disk.
    private static let rescueInterval: Duration = .milliseconds(500)
    /// A commit that takes longer is warned of: leases of a few seconds are in danger then.
    private static let slowCommit: Duration = .milliseconds(500)

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await self.writes.run(readsPrevious: { self.hub.wantsPrevious }) { commit in
                        self.hub.publish(commit.events, revision: commit.revision)
                        self.committed.ring()
                    }
                }
                group.addTask { await self.expireLeases() }
                group.addTask { await self.sweepHistory() }
                group.addTask { await self.checkpoint() }
                group.addTask { await self.compactByItself() }
                group.addTask { await self.sendProgress() }
                await group.waitForAll()
            }
        }
        hub.close()
    }

    private func expireLeases() async {
        while !Task.isCancelled {
            for id in deadlines.expired() {
                do {
                    try await revokeLease(id)
                } catch {
                    logger.warning("a lease could not be ended", metadata: ["lease": "\(id)", "error": "\(error)"])
                }
            }
            guard let pause = deadlines.untilNext() else {
                await deadlines.untilStart()
                continue
            }
            do { try await clock.sleep(min(max(pause, .milliseconds(1)), Self.leasePause)) } catch { return }
        }
    }

    private func sweepHistory() async {
        for await _ in sweep.rings {
            do {
                // Through the writer's queue: a slice shares its commit with the writes that wait beside it.
                while !Task.isCancelled, try await writes.perform({ try Sweeper.sweep($0.db) }) {}
                while !Task.isCancelled, try await writes.perform({ try Sweeper.vacuum($0.db) }) {}
            } catch {
                if error != .cancelled, !Task.isCancelled {
                    logger.warning("history could not be swept", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    private func checkpoint() async {
        for await _ in committed.rings {
            do {
                if try await checkpointer.checkpoint() > 0 { committed.ring() }  // a reader was in the way
            } catch {
                if !Task.isCancelled { logger.warning("no checkpoint", metadata: ["error": "\(error)"]) }
            }
            if let slowest = metrics.takeSlowest(), slowest > Self.slowCommit {
                logger.warning(
                    "the disk is slow: a commit waited for it longer than leases of a few seconds can bear",
                    metadata: ["took": "\(slowest)", "store": "\(path)"])
            }
            while space.isRaised, !Task.isCancelled { await makeSpace() }
            do { try await Task.sleep(for: Self.checkpointInterval) } catch { return }
        }
    }

    /// Gives up history, the only thing a store may drop by itself, and looks whether that, or somebody else, has helped.
    private func makeSpace() async {
        // Each step may fail for want of the space that the next one makes.
        await attempt("empty the log") { try await self.checkpointer.empty() }
        await attempt("give up history") {
            let revision = self.revision
            guard revision > (try await self.read { try $0.counter("compacted") }) else { return }
            self.logger.notice("giving all history up to make space", metadata: ["revision": "\(revision)"])
            try await self.compact(to: revision)
        }
        await attempt("sweep") { while try await self.writes.perform({ try Sweeper.sweep($0.db) }) {} }
        await attempt("shrink the file") { while try await self.writes.perform({ try Sweeper.vacuum($0.db) }) {} }
        await attempt("empty the log") { try await self.checkpointer.empty() }
        if let used = try? await size().used { space.look(used: used) }
        if space.isRaised { try? await Task.sleep(for: Self.rescueInterval) }
    }

    private func attempt(_ step: String, _ body: () async throws -> Void) async {
        guard !Task.isCancelled else { return }
        do { try await body() } catch {
            if !Task.isCancelled {
                logger.debug("no space made", metadata: ["step": "\(step)", "error": "\(error)"])
            }
        }
    }

    private func compactByItself() async {
        guard configuration.compaction != .off else { return }
        var plan = CompactionPlan(configuration.compaction)
        while !Task.isCancelled {
            if let target = plan.target(at: clock.now(), revision: revision) {
                do {
                    if target > (try await read { try $0.counter("compacted") }) { try await compact(to: target) }
                } catch {
                    if !Task.isCancelled, error != .cancelled {
                        logger.warning("history was not compacted", metadata: ["error": "\(error)"])
                    }
                }
            }
            do { try await clock.sleep(configuration.compaction.interval) } catch { return }
        }
    }

    private func sendProgress() async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: Self.progressInterval) } catch { return }
            hub.publishProgress()
        }
    }
}
