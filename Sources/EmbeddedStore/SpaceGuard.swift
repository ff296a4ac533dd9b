import ClusterStore
import Glibc
import Logging
import Synchronization

/// Says when the store has no space for growth: etcd's NOSPACE alarm, which here ends by itself.
///
/// A part of the disk is kept back: below it puts are refused, while deletions, compaction and the log that both need
/// go on. So a store that is full can be emptied.
final class SpaceGuard: Sendable {
    /// Kept free on the disk: an eighth of it, within these bounds.
    private static let reserve: ClosedRange<Int64> = 8 << 20...64 << 20
    /// Space that must be there beyond the limit before the alarm ends, so that it does not flutter.
    private static let margin = 1.1

    private struct State {
        var reason: String?
        /// An operator's order by `alarm activate`; ends by order only.
        var isOrdered = false
    }

    private let path: String
    /// Most bytes in use; `nil` for no limit but the disk.
    let quota: Int64?
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameter path: The database's file.
    init(path: String, quota: Int64?, logger: Logger) {
        self.path = path
        self.quota = quota
        self.logger = logger
    }

    var isRaised: Bool { state.withLock { $0.reason != nil || $0.isOrdered } }

    /// Why nothing may grow, `nil` when all is well.
    var reason: String? { state.withLock { $0.reason ?? ($0.isOrdered ? "an operator raised the alarm" : nil) } }

    /// Raises the alarm; ``look(used:)`` ends it.
    func raise(because reason: String) {
        let isNew = state.withLock { state in
            defer { state.reason = state.reason ?? reason }
            return state.reason == nil
        }
        guard isNew else { return }
        logger.error(
            "no space: puts are refused, reads and deletions go on; make room and it will end by itself",
            metadata: ["reason": "\(reason)", "store": "\(path)"])
    }

    /// Raises or ends the alarm by hand, as `etcdctl alarm` does.
    func order(raised: Bool) { state.withLock { $0.isOrdered = raised } }

    /// Compares what is there with what is needed.
    ///
    /// - Parameter used: Bytes of the database that hold something.
    func look(used: Int64) {
        let factor = isRaised ? Self.margin : 1
        if let quota, Double(used) * factor > Double(quota) {
            return raise(because: "\(used) bytes are in use, the quota is \(quota)")
        }
        if let (free, reserve) = disk(), Double(free) < Double(reserve) * factor {
            return raise(because: "\(free) bytes are free on the disk, \(reserve) are kept back")
        }
        let ended = state.withLock { state in
            defer { state.reason = nil }
            return state.reason != nil
        }
        if ended { logger.notice("there is space again: puts are taken") }
    }

    /// Whether the log must be moved into the database now, which grows by as much: later there would be no room.
    func wantsEmptyLog() -> Bool {
        var log = stat()
        guard let (free, reserve) = disk(), stat(path + "-wal", &log) == 0 else { return false }
        return free < reserve + Int64(log.st_size)
    }

    /// Bytes that are free, and those of them that are kept back; `nil` when the disk does not say.
    private func disk() -> (free: Int64, reserve: Int64)? {
        var status = statvfs()
        guard statvfs(StoreDatabase.directory(of: path), &status) == 0 else { return nil }
        let size = Int64(status.f_blocks) * Int64(status.f_frsize)
        let free = Int64(status.f_bavail) * Int64(status.f_frsize)
        return (free, min(max(size / 8, Self.reserve.lowerBound), Self.reserve.upperBound))
    }
}
