/// Why a store did not do what was asked.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The revision asked for is gone; history begins at `oldest` (0 where the store did not say).
    case compacted(oldest: Int64)
    /// The revision asked for has not happened yet.
    case futureRevision
    /// The lease has ended or never was.
    case leaseNotFound(Int64)
    /// A lease of that number exists already.
    case leaseExists(Int64)
    /// The store cannot be reached, or did not answer in time. Whether a write was done is not known.
    case unavailable(String)
    /// The store refused the request: no permission, too large, out of space.
    case refused(String)
    /// The task that asked was cancelled.
    case cancelled

    public var description: String {
        switch self {
        case .compacted(let oldest): "the revision is compacted away; the oldest kept is \(oldest)"
        case .futureRevision: "the revision is in the future"
        case .leaseNotFound(let id): "lease \(String(id, radix: 16)) not found"
        case .leaseExists(let id): "lease \(String(id, radix: 16)) exists already"
        case .unavailable(let reason): "the store is not available: \(reason)"
        case .refused(let reason): "the store refused the request: \(reason)"
        case .cancelled: "cancelled"
        }
    }
}
